"""Progress of a moved draw or a call-off: orders worked off, refunds owed, untold buyers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Q
from django.http import HttpRequest

from backoffice.raffles.last_day import refunds, untold_buyers
from backoffice.raffles.last_day.refunds import OwedRefunds
from shared.core.enums import RaffleAction, RaffleStatus
from shared.raffles.models import Order, Raffle, RaffleEvent

_FOLLOWED_ACTIONS: Final = (RaffleAction.DRAW_MOVED, RaffleAction.CALLED_OFF)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What is still to do after the last such change.

    Attributes:
        called_off: Whether the raffle was called off; otherwise its draw was moved.
        unfinished: Whether orders still have to be worked off.
        done: Orders that were worked off; 0 once all are.
        total: All orders of the raffle; 0 once all are worked off.
        refunds: The refunds still owed; None if the raffle goes on or the user may not see orders.
        untold: How many buyers are to be told by hand; 0 if the user may not see orders.

    """

    called_off: bool
    unfinished: bool
    done: int
    total: int
    refunds: OwedRefunds | None
    untold: int


def load_follow_up(
    raffle: Raffle, events: Sequence[RaffleEvent], *, request: HttpRequest
) -> FollowUp | None:
    """Return what is to do, in at most four queries; None if there is nothing.

    Args:
        raffle: The raffle.
        events: Its history, newest first.
        request: The request of the user.

    """
    followed = [event for event in events if event.action in _FOLLOWED_ACTIONS]
    if not followed:
        return None
    sees_orders = request.user.has_perm("raffles.view_order")
    called_off = raffle.status == RaffleStatus.CANCELLED
    unfinished = [event for event in followed if event.unfinished]
    done, total = _count_worked_off(unfinished[-1]) if unfinished else (0, 0)
    untold = _count_untold_buyers(raffle) if sees_orders else 0
    if not (called_off or unfinished or untold):
        return None
    return FollowUp(
        called_off=called_off,
        unfinished=bool(unfinished),
        done=done,
        total=total,
        refunds=refunds.load_owed_refunds(raffle) if called_off and sees_orders else None,
        untold=untold,
    )


def _count_worked_off(event: RaffleEvent) -> tuple[int, int]:
    counts = Order.objects.filter(raffle_id=event.raffle_id).aggregate(
        done=Count("pk", filter=Q(pk__lte=event.last_order_id)), total=Count("pk")
    )
    return counts["done"], counts["total"]


def _count_untold_buyers(raffle: Raffle) -> int:
    by_chat = untold_buyers.query_untold_messages(raffle).count()
    return by_chat + untold_buyers.query_cash_orders_to_tell(raffle).count()
