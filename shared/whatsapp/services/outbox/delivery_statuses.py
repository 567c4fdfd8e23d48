"""Delivery statuses of messages, applied in any order and never backwards."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from shared.core.enums import MessageDeliveryStatus, OutboxKind, OutboxStatus
from shared.core.statements.compiled_queries import CompiledQuery
from shared.whatsapp.graph_errors import FailureReaction, Judgement, judge_send_error
from shared.whatsapp.json_reader import read_integer, read_items, read_mapping
from shared.whatsapp.models import DeliveryStatus, OutboundMessage, WhatsAppContact
from shared.whatsapp.services import business_numbers
from shared.whatsapp.services.inbox import contacts, recipient_ids
from shared.whatsapp.services.outbox import (
    failure_reports,
    lost_answers,
    message_status,
    outbox_statements,
)

UNMATCHED_STATUSES_KEPT_FOR: Final = timedelta(days=8)
"""Meta repeats webhooks for seven days; a status without a message after that is not ours."""

_DELIVERY_RANK: Final[Mapping[str, int]] = {
    value: rank for rank, value in enumerate(("", *MessageDeliveryStatus))
}
_ARRIVED_DELIVERIES: Final = frozenset(
    {MessageDeliveryStatus.DELIVERED, MessageDeliveryStatus.READ, MessageDeliveryStatus.PLAYED}
)
_MIN_WAIT_FOR_MESSAGE: Final = timedelta(seconds=5)


def apply_statuses(*, now: datetime, limit: int) -> int:
    """Apply new statuses to their messages.

    A status whose message is not known so far is tried again after increasing waits, and dropped
    after eight days.

    Args:
        now: the current time.
        limit: the largest number of statuses; call again while that many are returned.

    Returns:
        The number of statuses that were read.

    """
    if not outbox_statements.FIRST_NEW_STATUS.fetch(now=now):
        return 0
    with transaction.atomic():
        statuses = outbox_statements.get_new_statuses_query(limit).fetch(now=now)
        _apply(statuses, now=now)
    return len(statuses)


def _apply(statuses: Sequence[DeliveryStatus], *, now: datetime) -> None:
    matches = _match_messages(statuses)
    _postpone_unmatched([status for status in statuses if status.pk not in matches], now=now)
    matched = [(status, matches[status.pk]) for status in statuses if status.pk in matches]
    new_user_ids = recipient_ids.find_new_user_ids(
        (match.contact_id, status.payload) for status, match in matched
    )
    failed = {match.contact_id for status, match in matched if _is_failed(status)}
    buyers = {
        contact_id: contacts.lock_contact(contact_id)
        for contact_id in sorted(failed | new_user_ids.keys())
    }
    for contact_id, user_id in sorted(new_user_ids.items()):
        recipient_ids.learn_user_id(buyers[contact_id], user_id, now=now)
    messages = _lock_messages({match.message_id for _, match in matched})
    matched = [(status, match) for status, match in matched if match.message_id in messages]
    before = {pk: _collect_saved_fields(message) for pk, message in messages.items()}
    new_failures: list[_DeliveryFailure] = []
    for status, match in matched:
        message = messages[match.message_id]
        if _is_failed(status):
            # By the contact it had before the locks; if that was joined since, the other is locked.
            new_failures += _record_delivery_failure(
                message, status, buyer=buyers[match.contact_id]
            )
        else:
            _advance_delivery(message, status)
    changed = [
        message for pk, message in messages.items() if _collect_saved_fields(message) != before[pk]
    ]
    _save_changed_messages(changed, before)
    outbox_statements.MARK_APPLIED.run(ids=matches, now=now)
    for failure in new_failures:
        was_given_up = before[failure.message.pk]["status"] == OutboxStatus.FAILED
        if not was_given_up and failure.message.delivery not in _ARRIVED_DELIVERIES:
            failure_reports.announce_failure(failure.message, now=now)
        _alarm_about_failure(failure, now=now)
    for message in filter(lost_answers.is_lost_answer, changed):
        lost_answers.report_lost_answer(message, now=now)


@dataclass(frozen=True, slots=True)
class _StatusMatch:
    message_id: int
    contact_id: int


@dataclass(frozen=True, slots=True)
class _DeliveryFailure:
    """A message that Meta accepted and could not deliver."""

    message: OutboundMessage
    judgement: Judgement


def _match_messages(statuses: Sequence[DeliveryStatus]) -> dict[int, _StatusMatch]:
    """Return the message of each status, by its callback data or else by Meta's id."""
    ours = {status.pk: uuid for status in statuses if (uuid := _parse_uuid(status.callback_data))}
    by_uuid = {
        uuid: _StatusMatch(pk, contact_id)
        for uuid, pk, contact_id in _load_message_keys(
            outbox_statements.MESSAGES_BY_CALLBACK_DATA, set(ours.values())
        )
    }
    found = {pk: by_uuid[uuid] for pk, uuid in ours.items() if uuid in by_uuid}
    others = {status.pk: status.wa_message_id for status in statuses if status.pk not in found}
    by_wamid = {
        wamid: _StatusMatch(pk, contact_id)
        for wamid, pk, contact_id in _load_message_keys(
            outbox_statements.MESSAGES_BY_WAMID, set(others.values()) - {""}
        )
    }
    return found | {pk: by_wamid[wamid] for pk, wamid in others.items() if wamid in by_wamid}


