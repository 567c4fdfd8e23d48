"""Storage of webhooks, each batch in one durable transaction and each item once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from django.db import DataError, IntegrityError, OperationalError, transaction

from shared.core import logs
from shared.core.deadlocks import is_deadlock
from shared.core.enums import InboxStatus
from shared.core.statements.bulk_insert import insert_new_rows
from shared.core.statements.compiled_queries import CompiledQuery, IsIn
from shared.whatsapp.models import DeliveryStatus, InboundMessage, UnreadableItem
from shared.whatsapp.services import alarms, business_numbers
from shared.whatsapp.services.inbox import (
    account_notices,
    app_messages,
    contact_matching,
    contacts,
    join_suggestions,
)
from shared.whatsapp.services.inbox.batch import (
    Arrival,
    MessageKey,
    StatusKey,
    WebhookBatch,
    WebhookItem,
)
from shared.whatsapp.services.inbox.contact_matching import ContactMatches, KnownContact, Sender
from shared.whatsapp.webhook_items import MessageItem, StatusItem, UnreadablePart, Webhook

_log = logs.get_logger(__name__)

_REASON_LENGTH: Final = 300

_MAX_RACES: Final = 4
"""Races in a row before a batch counts as refused.

A contact that two gateways create at the same time is found by the second attempt, so a batch that
keeps failing contains bad data.
"""

_MAX_DEADLOCKS: Final = 20
"""Deadlocks in a row before the webhook is refused, so that Meta sends it again."""

_DATABASE_REFUSALS: Final = (DataError, IntegrityError, ValueError, TypeError, OverflowError)
"""Errors of the database or its driver about values that it never accepts."""

_STORED_MESSAGES: Final = CompiledQuery(
    lambda: (
        InboundMessage.objects.filter(
            IsIn("phone_number_id", "numbers"), IsIn("dedupe_key", "keys")
        )
        .order_by()
        .values_list("phone_number_id", "dedupe_key")
    )
)

_STORED_UNREADABLE: Final = CompiledQuery(
    lambda: (
        UnreadableItem.objects.filter(IsIn("sha256", "keys"))
        .order_by()
        .values_list("sha256", flat=True)
    )
)


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A summary of a stored batch.

    Attributes:
        contact_ids: the contacts that may be waiting for an answer.
        statuses: the number of delivery statuses to apply.
        notices: the number of account notices.

    """

    contact_ids: tuple[int, ...] = ()
    statuses: int = 0
    notices: int = 0

    def __add__(self, other: "StoredBatch") -> "StoredBatch":
        return StoredBatch(
            tuple(dict.fromkeys((*self.contact_ids, *other.contact_ids))),
            self.statuses + other.statuses,
            self.notices + other.notices,
        )


def store_webhooks_safely(
    webhooks: Sequence[Webhook], *, now: datetime, correlation_ids: Sequence[str]
) -> StoredBatch:
    """Store the items of some webhooks so that a bad item does not affect the others.

    Races and deadlocks are repeated. If the batch cannot be stored as a whole, its items are
    stored one by one, and one that fails by itself is kept as bytes, with an alarm.

    Args:
        webhooks: the parsed requests from Meta.
        now: the time of arrival.
        correlation_ids: one id for each webhook.

    Returns:
        A summary of the batch.

    Raises:
        OperationalError, InterfaceError: the database is not available, so Meta must send
            everything again.

    """
    arrivals = [Arrival(now, correlation_id) for correlation_id in correlation_ids]
    batch = WebhookBatch.from_webhooks(webhooks, arrivals)
    try:
        return _store_with_retries(batch, now=now)
    except _DATABASE_REFUSALS as error:
        _log.warning("batch_refused", error=type(error).__name__, webhooks=len(webhooks))
    stored = StoredBatch()
    for item, alone in batch.split_into_single_items():
        try:
            stored += _store_with_retries(alone, now=now)
        except _DATABASE_REFUSALS as error:
            keep_unreadable(_serialise_item(item), reason=describe_refusal(error), now=now)
    return stored


@transaction.atomic(durable=True)
def store_batch(batch: WebhookBatch, *, now: datetime) -> StoredBatch:
    """Store a batch in a transaction of its own; see `store_items`."""
    return store_items(batch, now=now)


def store_items(batch: WebhookBatch, *, now: datetime) -> StoredBatch:
    """Store the items of a batch inside the caller's transaction, in few statements of any size.

    Items that are already stored stay as they are, so a repeat changes nothing.

    Args:
        batch: the items.
        now: the current time; statuses and notices count as received now.

    Returns:
        A summary of the batch.

    Raises:
        IntegrityError: another process created the same contact first; repeat the transaction.
        DataError, TypeError, ValueError, OverflowError: the database does not accept an item.
        OperationalError: the database is not available, or there was a deadlock.

    """
    app_messages.store_echoes(list(batch.echoes.values()), now=now)
    ours, others = _split_by_business_number(batch.messages)
    ours, senders, matches = _match_new_senders(ours)
    contacts.save_contacts(matches.changed, now=now)
    join_suggestions.suggest_joins(matches.conflicts, now=now)
    found = dict(zip(ours, matches.contacts, strict=True))
    rows = [
        _build_inbound_row(item, found.get(key), batch.arrivals[key])
        for key, item in batch.messages.items()
        if key in ours or key in others
    ]
    insert_new_rows(InboundMessage, rows, unique=["phone_number_id", "dedupe_key"])
    _store_statuses(batch.statuses, now=now)
    _store_unreadable(batch.unreadable, now=now)
    _record_business_numbers(batch, now=now)
    account_notices.store_notices(list(batch.notices.values()), now=now)
    _alarm_about_unknown_senders(senders, matches, now=now)
    answerable = (row["contact_id"] for row in rows if row["status"] == InboxStatus.RECEIVED)
    return StoredBatch(
        contact_ids=tuple(dict.fromkeys(answerable)),
        statuses=len(batch.statuses),
        notices=len(batch.notices),
    )


