"""Claims of messages to send: the first of each contact's queue, leased to one gateway."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from shared.core.enums import OutboxKind, OutboxStatus
from shared.whatsapp import messages, window
from shared.whatsapp.errors import NoAddressee
from shared.whatsapp.models import BusinessNumber, OutboundMessage
from shared.whatsapp.services import business_numbers
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.outbox import failure_reports


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """A message that one gateway may send until its lease runs out.

    Attributes:
        body: the full body for the Graph API.
        attempts: the number of earlier attempts.
        kind: whether it is a reply or a notice.
        last_inbound_at: the time of the buyer's last message when it was claimed.
        ends_number_slow_down: whether a success ends a pause or slow-down of the number.
        ends_contact_slow_down: whether a success ends a slow-down for this buyer.

    """

    id: int
    lease: UUID
    contact_id: int
    phone_number_id: str
    body: dict[str, Any]
    attempts: int
    correlation_id: str
    kind: OutboxKind = OutboxKind.REPLY
    last_inbound_at: datetime | None = None
    ends_number_slow_down: bool = False
    ends_contact_slow_down: bool = False


def claim_messages(
    *,
    now: datetime,
    lease: UUID,
    lease_for: timedelta,
    limit: int,
    skip_contacts: Collection[int] = (),
) -> list[ClaimedMessage]:
    """Claim messages to send, at most the oldest unsent one of each contact.

    If the 24 h window of a contact is closed, nothing is claimed: replies become STALE and notices
    WITHHELD. Of a paused number, one message per minute is claimed. Opens its own short
    transactions, or none if there is nothing to send.

    Args:
        now: the current time.
        lease: the id of this claim; a result is recorded only for the current lease.
        lease_for: the time after which a message without a result counts as unknown.
        limit: the largest number of messages.
        skip_contacts: the contacts to whom the caller is sending at the moment.

    """
    states = _load_troubled_numbers()
    while True:
        heads = _find_candidates(states, now=now, skip=skip_contacts, limit=limit)
        closed = {
            head.contact_id for head in heads if not window.is_window_open(head.inbound_at, now=now)
        }
        settle_closed_windows(closed, now=now)
        wanted = [head for head in heads if head.contact_id not in closed]
        if wanted or not closed:
            break
    wanted = _keep_probes(wanted, states, now=now)
    if not wanted:
        return []
    return _claim_rows(
        [head.id for head in wanted], states, now=now, lease=lease, lease_for=lease_for
    )


def settle_closed_windows(contact_ids: Collection[int], *, now: datetime) -> None:
    """Mark queued replies as STALE and queued notices as WITHHELD where the window is closed.

    Each contact is locked and checked again, since the buyer may have just written.
    """
    for contact_id in sorted(contact_ids):
        with transaction.atomic():
            contact = contacts.lock_contact(contact_id)
            if window.is_window_open(contact.last_inbound_at, now=now):
                continue
            queued = contact.outbound_messages.filter(status=OutboxStatus.QUEUED)
            queued.filter(kind=OutboxKind.REPLY).update(status=OutboxStatus.STALE)
            queued.filter(kind=OutboxKind.NOTICE).update(status=OutboxStatus.WITHHELD)


@dataclass(frozen=True, slots=True)
class _QueueHead:
    id: int
    contact_id: int
    phone_number_id: str
    inbound_at: datetime | None


type _TroubledNumbers = Mapping[str, BusinessNumber]


def _load_troubled_numbers() -> _TroubledNumbers:
    """Return the business numbers that are paused or slowed down."""
    troubled = BusinessNumber.objects.filter(
        Q(paused_at__isnull=False) | Q(send_after__isnull=False)
    )
    return {number.phone_number_id: number for number in troubled}


def _find_candidates(
    states: _TroubledNumbers, *, now: datetime, skip: Collection[int], limit: int
) -> list[_QueueHead]:
    slowed, paused = [], []
    for number in states.values():
        if number.send_after is not None and number.send_after > now:
            slowed.append(number.phone_number_id)
        elif number.paused_at is not None:
            paused.append(number.phone_number_id)
    heads = _query_queue_heads(now=now).exclude(contact_id__in=skip)
    found = [
        probe
        for phone_number_id in paused
        if business_numbers.is_probe_due(states[phone_number_id], now=now)
        for probe in heads.filter(phone_number_id=phone_number_id)[:1]
    ]
    found += heads.exclude(phone_number_id__in=[*slowed, *paused])[:limit]
    return [_QueueHead(*row) for row in found][:limit]


def _query_queue_heads(
    *, now: datetime
) -> "QuerySet[OutboundMessage, tuple[int, int, str, datetime | None]]":
    """Return the oldest queued message of each contact to whom none is being sent."""
    queued = OutboundMessage.objects.filter(status=OutboxStatus.QUEUED)
    earlier = queued.filter(contact=OuterRef("contact"), pk__lt=OuterRef("pk"))
    under_way = OutboundMessage.objects.filter(status=OutboxStatus.SENDING)
    return (
        queued.filter(
            ~Exists(earlier),
            _build_due_filter(now),
            Q(contact__send_after=None) | Q(contact__send_after__lte=now),
        )
        .exclude(contact_id__in=under_way.values("contact_id"))
        .order_by("pk")
        .values_list("pk", "contact_id", "phone_number_id", "contact__last_inbound_at")
    )


def _build_due_filter(now: datetime) -> Q:
    return Q(next_attempt_at=None) | Q(next_attempt_at__lte=now)


def _keep_probes(
    heads: Iterable[_QueueHead], states: _TroubledNumbers, *, now: datetime
) -> list[_QueueHead]:
    """Return the messages, those of paused numbers only if they get this minute's test."""
    return [
        head
        for head in heads
        if not _is_paused(states.get(head.phone_number_id))
        or business_numbers.claim_probe(head.phone_number_id, now=now)
    ]


