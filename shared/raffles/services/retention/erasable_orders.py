"""Reads of the orders whose personal data is no longer needed, and of what still needs it."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from shared.core.enums import OrderStatus, ProofStatus, RaffleAction, RaffleStatus, Verdict
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.services import refund_queries
from shared.raffles.services.due_draws import CLOSED_SHOWN_FOR

_FINAL_STATUSES: Final = (RaffleStatus.DRAWN, RaffleStatus.CANCELLED)
_CLOSED_STATUSES: Final = (RaffleStatus.CLOSED, RaffleStatus.SEALED)

UNDECIDED_PROOFS: Final = Q(verdict=Verdict.PENDING) & ~Q(status=ProofStatus.FAILED)
"""Payment proofs that wait for a decision, with or without an order."""


def list_ended_raffles(*, before: datetime) -> list[int]:
    """Return the ids of the raffles that ended before a time.

    A raffle ends when it is called off or drawn. One that is closed ends with its draw date, or
    with its closing if that is later or if it has no date. One that nobody closed never ends: its
    seller may not have drawn it yet.
    """
    actions = [RaffleAction.CLOSED, RaffleAction.SEALED, RaffleAction.DRAWN]
    ends = Q(events__action__in=[*actions, RaffleAction.CALLED_OFF])
    raffles = Raffle.objects.filter(status__in=[*_FINAL_STATUSES, *_CLOSED_STATUSES])
    found = raffles.annotate(last_at=Max("events__at", filter=ends)).order_by("pk")
    columns = found.values_list("pk", "status", "draw_at", "last_at", "updated_at")
    return [
        pk
        for pk, status, draw_at, last_at, updated_at in columns
        if max(_list_ends(status, draw_at, last_at or updated_at)) < before
    ]


def count_unclosed_raffles(*, before: datetime) -> int:
    """Count the raffles whose draw date is before a time and that nobody closed."""
    selling = Raffle.objects.filter(status__in=[RaffleStatus.OPEN, RaffleStatus.PAUSED])
    return selling.filter(draw_at__lt=before).count()


def _list_ends(status: str, draw_at: datetime | None, last_at: datetime) -> list[datetime]:
    waits_for_draw = status in _CLOSED_STATUSES and draw_at is not None
    return [last_at, draw_at] if waits_for_draw and draw_at else [last_at]


def query_erasable_orders(raffle_ids: Collection[int]) -> QuerySet[Order]:
    """Return the settled orders of ended raffles that are not erased yet."""
    orders = Order.objects.filter(raffle__in=raffle_ids, erased_at=None)
    return orders.filter(~build_unsettled_condition()).order_by("pk")


def build_unsettled_condition() -> Q:
    """Return a condition for orders about which a person or the clock has still to decide."""
    return build_open_condition() | build_owed_condition() | build_undecided_condition()


def build_open_condition() -> Q:
    """Return a condition for orders that hold numbers unpaid, or were paid too late."""
    return Q(status__in=[*Order.LIVE]) | Q(needs_decision=True)


def build_undecided_condition() -> Q:
    """Return a condition for orders with a payment proof that waits for a decision."""
    return Q(Exists(PaymentProof.objects.filter(UNDECIDED_PROOFS, order=OuterRef("pk"))))


def build_owed_condition() -> Q:
    """Return a condition for paid orders of raffles that were called off, until they are refunded.

    Orders that cost nothing are left out.
    """
    refunded = refund_queries.build_refunded_condition()
    called_off = Q(status=OrderStatus.PAID, raffle__status=RaffleStatus.CANCELLED, total__gt=0)
    return called_off & ~refunded


def build_undrawn_condition(*, now: datetime) -> Q:
    """Return a condition for paid orders whose raffle may still be drawn."""
    return Q(status=OrderStatus.PAID) & ~_build_over_condition(now=now)


def build_drawn_condition(*, now: datetime) -> Q:
    """Return a condition for paid orders whose raffle is over."""
    return Q(status=OrderStatus.PAID) & _build_over_condition(now=now)


def _build_over_condition(*, now: datetime) -> Q:
    """Return a condition for orders of raffles that are over as far as anybody can tell.

    A raffle without a draw date counts as drawn when it has been closed for so long that the first
    screen does not show it as due any more.
    """
    forgotten = Q(raffle__draw_at=None, raffle__updated_at__lte=now - CLOSED_SHOWN_FOR)
    drawn = Q(raffle__draw_at__lte=now) | forgotten
    return Q(raffle__status__in=_FINAL_STATUSES) | (Q(raffle__status__in=_CLOSED_STATUSES) & drawn)


def list_order_codes(ids: Collection[int], condition: Q) -> list[str]:
    """Return the codes of those orders that meet a condition, in ascending order of their ids."""
    orders = Order.objects.filter(condition, pk__in=ids).order_by("pk")
    return [str(order) for order in orders.only("pk", "code")]