@transaction.atomic(durable=True)
def keep_unreadable(body: bytes, *, reason: str, now: datetime) -> None:
    """Keep something that could not be read or stored, byte for byte, with an alarm."""
    part = UnreadablePart(body, reason)
    batch = WebhookBatch.from_webhooks([Webhook(unreadable=(part,))], [Arrival(now, "")])
    store_items(batch, now=now)


def describe_refusal(error: Exception) -> str:
    """Return why something was not stored; the error's own message may quote a buyer's text."""
    return f"not stored: {type(error).__name__}"


type _MessagesByKey = Mapping[MessageKey, MessageItem]


def _split_by_business_number(messages: _MessagesByKey) -> tuple[_MessagesByKey, _MessagesByKey]:
    """Return the messages to our business numbers, and those to others of the same Meta app.

    A message that names no business number counts as one to ours; it is kept without a contact.
    """
    others = {
        key: item
        for key, item in messages.items()
        if item.phone_number_id and not business_numbers.is_ours(item.phone_number_id)
    }
    return {key: item for key, item in messages.items() if key not in others}, others


def _match_new_senders(
    messages: _MessagesByKey,
) -> tuple[_MessagesByKey, Sequence[Sender], ContactMatches]:
    """Match the senders of messages that are not stored yet; others change no contact."""
    senders, matches = _match_senders(messages)
    if not matches.changed and None not in matches.contacts:
        return messages, senders, matches
    repeated = set(
        _STORED_MESSAGES.fetch(
            numbers={number for number, _ in messages}, keys=[key for _, key in messages]
        )
    )
    if repeated.isdisjoint(messages):
        return messages, senders, matches
    new = {key: item for key, item in messages.items() if key not in repeated}
    return new, *_match_senders(new)


def _match_senders(messages: _MessagesByKey) -> tuple[Sequence[Sender], ContactMatches]:
    senders = [_build_sender(item) for item in messages.values()]
    return senders, contact_matching.match_contacts(senders)


def _build_sender(item: MessageItem) -> Sender:
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


def _build_inbound_row(
    item: MessageItem, known: KnownContact | None, arrival: Arrival
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
        "sent_at": item.sent_at or arrival.received_at,
        "received_at": arrival.received_at,
        "correlation_id": arrival.correlation_id,
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
            # What concerns another business number is kept and changes nothing.
            "applied_at": None if business_numbers.is_ours(item.phone_number_id) else now,
        }
        for _, item in sorted(statuses.items(), key=itemgetter(0))
    ]
    insert_new_rows(
        DeliveryStatus,
        rows,
        unique=["phone_number_id", "wa_message_id", "status", "participant"],
    )


def _store_unreadable(parts: Mapping[str, UnreadablePart], *, now: datetime) -> None:
    if not parts:
        return
    known = set(_STORED_UNREADABLE.fetch(keys=parts))
    insert_new_rows(
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
        alarms.sound_alarm(
            "unreadable",
            title="Meta sent something that could not be read",
            detail="It is kept, byte for byte, under unreadable items.",
            now=now,
        )


def _record_business_numbers(batch: WebhookBatch, *, now: datetime) -> None:
    display = {item.phone_number_id: "" for item in batch.statuses.values()}
    display.update(
        (item.phone_number_id, item.display_phone_number) for item in batch.echoes.values()
    )
    display.update(
        (item.phone_number_id, item.display_phone_number) for item in batch.messages.values()
    )
    display.pop("", None)
    if display:
        waba_ids = {item.phone_number_id: item.waba_id for item in batch.statuses.values()}
        waba_ids |= {item.phone_number_id: item.waba_id for item in batch.echoes.values()}
        waba_ids |= {item.phone_number_id: item.waba_id for item in batch.messages.values()}
        business_numbers.record_webhook(display, now=now, waba_ids=waba_ids)


def _alarm_about_unknown_senders(
    senders: Sequence[Sender], matches: ContactMatches, *, now: datetime
) -> None:
    if any(
        known is None and not sender.has_key
        for sender, known in zip(senders, matches.contacts, strict=True)
    ):
        alarms.sound_alarm(
            "message_without_sender",
            title="A message names no sender or no business number",
            detail="It is kept under inbound messages and cannot be answered.",
            now=now,
        )


def _store_with_retries(batch: WebhookBatch, *, now: datetime) -> StoredBatch:
    races = collisions = 0
    while True:
        try:
            return store_batch(batch, now=now)
        except IntegrityError:
            races += 1
            if races >= _MAX_RACES:
                raise
        except OperationalError as error:
            collisions += 1
            if collisions >= _MAX_DEADLOCKS or not is_deadlock(error):
                raise


def _serialise_item(item: WebhookItem) -> bytes:
    if isinstance(item, UnreadablePart):
        return item.body
    return json.dumps(asdict(item), default=str, sort_keys=True).encode()
