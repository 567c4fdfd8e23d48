"""Recording and sequencing of the events that other systems receive.

Receivers of the domain's signals record an event in the transaction of the change, so a change and
its event are committed or rolled back together. An event describes its subject as it is after the
change. A hold has no events until it is placed: none when it is made, cancelled or expires.

The gateway sequences events once they are committed and sends them; see
`gateway.workers.events`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.dispatch import receiver

from shared.core.enums import EventType, LedgerKind, OrderAction, OrderStatus, RaffleAction
from shared.events.models import Event
from shared.events.services import feed
from shared.publishing import draw_recorder, representations
from shared.raffles.actor import Actor
from shared.raffles.models import LedgerEntry, Order, PaymentProof, Raffle, RaffleEvent
from shared.raffles.services import availability
from shared.raffles.services.payment_proofs import proof_queries
from shared.raffles.signals import order_changed, proof_kept, raffle_changed
from shared.whatsapp.models import Alarm, OutboundMessage, WhatsAppContact
from shared.whatsapp.signals import alarm_sounded, message_failed, person_wanted

EVENT_TYPES_BY_ACTION: Final[Mapping[OrderAction, EventType | None]] = {
    OrderAction.HELD: None,
    OrderAction.PLACED: EventType.ORDER_CREATED,
    OrderAction.PROOF_RECEIVED: None,  # `proof_kept` follows once the file is stored
    OrderAction.PROOF_REJECTED: EventType.ORDER_REJECTED,
    OrderAction.PROOF_MOVED: None,  # `proof_kept` follows for the order that it was moved to
    OrderAction.PROOF_DISMISSED: None,
    OrderAction.PAID: EventType.ORDER_PAID,
    OrderAction.CANCELLED: EventType.ORDER_CANCELLED,
    OrderAction.EXPIRED: EventType.ORDER_EXPIRED,
    OrderAction.NUMBERS_TAKEN_BACK: EventType.ORDER_CREATED,
    OrderAction.NUMBERS_REPLACED: None,  # PAID follows
    OrderAction.ASKED_AGAIN: None,
    OrderAction.LATE_PAYMENT: EventType.ORDER_LATE_PAYMENT,
    OrderAction.REFUND_NOTED: None,
    OrderAction.UNCONFIRMED: EventType.ORDER_UNCONFIRMED,
    OrderAction.REFUNDED: EventType.ORDER_REFUNDED,
    OrderAction.CONTACT_CHANGED: None,
    OrderAction.REVIEW_ENDED: None,
    OrderAction.TIME_EXTENDED: None,
    OrderAction.NOTE_ADDED: None,
    OrderAction.TIME_GIVEN: None,
    OrderAction.ERASED: None,
}
"""The event of each action; None if other systems need none, or if another change follows."""

EVENT_TYPES_BY_RAFFLE_ACTION: Final[Mapping[RaffleAction, EventType | None]] = {
    RaffleAction.OPENED: None,
    RaffleAction.PAUSED: None,
    RaffleAction.CLOSED: None,
    RaffleAction.DRAW_MOVED: EventType.RAFFLE_DRAW_MOVED,
    RaffleAction.CALLED_OFF: EventType.RAFFLE_CALLED_OFF,
    RaffleAction.SEALED: EventType.RAFFLE_SEALED,
    RaffleAction.DRAWN: EventType.RAFFLE_DRAWN,
    RaffleAction.RULES_FROZEN: None,
    RaffleAction.VALUE_ENTERED: None,
    RaffleAction.VALUE_CONFIRMED: None,
    RaffleAction.VOID_PROPOSED: None,
    RaffleAction.VALUE_VOIDED: None,
    RaffleAction.REDRAWN: EventType.RAFFLE_DRAWN,
    RaffleAction.WINNER_CONFIRMED: EventType.WINNER_CONFIRMED,
    RaffleAction.RESULTS_TOLD: None,
    RaffleAction.PRIZE_CLAIMED: EventType.PRIZE_CLAIMED,
}
"""The event of each action of a raffle; None if other systems need none."""


@receiver(order_changed)
def record_order_change(
    *, order: Order, action: OrderAction, by: Actor, reason: str, now: datetime, **_: Any
) -> None:
    """Record the event of a change of an order, if that change has one."""
    type_ = _choose_event_type(order, action)
    if type_ is None:
        return
    _record_order_event(
        type_,
        order=order,
        details={
            "reason": reason,
            "by": _describe_actor(by),
            "proof": None,
        },
        dedupe_key=f"{type_}:{order.pk}" if type_ is EventType.ORDER_CREATED else None,
        now=now,
    )


@receiver(order_changed)
def record_sell_out(*, order: Order, action: OrderAction, now: datetime, **_: Any) -> None:
    """Record `raffle.sold_out` if this payment sold the last number of the raffle."""
    if action == OrderAction.PAID:
        _record_if_sold_out(order.raffle_id, now=now)


@receiver(raffle_changed)
def record_raffle_change(
    *, raffle: Raffle, event: RaffleEvent, by: Actor, now: datetime, **_: Any
) -> None:
    """Record the event of a change of a raffle, if that change has one."""
    action = RaffleAction(event.action)
    type_ = EVENT_TYPES_BY_RAFFLE_ACTION[action]
    if type_ is None:
        return
    described = {
        "raffle": {
            "id": raffle.pk,
            "title": raffle.title,
            "prize": raffle.prize,
            "status": raffle.status,
            "draw_at": _format_moment(raffle.draw_at),
            "draw_when_sold_out": raffle.draw_when_sold_out,
        },
        "by": _describe_actor(by),
    }
    if action not in (RaffleAction.DRAW_MOVED, RaffleAction.CALLED_OFF):
        draw_recorder.record_draw_event(
            action, type_=type_, raffle=raffle, described=described, now=now
        )
        return
    draw_data = {
        "before": _format_moment(event.draw_before),
        "after": _format_moment(event.draw_after),
    }
    feed.record_event(
        type_,
        data={
            **described,
            "draw": draw_data if action is RaffleAction.DRAW_MOVED else None,
            "reason": event.reason,
        },
        subject=raffle.title,
        now=now,
    )


@receiver(proof_kept)
def record_proof_received(*, proof: PaymentProof, order: Order, now: datetime, **_: Any) -> None:
    """Record `order.proof_received`, with another order that has the same file, if any."""
    identical_proofs = proof_queries.find_identical_proofs(proof)
    proof_data = {
        "id": proof.pk,
        "content_type": proof.content_type,
        "sha256": proof.sha256,
        "duplicate_of": str(identical_proofs[0].order) if identical_proofs else None,
    }
    _record_order_event(
        EventType.ORDER_PROOF_RECEIVED,
        order=order,
        proof_id=proof.pk,
        details={"reason": "", "by": None, "proof": proof_data},
        now=now,
    )


@receiver(message_failed)
def record_message_failure(*, message: OutboundMessage, now: datetime, **_: Any) -> None:
    """Record `message.failed`; the text of the message is not part of the event."""
    message_data = {
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
    feed.record_event(
        EventType.MESSAGE_FAILED,
        data={"message": message_data},
        subject=message.about,
        order_id=orders.first() if message.about else None,
        now=now,
    )


@receiver(person_wanted)
def record_wanted_person(*, contact: WhatsAppContact, now: datetime, **_: Any) -> None:
    """Record `contact.wants_person`; what the buyer wrote is not part of the event."""
    contact_data = {
        "id": contact.pk,
        "buyer": representations.represent_contact(contact).model_dump(mode="json"),
        "waiting_since": _format_moment(contact.wants_person_at),
    }
    feed.record_event(EventType.CONTACT_WANTS_PERSON, data={"contact": contact_data}, now=now)


@receiver(alarm_sounded)
def record_channel_alert(*, alarm: Alarm, now: datetime, **_: Any) -> None:
    """Record `channel.alert`."""
    alert_data = {
        "key": alarm.key,
        "title": alarm.title,
        "detail": alarm.detail,
        "phone_number_id": alarm.phone_number_id,
    }
    feed.record_event(
        EventType.CHANNEL_ALERT, data={"alert": alert_data}, subject=alarm.key, now=now
    )


def sequence_events(*, now: datetime, limit: int = 500) -> list[Event]:
    """Assign sequence numbers to committed events and queue their deliveries.

    If the last two orders of a raffle are paid at the same moment, neither transaction sees the
    other's numbers as sold. Raffles with a newly paid order are therefore checked again here; a
    `raffle.sold_out` recorded this way gets its sequence number with the next call.

    Opens its own transaction, or none if there are no new events.

    Args:
        now: when the deliveries are due.
        limit: the largest number of events; call again while that many are returned.

    Returns:
        The events that got a sequence number, in that order.

    """
    if not feed.has_new_events():
        return []
    with transaction.atomic(durable=True):
        events = feed.assign_sequence_numbers(now=now, limit=limit)
        for raffle_id in _list_raffles_with_sales(events):
            _record_if_sold_out(raffle_id, now=now)
    return events


def _choose_event_type(order: Order, action: OrderAction) -> EventType | None:
    match action:
        case OrderAction.CANCELLED | OrderAction.EXPIRED if order.placed_at is None:
            return None  # it was a hold
        case OrderAction.NUMBERS_TAKEN_BACK if order.status != OrderStatus.PENDING_PAYMENT:
            return None  # PAID follows
        case _:
            return EVENT_TYPES_BY_ACTION[action]


def _record_order_event(
    type_: EventType,
    *,
    order: Order,
    proof_id: int | None = None,
    details: Mapping[str, Any],
    dedupe_key: str | None = None,
    now: datetime,
) -> None:
    represented = representations.represent_locked_order(order)
    feed.record_event(
        type_,
        data={"order": represented.model_dump(mode="json"), **details},
        subject=order.code or f"order {order.pk}",
        order_id=order.pk,
        proof_id=proof_id,
        dedupe_key=dedupe_key,
        now=now,
    )


def _record_if_sold_out(raffle_id: int, *, now: datetime) -> None:
    """Record `raffle.sold_out`, once per time that the last number was sold."""
    if not availability.is_sold_out(raffle_id):
        return
    dedupe_key = _build_sold_out_key(raffle_id)
    if not availability.is_sold_out(raffle_id):  # a reversal that the key counts came in between
        return
    raffle = Raffle.objects.get(pk=raffle_id)
    raffle_data = {
        "id": raffle.pk,
        "title": raffle.title,
        "prize": raffle.prize,
        "sold": raffle.number_count,
        "draw_at": _format_moment(raffle.draw_at),
    }
    feed.record_event(
        EventType.RAFFLE_SOLD_OUT,
        data={"raffle": raffle_data},
        subject=raffle.title,
        dedupe_key=dedupe_key,
        now=now,
    )


def _build_sold_out_key(raffle_id: int) -> str:
    """Return the key of the present sell-out of a raffle.

    A raffle can sell out again only after an undo or a refund freed some of its numbers, so the
    sell-outs are told apart by the count of those. After the sealing a refund frees no number and
    its order stays paid.
    """
    reversals = LedgerEntry.objects.filter(
        Q(kind=LedgerKind.UNDONE)
        | Q(kind=LedgerKind.REFUNDED, order__status=OrderStatus.CANCELLED),
        raffle_id=raffle_id,
    ).count()
    key = f"{EventType.RAFFLE_SOLD_OUT}:{raffle_id}"
    return f"{key}:{reversals}" if reversals else key


def _describe_actor(by: Actor) -> dict[str, str]:
    return {"kind": by.kind.lower(), "label": by.label}


def _format_moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _list_raffles_with_sales(events: Sequence[Event]) -> list[int]:
    paid = (event.data["order"] for event in events if event.type == EventType.ORDER_PAID)
    return sorted({order["raffle"]["id"] for order in paid})