def _load_message_keys(
    query: CompiledQuery[tuple[Any, int, int]], values: Collection[Any]
) -> Iterable[tuple[Any, int, int]]:
    return query.fetch(values=values) if values else ()


def _parse_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _lock_messages(ids: Collection[int]) -> dict[int, OutboundMessage]:
    return {message.pk: message for message in outbox_statements.LOCK_MESSAGES.fetch(ids=ids)}


def _postpone_unmatched(orphans: Sequence[DeliveryStatus], *, now: datetime) -> None:
    for orphan in orphans:
        age = now - orphan.received_at
        if age >= UNMATCHED_STATUSES_KEPT_FOR:
            orphan.applied_at = now
        orphan.next_attempt_at = now + max(age, _MIN_WAIT_FOR_MESSAGE)
    if orphans:
        DeliveryStatus.objects.bulk_update(orphans, ["applied_at", "next_attempt_at"])


def _is_failed(status: DeliveryStatus) -> bool:
    return status.status == MessageDeliveryStatus.FAILED


def _advance_delivery(message: OutboundMessage, status: DeliveryStatus) -> None:
    """Advance the delivery of a message; an earlier status changes nothing."""
    if status.status not in _DELIVERY_RANK:
        return
    arrived = status.status in _ARRIVED_DELIVERIES
    if arrived or (_may_be_under_way(message) and message.delivery != MessageDeliveryStatus.FAILED):
        _mark_accepted(message, status)
    if message.status != OutboxStatus.SENT:
        return  # it will be sent again, so the status of an earlier copy means nothing
    if _DELIVERY_RANK[status.status] > _DELIVERY_RANK.get(message.delivery, 0):
        message.delivery = status.status
    if arrived:
        message.error, message.error_code = "", None


def _record_delivery_failure(
    message: OutboundMessage, status: DeliveryStatus, *, buyer: WhatsAppContact
) -> list[_DeliveryFailure]:
    """Record that Meta could not deliver a message, unless it arrived or has another copy.

    A message that became untrue meanwhile is missed by nobody.
    """
    is_another_copy = message.wa_message_id not in {"", status.wa_message_id}
    if is_another_copy or message.delivery in _ARRIVED_DELIVERIES:
        return []
    judgement = judge_send_error(
        code=status.error_code, subcode=_read_subcode(status), http_status=None
    )
    if _may_be_under_way(message):
        _mark_accepted(message, status)
    message.delivery = message.delivery or MessageDeliveryStatus.FAILED
    if message_status.is_superseded(message):
        message_status.settle_superseded(message)
        return []
    message.error_code = status.error_code
    message.error = failure_reports.describe_failure(judgement, status.error)
    if judgement.reaction is FailureReaction.OUTSIDE_WINDOW:
        _withhold_outside_window(message, buyer=buyer)
        return []
    return [_DeliveryFailure(message, judgement)]


def _read_subcode(status: DeliveryStatus) -> int | None:
    error = read_mapping(next(iter(read_items(status.payload.get("errors"))), None))
    return read_integer(error.get("error_subcode"))


def _may_be_under_way(message: OutboundMessage) -> bool:
    """Return whether the message was sent, but Meta's answer is not recorded."""
    if message.status == OutboxStatus.SENT:
        return False
    return message.status == OutboxStatus.SENDING or message.unknown_sends > 0


def _mark_accepted(message: OutboundMessage, status: DeliveryStatus) -> None:
    if message.status == OutboxStatus.SENT:
        return
    message.status = OutboxStatus.SENT
    message.wa_message_id = status.wa_message_id
    message.sent_at = message.sent_at or status.occurred_at
    message.lease = message.lease_until = message.next_attempt_at = None


def _withhold_outside_window(message: OutboundMessage, *, buyer: WhatsAppContact) -> None:
    wrote_at, sent_at = buyer.last_inbound_at, message.sent_at
    message_status.withhold_message(message)
    if message.status == OutboxStatus.WITHHELD and wrote_at and sent_at and wrote_at > sent_at:
        message_status.reset_to_queued(message)


def _collect_saved_fields(message: OutboundMessage) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message_status.UNTRIED_FIELDS}


def _save_changed_messages(
    changed: Sequence[OutboundMessage], before: Mapping[int, Mapping[str, Any]]
) -> None:
    """Save changed messages; those whose delivery alone changed are saved together."""
    ids_by_delivery: dict[str, list[int]] = defaultdict(list)
    others: list[dict[str, Any]] = []
    for message in changed:
        after = _collect_saved_fields(message)
        if {**before[message.pk], "delivery": message.delivery} == after:
            ids_by_delivery[message.delivery].append(message.pk)
        else:
            others.append({"id": message.pk, **after})
    outbox_statements.SAVE_MESSAGE.run_many(others)
    for delivery, ids in sorted(ids_by_delivery.items()):
        outbox_statements.SET_DELIVERY.run(ids=ids, delivery=delivery)


def _alarm_about_failure(failure: _DeliveryFailure, *, now: datetime) -> None:
    message, judgement = failure.message, failure.judgement
    if judgement.reaction is FailureReaction.PAUSE:
        business_numbers.pause_sending(
            message.phone_number_id, code=message.error_code, reason=message.error, now=now
        )
    if judgement.alarm or message.kind == OutboxKind.NOTICE:
        failure_reports.sound_failure_alarm(message, now=now)
