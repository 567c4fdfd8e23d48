"""Tells other systems what happened: an event for each change they know, in its transaction.

What is told is how things are once the change is written. Holds are nobody's business until they
are placed: they are neither created nor cancelled nor expired.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from shared.core.enums import EventType, OrderAction, OrderStatus
from shared.events.models import Event
from shared.events.services import feed, recording
from shared.events.services.feed import SequencedEvents
from shared.publishing import representations
from shared.raffles import signals as raffle_signals
from shared.raffles.actor import Actor
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.services import availability, proof_queries
from shared.whatsapp import signals as channel_signals
from shared.whatsapp.models import Alarm, OutboundMessage

_EVENT_TYPES_BY_ACTION: Final[Mapping[OrderAction, EventType]] = {
    OrderAction.PLACED: EventType.ORDER_CREATED,
    OrderAction.NUMBERS_TAKEN_BACK: EventType.ORDER_CREATED,
    OrderAction.PAID: EventType.ORDER_PAID,
    OrderAction.PROOF_REJECTED: EventType.ORDER_REJECTED,
    OrderAction.CANCELLED: EventType.ORDER_CANCELLED,
    OrderAction.EXPIRED: EventType.ORDER_EXPIRED,
    OrderAction.LATE_PAYMENT: EventType.ORDER_LATE_PAYMENT,
}
"""Actions that are missing here change nothing for others, or another one follows that does."""


def connect_receivers() -> None:
    """Be told of every change from now on; once a process is enough, more do no harm."""
    raffle_signals.order_changed.connect(_record_order_change, dispatch_uid=__name__)
    raffle_signals.proof_kept.connect(_record_proof_received, dispatch_uid=__name__)
    channel_signals.message_failed.connect(_record_message_failure, dispatch_uid=__name__)
    channel_signals.alarm_sounded.connect(_record_channel_alert, dispatch_uid=__name__)


def sequence_events(*, now: datetime, limit: int = 500) -> SequencedEvents:
    """Give the newest events their places in the feed; see `feed.assign_sequence_numbers`.

    Raffles are looked at again here: of two last orders that were paid at the same moment,
    neither saw that the other one's numbers were sold. That event gets its place the next time.
    """

    def look_again(events: Sequence[Event]) -> None:
        paid = [event.data for event in events if event.type == EventType.ORDER_PAID]
        for raffle_id in sorted({data["order"]["raffle"]["id"] for data in paid}):
            _record_if_sold_out(raffle_id, now=now)

    return feed.assign_sequence_numbers(now=now, limit=limit, along=look_again)


def _record_order_change(
    *, order: Order, action: OrderAction, by: Actor, reason: str, now: datetime, **_: Any
) -> None:
    type_ = _choose_event_type(order, action)
    if type_ is None:
        return
    _record_order_event(
        type_,
        order_id=order.pk,
        data={"reason": reason, "by": {"kind": by.kind.lower(), "label": by.label}, "proof": None},
        dedupe_key=f"{type_}:{order.pk}" if type_ is EventType.ORDER_CREATED else None,
        now=now,
    )
    if type_ is EventType.ORDER_PAID:
        _record_if_sold_out(order.raffle_id, now=now)


def _choose_event_type(order: Order, action: OrderAction) -> EventType | None:
    match action:
        case OrderAction.CANCELLED | OrderAction.EXPIRED if order.placed_at is None:
            return None  # it was a hold
        case OrderAction.NUMBERS_TAKEN_BACK if order.status != OrderStatus.PENDING_PAYMENT:
            return None  # it is about to be paid
        case _:
            return _EVENT_TYPES_BY_ACTION.get(action)


def _record_proof_received(*, proof: PaymentProof, order: Order, now: datetime, **_: Any) -> None:
    same = proof_queries.find_identical_proofs(proof)
    seen = {
        "id": proof.pk,
        "content_type": proof.content_type,
        "sha256": proof.sha256,
        "duplicate_of": str(same[0].order) if same else None,
    }
    _record_order_event(
        EventType.ORDER_PROOF_RECEIVED,
        order_id=order.pk,
        proof_id=proof.pk,
        data={"reason": "", "by": None, "proof": seen},
        now=now,
    )


def _record_message_failure(*, message: OutboundMessage, now: datetime, **_: Any) -> None:
    told = {
        "id": message.pk,
        "key": message.key,
        "kind": message.kind,
        "order_code": message.about or None,
        "buyer": representations.represent_contact(message.contact).model_dump(mode="json"),
        "reason": message.error,
        "error_code": message.error_code,
        "created_at": message.created_at.isoformat(),
    }
    orders = Order.objects.filter(code=message.about).values_list("pk", flat=True)
    recording.record_event(
        EventType.MESSAGE_FAILED,
        data={"message": told},
        subject=message.about,
        order_id=orders.first() if message.about else None,
        now=now,
    )


def _record_channel_alert(*, alarm: Alarm, now: datetime, **_: Any) -> None:
    told = {
        "key": alarm.key,
        "title": alarm.title,
        "detail": alarm.detail,
        "phone_number_id": alarm.phone_number_id,
    }
    recording.record_event(
        EventType.CHANNEL_ALERT, data={"alert": told}, subject=alarm.key, now=now
    )


def _record_order_event(
    type_: EventType,
    *,
    order_id: int,
    proof_id: int | None = None,
    data: Mapping[str, Any],
    dedupe_key: str | None = None,
    now: datetime,
) -> None:
    """Record what happened to an order, with the order as it is now."""
    order = representations.represent_order(
        representations.query_represented_orders().get(pk=order_id)
    )
    recording.record_event(
        type_,
        data={"order": order.model_dump(mode="json"), **data},
        subject=order.code or f"order {order_id}",
        order_id=order_id,
        proof_id=proof_id,
        dedupe_key=dedupe_key,
        now=now,
    )


def _record_if_sold_out(raffle_id: int, *, now: datetime) -> None:
    if not availability.is_sold_out(raffle_id):
        return
    raffle = Raffle.objects.get(pk=raffle_id)
    told = {
        "id": raffle.pk,
        "title": raffle.title,
        "prize": raffle.prize,
        "sold": raffle.number_count,
        "draw_at": raffle.draw_at and raffle.draw_at.isoformat(),
    }
    recording.record_event(
        EventType.RAFFLE_SOLD_OUT,
        data={"raffle": told},
        subject=raffle.title,
        dedupe_key=f"{EventType.RAFFLE_SOLD_OUT}:{raffle_id}",
        now=now,
    )
