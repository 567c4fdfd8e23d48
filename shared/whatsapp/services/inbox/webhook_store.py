"""The one durable transaction in which everything that some webhooks say is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from django.db import transaction

from shared.core.bulk_insert import insert_new
from shared.core.enums import InboxStatus
from shared.whatsapp.models import DeliveryStatus, InboundMessage, UnreadableItem
from shared.whatsapp.services import account_notices, alarms, business_numbers
from shared.whatsapp.services.inbox import contact_matching, contacts
from shared.whatsapp.services.inbox.batch import Batch, MessageKey, StatusKey
from shared.whatsapp.services.inbox.contact_matching import Known, Resolution, Sender
from shared.whatsapp.webhook_items import MessageItem, StatusItem, UnreadablePart

_REASON_LENGTH: Final = 300


@dataclass(frozen=True, slots=True)
class Stored:
    """What a batch brought.

    Attributes:
        contact_ids: buyers who may wait for an answer now.
        statuses: how many delivery statuses wait to be applied.
        notices: how many account notices came.

    """

    contact_ids: tuple[int, ...] = ()
    statuses: int = 0
    notices: int = 0

    def __add__(self, other: "Stored") -> "Stored":
        return Stored(
            tuple(dict.fromkeys((*self.contact_ids, *other.contact_ids))),
            self.statuses + other.statuses,
            self.notices + other.notices,
        )


@transaction.atomic(durable=True)
def keep(batch: Batch, *, now: datetime) -> Stored:
    """Keep a batch; what is kept already stays as it is. Raises what the database says."""
    messages, resolution = _resolved(batch.messages)
    contacts.save(resolution.touched, now=now)
    senders = dict(zip(messages, resolution.found, strict=True))
    rows = [
        _inbound(item, senders[key], now=now, correlation_id=batch.correlation_ids[key])
        for key, item in sorted(messages.items(), key=itemgetter(0))
    ]
    insert_new(InboundMessage, rows, unique=["phone_number_id", "dedupe_key"])
    _store_statuses(batch.statuses, now=now)
    _store_unreadable(batch.unreadable, now=now)
    _note_numbers(batch, now=now)
    account_notices.store(list(batch.notices.values()), now=now)
    _alarm_about_strangers(resolution, now=now)
    answerable = (row["contact_id"] for row in rows if row["status"] == InboxStatus.RECEIVED)
    return Stored(
        contact_ids=tuple(dict.fromkeys(answerable)),
        statuses=len(batch.statuses),
        notices=len(batch.notices),
    )


type _Messages = Mapping[MessageKey, MessageItem]


def _resolved(messages: _Messages) -> tuple[_Messages, Resolution]:
    """Find who wrote each message; one that is stored already makes and changes nobody."""
    resolution = _resolution(messages)
    if not resolution.touched and None not in resolution.found:
        return messages, resolution
    repeated = set(
        InboundMessage.objects.filter(
            phone_number_id__in={number for number, _ in messages},
            dedupe_key__in={key for _, key in messages},
        ).values_list("phone_number_id", "dedupe_key")
    )
    if repeated.isdisjoint(messages):
        return messages, resolution
    new = {key: item for key, item in messages.items() if key not in repeated}
    return new, _resolution(new)


def _resolution(messages: _Messages) -> Resolution:
    if not messages:
        return Resolution(found=[], touched=[])
    return contact_matching.resolve([_sender(item) for item in messages.values()])


def _sender(item: MessageItem) -> Sender:
    return Sender(
        phone_number_id=item.phone_number_id,
        user_id=item.user_id,
        wa_id=item.wa_id,
        parent_user_id=item.parent_user_id,
        profile_name=item.profile_name,
        username=item.username,
        wrote_at=item.sent_at,
        previous_user_id=item.previous_user_id,
        new_wa_id=item.new_wa_id,
    )


def _inbound(
    item: MessageItem, known: Known | None, *, now: datetime, correlation_id: str
) -> dict[str, Any]:
    answerable = item.answerable and known is not None
    return {
        "phone_number_id": item.phone_number_id,
        "wa_message_id": item.wa_message_id,
        "dedupe_key": item.dedupe_key,
        "contact_id": known.id if known is not None else None,
        "type": item.type,
        "text": item.text,
        "payload": item.payload,
        "sent_at": item.sent_at or now,
        "received_at": now,
        "correlation_id": correlation_id,
        "status": InboxStatus.RECEIVED.value if answerable else InboxStatus.IGNORED.value,
        "attempts": 0,
        "error": "",
    }


def _store_statuses(statuses: Mapping[StatusKey, StatusItem], *, now: datetime) -> None:
    rows = [
        {
            "phone_number_id": item.phone_number_id,
            "wa_message_id": item.wa_message_id,
            "status": item.status,
            "participant": item.participant,
            "callback_data": item.callback_data,
            "occurred_at": item.occurred_at or now,
            "error_code": item.error_code,
            "error": item.error,
            "payload": item.payload,
            "received_at": now,
            "next_attempt_at": now,
        }
        for _, item in sorted(statuses.items(), key=itemgetter(0))
    ]
    insert_new(
        DeliveryStatus,
        rows,
        unique=["phone_number_id", "wa_message_id", "status", "participant"],
    )


def _store_unreadable(parts: Mapping[str, UnreadablePart], *, now: datetime) -> None:
    if not parts:
        return
    known = set(UnreadableItem.objects.filter(sha256__in=parts).values_list("sha256", flat=True))
    insert_new(
        UnreadableItem,
        [
            {
                "sha256": sha256,
                "body": part.body,
                "reason": part.reason[:_REASON_LENGTH],
                "received_at": now,
            }
            for sha256, part in sorted(parts.items(), key=itemgetter(0))
        ],
        unique=["sha256"],
    )
    if parts.keys() - known:
        alarms.sound(
            "unreadable",
            title="Meta sent something that could not be read",
            detail="It is kept, byte for byte, under unreadable items.",
            now=now,
        )


def _note_numbers(batch: Batch, *, now: datetime) -> None:
    display = {item.phone_number_id: "" for item in batch.statuses.values()}
    display.update(
        (item.phone_number_id, item.display_phone_number) for item in batch.messages.values()
    )
    display.pop("", None)
    if display:
        business_numbers.note_webhook(display, now=now)


def _alarm_about_strangers(resolution: Resolution, *, now: datetime) -> None:
    if None in resolution.found:
        alarms.sound(
            "message_without_sender",
            title="A message names no sender or no business number",
            detail="It is kept under inbound messages and cannot be answered.",
            now=now,
        )