def _is_paused(number: BusinessNumber | None) -> bool:
    return number is not None and number.paused_at is not None


@transaction.atomic
def _claim_rows(
    ids: Collection[int],
    states: _TroubledNumbers,
    *,
    now: datetime,
    lease: UUID,
    lease_for: timedelta,
) -> list[ClaimedMessage]:
    # Locked in one order and without waiting, so that two gateways never block each other.
    unlocked = list(
        OutboundMessage.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(_build_due_filter(now), pk__in=ids, status=OutboxStatus.QUEUED)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    OutboundMessage.objects.filter(
        _build_due_filter(now), pk__in=unlocked, status=OutboxStatus.QUEUED
    ).update(status=OutboxStatus.SENDING, lease=lease, lease_until=now + lease_for)
    leased = OutboundMessage.objects.filter(pk__in=unlocked, lease=lease).order_by("pk")
    claimed = []
    for message in leased.select_related("contact"):
        try:
            body = _build_body(message)
        except NoAddressee:
            _fail_without_addressee(message, now=now)
        else:
            number = states.get(message.phone_number_id)
            claimed.append(_build_claimed_message(message, body=body, lease=lease, number=number))
    return claimed


def _build_body(message: OutboundMessage) -> messages.Message:
    contact = message.contact
    # With a conflict, the phone number may belong to somebody else by now; the user id cannot.
    use_user_id = contact.identity_conflict and contact.user_id is not None
    return messages.address_message(
        message.payload,
        wa_id=None if use_user_id else contact.wa_id,
        user_id=contact.user_id,
        callback_data=str(message.callback_data),
    )


def _fail_without_addressee(message: OutboundMessage, *, now: datetime) -> None:
    message.status = OutboxStatus.FAILED
    message.lease = message.lease_until = None
    message.error = "Its buyer has neither a phone number nor a user id that can be written to."
    message.save(update_fields=["status", "lease", "lease_until", "error"])
    failure_reports.announce_failure(message, now=now)
    failure_reports.sound_failure_alarm(message, now=now)


def _build_claimed_message(
    message: OutboundMessage,
    *,
    body: messages.Message,
    lease: UUID,
    number: BusinessNumber | None,
) -> ClaimedMessage:
    contact = message.contact
    return ClaimedMessage(
        id=message.pk,
        lease=lease,
        contact_id=contact.pk,
        phone_number_id=message.phone_number_id,
        body=body,
        attempts=message.attempts,
        correlation_id=message.correlation_id,
        kind=OutboxKind(message.kind),
        last_inbound_at=contact.last_inbound_at,
        ends_number_slow_down=number is not None,
        ends_contact_slow_down=contact.pair_rate_hits > 0 or contact.send_after is not None,
    )
