"""Changes of a raffle that concern its orders: a pause, a moved draw, a redraw, the results.

`raffles.services.lifecycle` changes the raffle in one transaction. Its orders are worked off here
afterwards, each in a transaction of its own with the locks of any other change of an order. The
raffle's history entry counts the progress, so that the next call, also of another process,
continues where the last one ended.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet

from shared.conversation.facts import gathering
from shared.conversation.notify import notify_buyer, notify_contact
from shared.conversation.texts import raffle_updates
from shared.core import logs
from shared.core.enums import ActorKind, OrderAction, OrderStatus, RaffleAction, RaffleStatus
from shared.raffles.actor import Actor
from shared.raffles.models import Order, RaffleEvent
from shared.raffles.services import locks, orders
from shared.raffles.services.draws import receipt_chain
from shared.raffles.services.payment_decisions import payments
from shared.use_cases.draws import result_followers
from shared.whatsapp import predicates, window
from shared.whatsapp.models import OutboundMessage
from shared.whatsapp.services import alarms
from shared.whatsapp.services.outbox import outbox_queue

_log = logs.get_logger(__name__)


def continue_raffle_changes(*, now: datetime, limit: int = 100) -> int:
    """Work off orders of raffles that changed; see `_FOLLOWERS`.

    Paid orders of raffles that got their rules afterwards enter the receipt chain.

    Args:
        now: the present time.
        limit: orders per call at most.

    Returns:
        How many orders were worked off; call again while that many are returned.

    """
    done = 0
    for event in RaffleEvent.objects.filter(unfinished=True).order_by("id"):
        done += _work_off_orders(event, now=now, limit=limit - done)
        if done >= limit:
            return done
    for raffle_id in receipt_chain.list_incomplete_chains():
        done += receipt_chain.enter_orders(raffle_id, now=now, limit=limit - done)
        if done >= limit:
            break
    return done


def _work_off_orders(event: RaffleEvent, *, now: datetime, limit: int) -> int:
    waiting = _query_orders(event).filter(pk__gt=event.last_order_id)
    order_ids = list(waiting.order_by("pk").values_list("pk", flat=True)[:limit])
    for order_id in order_ids:
        if not _work_off_order_or_alarm(event, order_id, now=now):
            return 0  # another process works on it
        event.last_order_id = order_id  # only now: a transaction that failed has counted nothing
    if len(order_ids) < limit:
        RaffleEvent.objects.filter(pk=event.pk, last_order_id=event.last_order_id).update(
            unfinished=False
        )
    return len(order_ids)


def _query_orders(event: RaffleEvent) -> QuerySet[Order]:
    """Return the orders that an event concerns."""
    if event.action == RaffleAction.REDRAWN:
        return result_followers.query_misinformed_orders(event)
    of_raffle = Order.objects.filter(raffle_id=event.raffle_id)
    if event.action == RaffleAction.OPENED:
        unsent = OutboundMessage.objects.filter(
            predicates.QUEUED_OUTBOUND | predicates.WITHHELD_OUTBOUND,
            key=raffle_updates.SALE_STOPPED_KEY,
        )
        return of_raffle.filter(code__in=unsent.values("about"))
    if event.action in {RaffleAction.PAUSED, RaffleAction.CLOSED}:
        return of_raffle.filter(status__in=Order.LIVE)
    return of_raffle


def _work_off_order_or_alarm(event: RaffleEvent, order_id: int, *, now: datetime) -> bool:
    """Work off one order; if that fails, sound an alarm and leave the order to a person."""
    try:
        return _work_off_order(event, order_id, now=now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # noqa: BLE001 - an error in one order must not stop the others
        _log.exception("raffle_change_failed", order_id=order_id, action=event.action)
        alarms.sound_alarm(
            f"raffle_change_failed:{order_id}",
            title="An order did not follow its raffle",
            detail=f"Order {order_id} was to follow “{event.get_action_display()}” and did not. "
            "Please look at it; `manage check_inventory` tells what is wrong with it.",
            now=now,
        )
        return _claim_order(event, order_id)


@transaction.atomic(durable=True)
def _work_off_order(event: RaffleEvent, order_id: int, *, now: datetime) -> bool:
    order = locks.lock_order_with_contacts(order_id)
    if not _claim_order(event, order_id):
        return False
    _FOLLOWERS[RaffleAction(event.action)](order, event, now)
    return True


def _claim_order(event: RaffleEvent, order_id: int) -> bool:
    """Count an order as worked off, unless another process did so first."""
    mine = RaffleEvent.objects.filter(
        pk=event.pk, last_order_id=event.last_order_id, unfinished=True
    )
    return bool(mine.update(last_order_id=order_id))


def _end_called_off_order(order: Order, event: RaffleEvent, now: datetime) -> None:
    """End an order of a raffle that was called off, and tell the buyer about the money.

    A paid order stays paid until its refund is recorded, so that no money is forgotten. An order
    whose proof is under review ends and needs a decision: the refund.
    """
    by = Actor(ActorKind(event.actor_kind), id=event.actor_id, label=event.actor_label)
    if order.status in Order.LIVE:
        was_under_review = order.under_review
        orders.end_order(
            order,
            to=OrderStatus.CANCELLED,
            action=OrderAction.CANCELLED,
            by=by,
            now=now,
            reason=event.reason,
        )
        if was_under_review:
            payments.flag_late_payment(order, by=by, now=now, reason=event.reason)
    elif order.status != OrderStatus.PAID and not order.needs_decision:
        return
    notify_buyer(
        order,
        lambda known: raffle_updates.build_called_off_message(known, note=event.reason),
        now=now,
    )


def _follow_stopped_sale(order: Order, event: RaffleEvent, now: datetime) -> None:
    """Tell a buyer who holds numbers or owes for them that these stay theirs: once, if it arrives.

    Outside the 24-hour window, and after STOP, nobody is told: a sale that has stopped may go on
    before they write, and then the menu tells them what they hold and owe.
    """
    contact, raffle = order.contact, order.raffle
    if order.status not in Order.LIVE or contact is None or raffle.status != event.to_status:
        return
    if contact.stopped_at is not None or not window.is_window_open(
        contact.last_inbound_at, now=now
    ):
        return
    live = list(
        Order.objects.filter(
            raffle_id=raffle.pk, contact=contact, status__in=Order.LIVE, created_at__lte=event.at
        )
        .select_related("raffle")
        .order_by("pk")
    )
    if not live or live[-1].pk != order.pk:
        return
    known = [gathering.gather_order_facts(each, now=now) for each in live]
    kept = [each for each in known if not each.has_lapsed]
    if kept:
        reply = raffle_updates.build_sale_stopped_message(kept, now=now)
        notify_contact(contact, reply, now=now)


def _follow_reopened_sale(order: Order, event: RaffleEvent, _: datetime) -> None:
    """Withdraw the message that the sale has stopped, if it was not sent so far."""
    if order.contact_id is not None and order.raffle.status == event.to_status:
        outbox_queue.mark_superseded(
            order.contact_id, about=str(order), keys=(raffle_updates.SALE_STOPPED_KEY,)
        )


def _follow_moved_draw(order: Order, event: RaffleEvent, now: datetime) -> None:
    """Cap the deadline of an order by its raffle's draw, and tell the buyer once about the draw."""
    if order.status not in Order.HOLDING:
        return
    orders.cap_deadline(order)
    if not _is_news(order, event):
        return
    later = Order.objects.filter(
        raffle_id=order.raffle_id,
        contact_id=order.contact_id,
        pk__gt=order.pk,
        status__in=Order.HOLDING,
        created_at__lte=event.at,
    )
    if order.contact_id is None or later.exists():
        return
    notify_buyer(
        order,
        lambda known: raffle_updates.build_draw_moved_message(
            known, before=event.draw_before, note=event.reason
        ),
        now=now,
    )


def _is_news(order: Order, event: RaffleEvent) -> bool:
    """Whether a moved draw still is where it was moved to, and the buyer bought before."""
    raffle = order.raffle
    moved_on = raffle.status == RaffleStatus.CANCELLED or raffle.draw_at != event.draw_after
    return order.created_at <= event.at and not moved_on


_FOLLOWERS: Final[Mapping[RaffleAction, Callable[[Order, RaffleEvent, datetime], None]]] = {
    RaffleAction.OPENED: _follow_reopened_sale,
    RaffleAction.PAUSED: _follow_stopped_sale,
    RaffleAction.CLOSED: _follow_stopped_sale,
    RaffleAction.CALLED_OFF: _end_called_off_order,
    RaffleAction.DRAW_MOVED: _follow_moved_draw,
    RaffleAction.REDRAWN: result_followers.follow_redraw,
    RaffleAction.RESULTS_TOLD: result_followers.follow_results,
}
"""What an order of the raffle does after each action that concerns it."""
