"""Keeps what Meta says, once and durably, and tells which buyers wait for an answer."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DataError, IntegrityError, OperationalError, transaction
from django.db.models import Q

from shared.core import logs
from shared.core.enums import InboxStatus
from shared.whatsapp.models import DeliveryStatus, InboundMessage, UnreadableItem
from shared.whatsapp.payloads import MessageItem, NoticeItem, StatusItem, UnreadablePart, Webhook
from shared.whatsapp.services import alarms, contacts, notices, numbers
from shared.whatsapp.services.collisions import is_collision
from shared.whatsapp.services.contacts import Known, Sender

_log = logs.get(__name__)

_RACES: Final = 4
"""A new contact that two gateways make at once is found at the second try; beyond, it is data."""

_COLLISIONS: Final = 20
"""Deadlocks in a row before the webhook goes back to Meta; one in a thousand meets even one."""

_REFUSED: Final = (DataError, IntegrityError, ValueError, TypeError, OverflowError)
"""What the database or its driver says of a value it will never take."""

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


@dataclass(frozen=True, slots=True)
class _Batch:
    """Webhooks taken apart, each item once, by the key that makes it the same."""

    messages: Mapping[tuple[str, str], MessageItem] = field(default_factory=dict)
    correlation_ids: Mapping[tuple[str, str], str] = field(default_factory=dict)
    statuses: Mapping[tuple[str, str, str, str], StatusItem] = field(default_factory=dict)
    notices: Mapping[str, NoticeItem] = field(default_factory=dict)
    unreadable: Mapping[str, UnreadablePart] = field(default_factory=dict)

    @classmethod
    def of(cls, webhooks: Sequence[Webhook], correlation_ids: Sequence[str]) -> "_Batch":
        messages: dict[tuple[str, str], MessageItem] = {}
        traces: dict[tuple[str, str], str] = {}
        statuses: dict[tuple[str, str, str, str], StatusItem] = {}
        found: dict[str, NoticeItem] = {}
        unreadable: dict[str, UnreadablePart] = {}
        for webhook, trace in zip(webhooks, correlation_ids, strict=True):
            for message in webhook.messages:
                key = (message.phone_number_id, message.dedupe_key)
                if key not in messages:
                    messages[key] = message
                    traces[key] = trace
            for status in webhook.statuses:
                statuses.setdefault(_status_key(status), status)
            for notice in webhook.notices:
                found.setdefault(notice.dedupe_key, notice)
            for part in webhook.unreadable:
                unreadable.setdefault(hashlib.sha256(part.body).hexdigest(), part)
        return cls(messages, traces, statuses, found, unreadable)

    def one_by_one(self) -> Iterable[tuple[Any, "_Batch"]]:
        for key, message in self.messages.items():
            yield message, _Batch({key: message}, {key: self.correlation_ids[key]})
        for status_key, status in self.statuses.items():
            yield status, _Batch(statuses={status_key: status})
        for notice_key, notice in self.notices.items():
            yield notice, _Batch(notices={notice_key: notice})
        for sha256, part in self.unreadable.items():
            yield part, _Batch(unreadable={sha256: part})


def store(webhooks: Sequence[Webhook], *, now: datetime, correlation_ids: Sequence[str]) -> Stored:
    """Store everything that some webhooks say, in one durable transaction.

    What is stored already stays as it is: a repeat changes nothing.

    Args:
        webhooks: what was read from the requests of Meta.
        now: when they arrived.
        correlation_ids: one for each webhook; the logs of its answer will carry it.

    Raises:
        IntegrityError: another process made the same contact first; call it again.
        DataError: an item that the database does not take; see `store_safely`.
        OperationalError: the database is away, or the transaction met another (a deadlock).

    """
    return _store(_Batch.of(webhooks, correlation_ids), now=now)


def store_safely(
    webhooks: Sequence[Webhook], *, now: datetime, correlation_ids: Sequence[str]
) -> Stored:
    """Do the same, so that one bad item does not hold up the others, and none is lost.

    A race or a deadlock is tried again. If the batch cannot be stored as a whole, its items are
    stored one by one, and one that fails alone is kept as bytes with an alarm.

    Raises:
        OperationalError: the database is away; Meta must send everything again.
        InterfaceError: the same.

    """
    batch = _Batch.of(webhooks, correlation_ids)
    try:
        return _persist(batch, now=now)
    except _REFUSED as error:
        _log.warning("batch_refused", error=type(error).__name__, webhooks=len(webhooks))
    stored = Stored()
    for item, alone in batch.one_by_one():
        try:
            stored += _persist(alone, now=now)
        except _REFUSED as error:
            _keep_bytes(item, reason=f"not stored: {type(error).__name__}", now=now)
    return stored


def waiting(*, now: datetime, limit: int) -> list[int]:
    """Find buyers with messages to answer, whoever waits longest first, by contact id."""
    due = InboundMessage.objects.filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=now),
        status=InboxStatus.RECEIVED,
        contact__isnull=False,
    ).order_by("received_at", "id")
    # A buyer may have written several times: look a little further than the limit.
    found = due.values_list("contact_id", flat=True)[: 4 * limit]
    return [pk for pk in dict.fromkeys(found) if pk is not None][:limit]


def unanswered(contact_id: int) -> list[InboundMessage]:
    """Give a buyer's messages to answer, in the order they were written."""
    return list(
        InboundMessage.objects.filter(contact_id=contact_id, status=InboxStatus.RECEIVED).order_by(
            "sent_at", "id"
        )
    )


