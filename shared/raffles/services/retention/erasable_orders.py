"""Reads of the orders whose personal data is no longer needed, and of what still needs it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from shared.core.constants import MAX_CLAIM_DAYS
from shared.core.enums import OrderStatus, ProofStatus, RaffleAction, RaffleStatus, Verdict
from shared.raffles.draws.draw_models import DrawResult, PrizeClaim
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.services.draws import claim_deadlines
from shared.raffles.services.draws.due_draws import CLOSED_SHOWN_FOR
from shared.raffles.services.queries import refund_queries

_ENDED_STATUSES: Final = (RaffleStatus.CLOSED, RaffleStatus.DRAWN, RaffleStatus.CANCELLED)
_ENDING_ACTIONS: Final = (
    RaffleAction.CLOSED,
    RaffleAction.DRAWN,
    RaffleAction.REDRAWN,
    RaffleAction.CALLED_OFF,
)
_LATEST_CLAIM: Final = timedelta(days=MAX_CLAIM_DAYS + 1)
"""Time after a draw in which a prize can be claimed, at most."""

UNDECIDED_PROOFS: Final = Q(verdict=Verdict.PENDING) & ~Q(status=ProofStatus.FAILED)
"""Payment proofs that wait for a decision, with or without an order."""


def list_ended_raffles(*, before: datetime) -> list[int]:
    """Return the ids of the raffles that ended before a time.

    A raffle ends when it is called off, or when it was drawn and the time to claim its prizes is
    over. One that is closed ends with its draw date, or with its closing if that is later or if it
    has no date. One that nobody closed, or that is sealed and not drawn, never ends.
    """
    ends = Q(events__action__in=_ENDING_ACTIONS)
    claimable = list_claimable_raffles(now=before)
    raffles = Raffle.objects.filter(status__in=_ENDED_STATUSES).exclude(pk__in=claimable)
    found = raffles.annotate(last_at=Max("events__at", filter=ends)).order_by("pk")
    columns = found.values_list("pk", "status", "draw_at", "last_at", "updated_at")
    return [
        pk
        for pk, status, draw_at, last_at, updated_at in columns
        if max(_list_ends(status, draw_at, last_at or updated_at)) < before
    ]


def list_claimable_raffles(*, now: datetime) -> list[int]:
    """Return the ids of the raffles of which a prize can be claimed at a time, or later."""
    lately = DrawResult.objects.filter(at__gt=now - _LATEST_CLAIM).select_related("raffle")
    latest = {result.raffle_id: result for result in lately.order_by("id")}
    claimed = PrizeClaim.objects.filter(claimed_at__isnull=False)
    return [
        raffle_id
        for raffle_id, result in latest.items()
        if claim_deadlines.compute_claim_deadline(result) >= now
        and claimed.filter(result__raffle=raffle_id).count() < result.raffle.prizes.count()
    ]


def count_unclosed_raffles(*, before: datetime) -> int:
    """Count the raffles whose draw date is before a time and that nobody closed."""
    selling = Raffle.objects.filter(status__in=[RaffleStatus.OPEN, RaffleStatus.PAUSED])
    return selling.filter(draw_at__lt=before).count()


def _list_ends(status: str, draw_at: datetime | None, last_at: datetime) -> list[datetime]:
    waits_for_draw = status == RaffleStatus.CLOSED and draw_at is not None
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

    One that is closed and not sealed may be drawn elsewhere, so its draw date counts; without one
    it counts as drawn when it has been closed for so long that the first screen does not show it as
    due any more. While a prize can be claimed, it may be drawn again, and any buyer may win.
    """
    forgotten = Q(raffle__draw_at=None, raffle__updated_at__lte=now - CLOSED_SHOWN_FOR)
    elsewhere = Q(raffle__status=RaffleStatus.CLOSED) & (Q(raffle__draw_at__lte=now) | forgotten)
    drawn = Q(raffle__status=RaffleStatus.DRAWN) & ~Q(raffle__in=list_claimable_raffles(now=now))
    return Q(raffle__status=RaffleStatus.CANCELLED) | drawn | elsewhere


def list_order_codes(ids: Collection[int], condition: Q) -> list[str]:
    """Return the codes of those orders that meet a condition, in ascending order of their ids."""
    orders = Order.objects.filter(condition, pk__in=ids).order_by("pk")
    return [str(order) for order in orders.only("pk", "code")]
