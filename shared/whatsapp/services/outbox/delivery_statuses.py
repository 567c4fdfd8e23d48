"""What status webhooks say of our messages: only ever a step further, in whatever order."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from shared.core.enums import Delivery, OutboxKind, OutboxStatus
from shared.whatsapp.graph_errors import Judgement, Reaction, judge
from shared.whatsapp.models import DeliveryStatus, OutboundMessage, WhatsAppContact
from shared.whatsapp.services import business_numbers
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.outbox import failures, send_results

KEEP_ORPHANS: Final = timedelta(days=8)
"""Meta repeats webhooks for seven days; a message that is unknown after that is not ours."""

_RANK: Final[Mapping[str, int]] = {value: rank for rank, value in enumerate(("", *Delivery))}
_ARRIVED: Final = frozenset({Delivery.DELIVERED, Delivery.READ, Delivery.PLAYED})
_LOOK_AGAIN_SOONEST: Final = timedelta(seconds=5)


def apply_statuses(*, now: datetime, limit: int) -> int:
    """Apply statuses that wait to the messages they are about.

    One whose message is not known (yet) is looked at again, after ever longer waits, and given up
    after eight days.

    Args:
        now: the time.
        limit: how many at most; call again while that many are returned.

    Returns:
        How many were looked at.

    """
    waiting = DeliveryStatus.objects.filter(applied_at=None, next_attempt_at__lte=now)
    if not waiting.exists():
        return 0
    with transaction.atomic():
        return _apply(waiting.order_by("next_attempt_at", "pk")[:limit], now=now)


def _apply(waiting: QuerySet[DeliveryStatus], *, now: datetime) -> int:
    # Gateways share the work: what another is applying just now is skipped.
    statuses = list(waiting.select_for_update(skip_locked=True, no_key=True))
    matches = _matches(statuses)
    _look_again([status for status in statuses if status.pk not in matches], now=now)
    known = [(status, matches[status.pk]) for status in statuses if status.pk in matches]
    failed = {found.contact_id for status, found in known if _is_failed(status)}
    buyers = {contact_id: contacts.lock(contact_id) for contact_id in sorted(failed)}
    messages = _locked({found.message_id for _, found in known})
    before = {pk: _written(message) for pk, message in messages.items()}
    bad_news: list[_BadNews] = []
    for status, found in known:
        message = messages[found.message_id]
        if _is_failed(status):
            bad_news += _fail(message, status, buyer=buyers[message.contact_id])
        else:
            _advance(message, status)
    _save([message for pk, message in messages.items() if _written(message) != before[pk]], before)
    DeliveryStatus.objects.filter(pk__in=matches).update(applied_at=now)
    for news in bad_news:
        was_given_up = before[news.message.pk]["status"] == OutboxStatus.FAILED
        if not was_given_up and news.message.delivery not in _ARRIVED:
            failures.announce(news.message, now=now)
        _tell(news, now=now)
    return len(statuses)


@dataclass(frozen=True, slots=True)
class _Match:
    message_id: int
    contact_id: int


@dataclass(frozen=True, slots=True)
class _BadNews:
    """A message that Meta accepted and could not deliver."""

    message: OutboundMessage
    judgement: Judgement


def _matches(statuses: Sequence[DeliveryStatus]) -> dict[int, _Match]:
    """Find the message of each status: by what we gave along, else by Meta's id."""
    ours = {status.pk: uuid for status in statuses if (uuid := _uuid(status.callback_data))}
    by_uuid = {
        uuid: _Match(pk, contact_id)
        for uuid, pk, contact_id in _keys("callback_data", set(ours.values()))
    }
    found = {pk: by_uuid[uuid] for pk, uuid in ours.items() if uuid in by_uuid}
    others = {status.pk: status.wa_message_id for status in statuses if status.pk not in found}
    by_wamid = {
        wamid: _Match(pk, contact_id)
        for wamid, pk, contact_id in _keys("wa_message_id", set(others.values()) - {""})
    }
    return found | {pk: by_wamid[wamid] for pk, wamid in others.items() if wamid in by_wamid}