def oldest_unanswered(*, now: datetime) -> timedelta | None:
    """Tell for how long the longest waiting message has been here; None if none waits."""
    oldest = (
        InboundMessage.objects.filter(status=InboxStatus.RECEIVED)
        .order_by("received_at")
        .values_list("received_at", flat=True)
        .first()
    )
    return None if oldest is None else now - oldest


def _persist(batch: _Batch, *, now: datetime) -> Stored:
    races = collisions = 0
    while True:
        try:
            return _store(batch, now=now)
        except IntegrityError:
            races += 1
            if races >= _RACES:
                raise
        except OperationalError as error:
            collisions += 1
            if collisions >= _COLLISIONS or not is_collision(error):
                raise


@transaction.atomic(durable=True)
def _store(batch: _Batch, *, now: datetime) -> Stored:
    messages, senders = _resolved(batch.messages)
    contacts.save([known for known in senders.values() if known is not None], now=now)
    rows = [
        _inbound(item, senders[key], now=now, correlation_id=batch.correlation_ids[key])
        for key, item in sorted(messages.items())
    ]
    InboundMessage.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["phone_number_id", "dedupe_key"],
        update_fields=["dedupe_key"],
    )
    _store_statuses(batch.statuses, now=now)
    _store_unreadable(batch.unreadable, now=now)
    _note_numbers(batch, now=now)
    notices.store(list(batch.notices.values()), now=now)
    _alarm_about_strangers(messages, senders, now=now)
    answerable = (row.contact_id for row in rows if row.status == InboxStatus.RECEIVED)
    return Stored(
        contact_ids=tuple(pk for pk in dict.fromkeys(answerable) if pk is not None),
        statuses=len(batch.statuses),
        notices=len(batch.notices),
    )


type _Messages = Mapping[tuple[str, str], MessageItem]
type _Senders = Mapping[tuple[str, str], Known | None]


def _resolved(messages: _Messages) -> tuple[_Messages, _Senders]:
    """Find who wrote each message; one that is stored already makes and changes nobody."""
    senders = _senders(messages)
    doubtful = {key for key, known in senders.items() if known is None or known.is_touched}
    if not doubtful:
        return messages, senders
    repeated = doubtful & set(
        InboundMessage.objects.filter(
            phone_number_id__in={number for number, _ in doubtful},
            dedupe_key__in={key for _, key in doubtful},
        ).values_list("phone_number_id", "dedupe_key")
    )
    if not repeated:
        return messages, senders
    new = {key: item for key, item in messages.items() if key not in repeated}
    return new, _senders(new)


