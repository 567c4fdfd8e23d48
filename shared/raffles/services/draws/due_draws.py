"""Raffles whose draw is due: their time has come, or all their numbers are sold."""

from datetime import timedelta
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from shared.core.enums import RaffleStatus, TicketStatus
from shared.core.statements.compiled_queries import Moment
from shared.raffles.models import Order, Raffle, TicketNumber
from shared.raffles.predicates import AVAILABLE_TICKETS

CLOSED_SHOWN_FOR: Final = timedelta(days=30)
"""Time during which a closed raffle is still due although nothing is left to decide."""


def query_due_raffles(*, now: Moment) -> QuerySet[Raffle]:
    """Return the raffles whose draw is due, and which are neither sealed nor drawn nor called off.

    A raffle with a draw date is due from then on. One that is drawn when sold out is due once no
    number is free or held; its time is that of its last change. A closed raffle without anything
    left to decide is left out after thirty days.
    """
    old = now - CLOSED_SHOWN_FOR
    recent = Q(draw_at__gt=old) | Q(draw_at__isnull=True, updated_at__gt=old)
    undecided = Q(Exists(query_orders_of_raffle().filter(under_review_since__isnull=False))) | Q(
        Exists(query_orders_of_raffle().filter(needs_decision=True))
    )
    shown = Q(status__in=[RaffleStatus.OPEN, RaffleStatus.PAUSED]) | Q(
        recent | undecided, status=RaffleStatus.CLOSED
    )
    sold_out = Q(draw_at__isnull=True, draw_when_sold_out=True) & _build_sold_out_condition()
    return Raffle.objects.filter(shown, Q(draw_at__lte=now) | sold_out)


def query_orders_of_raffle() -> QuerySet[Any]:
    """Return the orders of the outer query's raffle.

    Adding zero to the raffle makes the database use the small indexes of undecided orders.
    """
    return Order.objects.alias(of=F("raffle_id") + 0).filter(of=OuterRef("pk")).order_by()


def _build_sold_out_condition() -> Q:
    """Return the condition for raffles all of whose numbers are sold; each part reads one row.

    A range in place of `=` makes PostgreSQL look into the index for each raffle. With `=` it may
    read the numbers of all raffles into a hash table first.
    """
    numbers = TicketNumber.objects.filter(raffle__gte=OuterRef("pk"), raffle__lte=OuterRef("pk"))
    taken = numbers.exclude(AVAILABLE_TICKETS)
    return (
        ~Q(Exists(numbers.filter(AVAILABLE_TICKETS)))
        & ~Q(Exists(taken.filter(status=TicketStatus.RESERVED)))
        & Q(Exists(taken.filter(status=TicketStatus.SOLD)))
    )