def _keys(column: str, values: Collection[Any]) -> Iterable[tuple[Any, int, int]]:
    if not values:
        return ()
    rows = OutboundMessage.objects.filter(**{f"{column}__in": values}).order_by()
    return rows.values_list(column, "pk", "contact_id")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _locked(ids: Collection[int]) -> dict[int, OutboundMessage]:
    rows = OutboundMessage.objects.select_for_update(no_key=True).filter(pk__in=ids)
    return {message.pk: message for message in rows.defer("payload").order_by("pk")}


def _look_again(orphans: Sequence[DeliveryStatus], *, now: datetime) -> None:
    for orphan in orphans:
        age = now - orphan.received_at
        if age >= KEEP_ORPHANS:
            orphan.applied_at = now
        orphan.next_attempt_at = now + max(age, _LOOK_AGAIN_SOONEST)
    DeliveryStatus.objects.bulk_update(orphans, ["applied_at", "next_attempt_at"])


def _is_failed(status: DeliveryStatus) -> bool:
    return status.status == Delivery.FAILED


def _advance(message: OutboundMessage, status: DeliveryStatus) -> None:
    """Note that a message got further; nothing takes it back."""
    if status.status not in _RANK:
        return
    arrived = status.status in _ARRIVED
    if arrived or (_may_be_under_way(message) and message.delivery != Delivery.FAILED):
        _accepted(message, status)
    if message.status != OutboxStatus.SENT:
        return  # it is to be sent anew; what became of the copy before tells nothing
    if _RANK[status.status] > _RANK.get(message.delivery, 0):
        message.delivery = status.status
    if arrived:
        message.error, message.error_code = "", None


def _fail(
    message: OutboundMessage, status: DeliveryStatus, *, buyer: WhatsAppContact
) -> list[_BadNews]:
    """Note that Meta could not deliver a message, unless it arrived or another copy did."""
    is_another_copy = message.wa_message_id not in {"", status.wa_message_id}
    if is_another_copy or message.delivery in _ARRIVED:
        return []
    judgement = judge(code=status.error_code, http_status=None)
    if _may_be_under_way(message):
        _accepted(message, status)
    message.delivery = message.delivery or Delivery.FAILED
    message.error_code = status.error_code
    message.error = failures.in_words(judgement, status.error)
    if judgement.reaction is Reaction.OUTSIDE_WINDOW:
        _shut_out(message, buyer=buyer)
        return []
    return [_BadNews(message, judgement)]


def _may_be_under_way(message: OutboundMessage) -> bool:
    """Whether it was handed over and Meta's answer is not recorded."""
    if message.status == OutboxStatus.SENT:
        return False
    return message.status == OutboxStatus.SENDING or message.unknown_sends > 0


def _accepted(message: OutboundMessage, status: DeliveryStatus) -> None:
    if message.status == OutboxStatus.SENT:
        return
    message.status = OutboxStatus.SENT
    message.wa_message_id = status.wa_message_id
    message.sent_at = message.sent_at or status.occurred_at
    message.lease = message.lease_until = message.next_attempt_at = None


def _shut_out(message: OutboundMessage, *, buyer: WhatsAppContact) -> None:
    wrote_at, sent_at = buyer.last_inbound_at, message.sent_at
    send_results.withhold(message)
    if message.status == OutboxStatus.WITHHELD and wrote_at and sent_at and wrote_at > sent_at:
        send_results.release(message)


def _written(message: OutboundMessage) -> dict[str, Any]:
    return {name: getattr(message, name) for name in send_results.FRESH}


def _save(changed: Sequence[OutboundMessage], before: Mapping[int, Mapping[str, Any]]) -> None:
    """Write what changed; the many that only got further are written together."""
    further: dict[str, list[int]] = defaultdict(list)
    for message in changed:
        if {**before[message.pk], "delivery": message.delivery} == _written(message):
            further[message.delivery].append(message.pk)
        else:
            message.save(update_fields=list(send_results.FRESH))
    for delivery, ids in sorted(further.items()):
        OutboundMessage.objects.filter(pk__in=ids).update(delivery=delivery)


def _tell(news: _BadNews, *, now: datetime) -> None:
    message, judgement = news.message, news.judgement
    if judgement.reaction is Reaction.PAUSE:
        business_numbers.pause(
            message.phone_number_id, code=message.error_code, reason=message.error, now=now
        )
    if judgement.alarm or message.kind == OutboxKind.NOTICE:
        failures.alarm(message, now=now)