def _senders(messages: _Messages) -> _Senders:
    if not messages:
        return {}
    known = contacts.resolve([_sender(item) for item in messages.values()])
    return dict(zip(messages, known, strict=True))


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
) -> InboundMessage:
    answerable = item.answerable and known is not None
    return InboundMessage(
        phone_number_id=item.phone_number_id,
        wa_message_id=item.wa_message_id,
        dedupe_key=item.dedupe_key,
        contact_id=known.id if known is not None else None,
        type=item.type,
        text=item.text,
        payload=item.payload,
        sent_at=item.sent_at or now,
        received_at=now,
        correlation_id=correlation_id,
        status=InboxStatus.RECEIVED if answerable else InboxStatus.IGNORED,
    )


def _status_key(item: StatusItem) -> tuple[str, str, str, str]:
    return (item.phone_number_id, item.wa_message_id, item.status, item.participant)


def _store_statuses(
    statuses: Mapping[tuple[str, str, str, str], StatusItem], *, now: datetime
) -> None:
    DeliveryStatus.objects.bulk_create(
        [
            DeliveryStatus(
                phone_number_id=item.phone_number_id,
                wa_message_id=item.wa_message_id,
                status=item.status,
                participant=item.participant,
                callback_data=item.callback_data,
                occurred_at=item.occurred_at or now,
                error_code=item.error_code,
                error=item.error,
                payload=item.payload,
                received_at=now,
                next_attempt_at=now,
            )
            for _, item in sorted(statuses.items(), key=lambda pair: pair[0])
        ],
        update_conflicts=True,
        unique_fields=["phone_number_id", "wa_message_id", "status", "participant"],
        update_fields=["status"],
    )


def _store_unreadable(parts: Mapping[str, UnreadablePart], *, now: datetime) -> None:
    if not parts:
        return
    known = set(UnreadableItem.objects.filter(sha256__in=parts).values_list("sha256", flat=True))
    UnreadableItem.objects.bulk_create(
        [
            UnreadableItem(
                sha256=sha256,
                body=part.body,
                reason=part.reason[:_REASON_LENGTH],
                received_at=now,
            )
            for sha256, part in sorted(parts.items(), key=lambda pair: pair[0])
        ],
        update_conflicts=True,
        unique_fields=["sha256"],
        update_fields=["sha256"],
    )
    if parts.keys() - known:
        alarms.sound(
            "unreadable",
            title="Meta sent something that could not be read",
            detail="It is kept, byte for byte, under unreadable items.",
            now=now,
        )


def _note_numbers(batch: _Batch, *, now: datetime) -> None:
    display = {item.phone_number_id: "" for item in batch.statuses.values()}
    display.update(
        (item.phone_number_id, item.display_phone_number) for item in batch.messages.values()
    )
    display.pop("", None)
    if display:
        numbers.note_webhook(display, now=now)


def _alarm_about_strangers(messages: _Messages, senders: _Senders, *, now: datetime) -> None:
    if any(senders[key] is None for key in messages):
        alarms.sound(
            "message_without_sender",
            title="A message names no sender or no business number",
            detail="It is kept under inbound messages and cannot be answered.",
            now=now,
        )


@transaction.atomic(durable=True)
def _keep_bytes(item: Any, *, reason: str, now: datetime) -> None:
    body = item.body if isinstance(item, UnreadablePart) else _as_bytes(item)
    part = UnreadablePart(body=body, reason=reason)
    _store_unreadable({hashlib.sha256(body).hexdigest(): part}, now=now)


def _as_bytes(item: MessageItem | StatusItem | NoticeItem) -> bytes:
    return json.dumps(asdict(item), default=str, sort_keys=True).encode()
