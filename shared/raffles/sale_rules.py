"""Rules of the last day: what a raffle may still sell, and what may still be settled.

*May sell new* concerns holds, sales for cash and orders made by staff. *May still settle* concerns
what was begun before: placing an order, confirming its payment, taking numbers back, replacing
them, attaching a proof. Chat, pages, API, commands and the clock all ask here, with the raffle
locked by `services.locks`.
"""

from datetime import datetime, timedelta
from typing import Final, assert_never

from django.db.models import Q

from shared.core.enums import DrawMethod, RaffleStatus
from shared.core.errors import DomainError
from shared.core.statements.compiled_queries import Moment
from shared.raffles.errors import (
    DrawTimeReached,
    RaffleCalledOff,
    RaffleDrawn,
    RaffleNotSelling,
    RaffleSealed,
)
from shared.raffles.models import Raffle

SALES_END_BEFORE_DRAW: Final = timedelta(hours=1)
"""Time from the end of sales to the draw, unless the seller chose another end."""


def compute_sales_end(raffle: Raffle) -> datetime | None:
    """Return when the sale of a raffle ends by itself, never after its draw; None: it does not."""
    if raffle.draw_at is None:
        return raffle.sales_close_at
    if raffle.sales_close_at is None:
        return raffle.draw_at - SALES_END_BEFORE_DRAW
    return min(raffle.sales_close_at, raffle.draw_at)


def get_not_selling_reason(raffle: Raffle, *, now: datetime) -> str | None:
    """Return why a raffle sells nothing at the moment, or None while it sells.

    Returns:
        `draft`, `paused`, `closed`, `sealed`, `drawn` or `cancelled` by its status; `not_yet`
        before its sale begins, `over` after it has ended.

    """
    if raffle.status != RaffleStatus.OPEN:
        return raffle.status.lower()
    if raffle.sales_open_at is not None and now < raffle.sales_open_at:
        return "not_yet"
    end = compute_sales_end(raffle)
    return "over" if end is not None and now >= end else None


def build_on_sale_condition(*, now: datetime) -> Q:
    """Return a condition for the raffles of which `get_not_selling_reason` is None."""
    begun = Q(sales_open_at__isnull=True) | Q(sales_open_at__lte=now)
    before_chosen_end = Q(sales_close_at__gt=now) & (Q(draw_at=None) | Q(draw_at__gt=now))
    before_usual_end = Q(sales_close_at=None) & (
        Q(draw_at=None) | Q(draw_at__gt=now + SALES_END_BEFORE_DRAW)
    )
    return Q(begun, before_chosen_end | before_usual_end, status=RaffleStatus.OPEN)


def refuse_unless_selling(raffle: Raffle, *, now: datetime) -> None:
    """Check that a raffle may sell new ticket numbers.

    Raises:
        RaffleNotSelling: it may not; the reason is in the details.

    """
    reason = get_not_selling_reason(raffle, now=now)
    if reason is not None:
        raise RaffleNotSelling(reason=reason)


def find_settling_refusal(raffle: Raffle, *, now: datetime) -> DomainError | None:
    """Return why nothing of a raffle may be settled any more, or None while it may.

    Args:
        raffle: the raffle, read under its lock.
        now: the present time; for a proof the time at which the buyer sent it.

    """
    match RaffleStatus(raffle.status):
        case RaffleStatus.SEALED:
            return RaffleSealed(raffle_id=raffle.pk)
        case RaffleStatus.DRAWN:
            return RaffleDrawn(raffle_id=raffle.pk)
        case RaffleStatus.CANCELLED:
            return RaffleCalledOff(raffle_id=raffle.pk)
        case RaffleStatus.DRAFT | RaffleStatus.OPEN | RaffleStatus.PAUSED | RaffleStatus.CLOSED:
            if is_draw_due(raffle, now=now):
                return DrawTimeReached(draw_at=raffle.draw_at)
            return None
        case unknown:
            assert_never(unknown)


def find_review_refusal(
    raffle: Raffle, *, first_proof_at: datetime | None, now: datetime
) -> DomainError | None:
    """Return why staff may not confirm an order that holds its numbers, or None while they may.

    After the time of the draw they may, if the first proof was sent before it, and if the raffle
    is not drawn from public values: whoever decides once those are known would pick the winner.

    Args:
        raffle: the raffle.
        first_proof_at: time at which the buyer sent the first proof; None without any.
        now: the present time.

    """
    refusal = find_settling_refusal(raffle, now=now)
    in_time = first_proof_at is not None and not is_draw_due(raffle, now=first_proof_at)
    may_decide = in_time and not has_public_source(raffle)
    return None if isinstance(refusal, DrawTimeReached) and may_decide else refusal


def has_public_source(raffle: Raffle) -> bool:
    """Whether a raffle is drawn from values that everybody knows once its time has come."""
    return raffle.draw_method in {DrawMethod.PUBLIC_VALUE, DrawMethod.LOTTERY_DIGITS}


def build_public_source_condition() -> Q:
    """Return a condition for the raffles for which `has_public_source` is true."""
    return Q(draw_method__in=[DrawMethod.PUBLIC_VALUE, DrawMethod.LOTTERY_DIGITS])


def may_still_settle(raffle: Raffle, *, now: datetime) -> bool:
    """Whether orders of a raffle may still be settled; arguments as in `find_settling_refusal`."""
    return find_settling_refusal(raffle, now=now) is None


def build_not_settling_condition(*, now: Moment) -> Q:
    """Return a condition for the raffles for which `may_still_settle` is false."""
    over = [RaffleStatus.SEALED, RaffleStatus.DRAWN, RaffleStatus.CANCELLED]
    return Q(status__in=over) | Q(draw_at__lte=now)


def refuse_unless_settling(raffle: Raffle, *, now: datetime) -> None:
    """Check that orders of a raffle may still be settled.

    Raises:
        RaffleSealed, RaffleDrawn, RaffleCalledOff: by the raffle's status.
        DrawTimeReached: the time of the draw has come.

    """
    refusal = find_settling_refusal(raffle, now=now)
    if refusal is not None:
        raise refusal


def find_sealing_refusal(raffle: Raffle) -> DomainError | None:
    """Return why the list of sold numbers of a raffle is final, or None while it is not."""
    match RaffleStatus(raffle.status):
        case RaffleStatus.SEALED:
            return RaffleSealed(raffle_id=raffle.pk)
        case RaffleStatus.DRAWN:
            return RaffleDrawn(raffle_id=raffle.pk)
        case _:
            return None


def refuse_after_sealing(raffle: Raffle) -> None:
    """Check that the list of sold numbers of a raffle is not final yet.

    Raises:
        RaffleSealed, RaffleDrawn: it is.

    """
    refusal = find_sealing_refusal(raffle)
    if refusal is not None:
        raise refusal


def is_draw_due(raffle: Raffle, *, now: datetime) -> bool:
    """Whether the time of the draw has come; never for a raffle without a draw date."""
    return raffle.draw_at is not None and now >= raffle.draw_at


def cap_deadline(raffle: Raffle, wanted: datetime) -> datetime:
    """Return a deadline that is not after the draw."""
    return wanted if raffle.draw_at is None else min(wanted, raffle.draw_at)
