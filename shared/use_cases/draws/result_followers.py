"""Orders that follow a draw: those of former winners of a prize drawn again, and of all buyers.

`use_cases.raffle_changes` works through the orders; each is locked with its contact and raffle.
"""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.facts import draws
from shared.conversation.notify import notify_buyer
from shared.conversation.texts import draw_updates
from shared.core.enums import MessageDeliveryStatus, OrderStatus, OutboxStatus, RaffleAction
from shared.raffles.draws.draw_models import DrawResult, PrizeClaim
from shared.raffles.models import Order, RaffleEvent
from shared.raffles.services.draws import winners
from shared.whatsapp import predicates, window
from shared.whatsapp.models import OutboundMessage
from shared.whatsapp.services.outbox import outbox_queue

# ── prizes that are drawn again ──────────────────────────────────────────────────────────────────


def query_misinformed_orders(event: RaffleEvent) -> QuerySet[Order]:
    """Return the orders whose prizes an event drew again, and those with unsent former results."""
    unsent = OutboundMessage.objects.filter(
        predicates.QUEUED_OUTBOUND | predicates.WITHHELD_OUTBOUND, key=draw_updates.RESULTS_TOLD_KEY
    )
    untrue = Q(claims__in=_list_replaced_claims(event)) | Q(code__in=unsent.values("about"))
    return Order.objects.filter(untrue, raffle=event.raffle_id).distinct()


def _list_replaced_claims(event: RaffleEvent) -> list[PrizeClaim]:
    """Return the claims of the results that those of a redraw replaced by another number."""
    again = DrawResult.objects.filter(
        prize=OuterRef("result__prize"), attempt=OuterRef("result__attempt") + 1, at=event.at
    ).exclude(number=OuterRef("result__number"))
    claims = PrizeClaim.objects.filter(
        Exists(again), result__raffle_id=event.raffle_id, told_at__isnull=False
    )
    return list(claims.select_related("result__prize"))


def follow_redraw(order: Order, event: RaffleEvent, now: datetime) -> None:
    """Withdraw what is untrue now; a former winner who may have read it is told of the redraw.

    A message about another prize of the same order is withdrawn, too, and can be told again.
    """
    if order.contact_id is None:
        return
    replaced = [claim for claim in _list_replaced_claims(event) if claim.order_id == order.pk]
    untrue = [draw_updates.RESULTS_TOLD_KEY, *([draw_updates.WINNER_KEY] if replaced else [])]
    outbox_queue.mark_superseded(order.contact_id, about=str(order), keys=untrue)
    for claim in replaced:
        if any(map(_may_have_arrived, list_winner_messages(order, claim.result))):
            _notify_of_redraw(order, claim, now=now)


def list_winner_messages(order: Order, result: DrawResult) -> list[OutboundMessage]:
    """Return the messages to the buyer of an order that a result won, oldest first."""
    messages = OutboundMessage.objects.filter(
        contact=order.contact_id, about=str(order), key=draw_updates.WINNER_KEY
    )
    tap_id = build_button_id(ButtonAction.SHOW_NAME, result.pk)
    return [each for each in messages.order_by("pk") if tap_id in _list_tap_ids(each)]


def was_withdrawn(order: Order, result: DrawResult) -> bool:
    """Whether the last message to the buyer of an order that a result won was withdrawn."""
    messages = list_winner_messages(order, result)
    return bool(messages) and messages[-1].status == OutboxStatus.STALE


def _list_tap_ids(message: OutboundMessage) -> list[str]:
    action = message.payload.get("interactive", {}).get("action", {})
    return [button["reply"]["id"] for button in action.get("buttons", ())]


def _may_have_arrived(message: OutboundMessage) -> bool:
    sent = (OutboxStatus.SENT, OutboxStatus.SENDING, OutboxStatus.UNKNOWN)
    return message.status in sent and message.delivery != MessageDeliveryStatus.FAILED


def _notify_of_redraw(order: Order, claim: PrizeClaim, *, now: datetime) -> None:
    notify_buyer(
        order,
        lambda known: draw_updates.build_prize_lost_message(
            known, prize=claim.result.prize.title, number=claim.result.number
        ),
        now=now,
    )


# ── all buyers ───────────────────────────────────────────────────────────────────────────────────


def find_last_telling(raffle_id: int) -> RaffleEvent | None:
    """Return the event that tells the buyers what was drawn last; None: nobody is told yet."""
    about = (RaffleAction.DRAWN, RaffleAction.REDRAWN, RaffleAction.RESULTS_TOLD)
    last = RaffleEvent.objects.filter(raffle_id=raffle_id, action__in=about).last()
    return last if last is not None and last.action == RaffleAction.RESULTS_TOLD else None


def follow_results(order: Order, event: RaffleEvent, now: datetime) -> None:
    """Tell the buyer of a paid order who won: once, inside the window, and no winner.

    Who wrote STOP is not told; they are among those to tell by hand.
    """
    if order.status != OrderStatus.PAID or order.contact is None:
        return
    if order.contact.stopped_at is not None:
        return
    if not window.is_window_open(order.contact.last_inbound_at, now=now):
        return
    if not _is_latest_of_buyer(order) or find_last_telling(order.raffle_id) != event:
        return
    current = winners.load_winners(order.raffle)
    draw = draws.load_draw(order.raffle, now=now)
    if not draw.has_all_winners or order.contact_id in {each.order.contact_id for each in current}:
        return
    notify_buyer(
        order,
        lambda known: draw_updates.build_results_told_message(known, draw, now=now),
        now=now,
    )


def _is_latest_of_buyer(order: Order) -> bool:
    later = query_paid_orders(order.raffle_id).filter(contact=order.contact_id, pk__gt=order.pk)
    return not later.exists()


def query_paid_orders(raffle_id: int) -> QuerySet[Order]:
    """Return the paid orders of a raffle."""
    return Order.objects.filter(raffle=raffle_id, status=OrderStatus.PAID)
