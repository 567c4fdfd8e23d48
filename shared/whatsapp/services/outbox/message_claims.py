"""Who sends what next: the head of each contact's queue, claimed by one gateway with a lease."""

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
        body: the whole body for the Graph API.
        attempts: how often sending was tried before.
        kind: whether it answers the buyer or tells them news.
        last_inbound_at: when the buyer wrote last, as known when it was claimed.
        ends_number_slow_down: whether a success ends a pause or a slow-down of the number.
        ends_contact_slow_down: whether a success ends a slow-down towards this buyer.

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
    """Claim messages to send: of each contact at most the oldest unsent one.

    Where the 24 h window is closed nothing is claimed: replies become STALE and notices WITHHELD.
    A paused number gives one message a minute. Opens its own short transactions, and none when
    there is nothing to send.

    Args:
        now: the time.
        lease: names this claim; what is recorded later counts only with it.
        lease_for: after this time without a record the message's fate counts as unknown.
        limit: how many at most.
        skip_contacts: whom the caller is sending to right now.

    """
    states = _load_troubled_numbers()
    while True:
        found = _find_candidates(states, now=now, skip=skip_contacts, limit=limit)
        closed = {
            head.contact_id for head in found if not window.is_window_open(head.inbound_at, now=now)
        }
        settle_closed_windows(closed, now=now)
        wanted = [head for head in found if head.contact_id not in closed]
        if wanted or not closed:
            break
    wanted = _keep_probes(wanted, states, now=now)
    if not wanted:
        return []
    return _claim_rows(
        [head.id for head in wanted], states, now=now, lease=lease, lease_for=lease_for
    )


def settle_closed_windows(contact_ids: Collection[int], *, now: datetime) -> None:
    """Settle what can no longer be sent freely: replies become STALE, notices WITHHELD.

    Each contact is locked and looked at again, for the buyer may be writing just now.
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
    """Give the numbers in some trouble; those that fare well are absent."""
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
    """Find the oldest unsent message of each contact, unless one to them is under way."""
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
    """Keep of the paused numbers' messages those that get this minute's one try."""
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
    # Locked in one order and without waiting: two gateways never block or deadlock each other.
    free = list(
        OutboundMessage.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(_build_due_filter(now), pk__in=ids, status=OutboxStatus.QUEUED)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    OutboundMessage.objects.filter(
        _build_due_filter(now), pk__in=free, status=OutboxStatus.QUEUED
    ).update(status=OutboxStatus.SENDING, lease=lease, lease_until=now + lease_for)
    taken = OutboundMessage.objects.filter(pk__in=free, lease=lease).order_by("pk")
    claimed = []
    for message in taken.select_related("contact"):
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
    # With a conflict the phone may by now belong to somebody else; the user id cannot.
    by_user_id = contact.identity_conflict and contact.user_id is not None
    return messages.address_message(
        message.payload,
        wa_id=None if by_user_id else contact.wa_id,
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
