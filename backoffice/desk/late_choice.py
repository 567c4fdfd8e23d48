"""What can be done about a payment that came too late, read before it is drawn."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from backoffice.desk.held import ShownNumber
from shared.core.enums import RaffleStatus
from shared.raffles.models import Order
from shared.raffles.services import availability

SUGGESTIONS: Final = 8
"""How many free numbers are shown to choose from, beside those that are missing."""


@dataclass(frozen=True, slots=True)
class LateChoice:
    """The ways out of a late payment.

    Attributes:
        order: paid too late.
        all_free: its numbers can be taken back.
        kept: those that are still free, as one would type them.
        gone: those that somebody else has, likewise.
        missing: how many others are needed.
        suggestions: free numbers to choose from.
        drawn: nothing is sold any more; only a refund is left.
        seen: ids of the proofs that wait and are shown.

    """

    order: Order
    all_free: bool
    kept: str
    gone: str
    missing: int
    suggestions: tuple[str, ...]
    drawn: bool
    seen: tuple[int, ...]


def of(order: Order, *, numbers: Sequence[ShownNumber], seen: Iterable[int]) -> LateChoice | None:
    """Read what can be done about an order, in two queries at most.

    Args:
        order: with its raffle.
        numbers: what it had.
        seen: ids of the proofs that wait and are shown.

    Returns:
        None where nothing is to be decided.

    """
    if not order.needs_decision:
        return None
    gone = [number.written for number in numbers if number.gone]
    kept = [number.written for number in numbers if not number.gone]
    drawn = order.raffle.status == RaffleStatus.DRAWN
    return LateChoice(
        order=order,
        all_free=not gone and not drawn,
        kept=", ".join(kept),
        gone=", ".join(gone),
        missing=len(gone),
        suggestions=() if drawn or not gone else _suggestions(order, kept=kept),
        drawn=drawn,
        seen=tuple(seen),
    )


def _suggestions(order: Order, *, kept: Sequence[str]) -> tuple[str, ...]:
    raffle = order.raffle
    limit = SUGGESTIONS + order.quantity
    free = availability.free_examples(raffle, pivot=secrets.randbits(31), limit=limit)
    return tuple(written for number in free if (written := raffle.written(number)) not in kept)
