"""Claims of messages to send: each is reserved for one gateway until its lease runs out.

A claimed message is not being sent yet: it is still QUEUED. `send_marks.write_marks` makes it
SENDING just before it goes to Meta. If the gateway dies before that, nothing was sent, and another
gateway claims the message after seconds.

Usually the transaction that queues replies also claims them (`claim_queued`), so that they are sent
without being looked up. Everything else is found by `claim_messages`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from shared.core.enums import OutboxKind, OutboxStatus
from shared.whatsapp import messages, window
from shared.whatsapp.errors import NoAddressee
from shared.whatsapp.models import BusinessNumber, OutboundMessage, WhatsAppContact
from shared.whatsapp.services import business_numbers, opt_out
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.outbox import (
    failure_reports,
    lost_answers,
    message_status,
    outbox_statements,
)
from shared.whatsapp.services.outbox.message_status import UNTRIED_FIELDS

RESERVED_FOR: Final = timedelta(seconds=5)
"""The time in which a claimed message is to leave; then another gateway may take it."""


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """A message that is reserved for one gateway until its lease runs out.

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


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """The messages that a gateway claimed.

    Attributes:
        messages: the claimed messages, the oldest first.
        contacts_with_more: the contacts of these messages, or whom the caller left out, who have
            more messages in the queue.

    """

    messages: Sequence[ClaimedMessage] = ()
    contacts_with_more: frozenset[int] = frozenset()


def claim_messages(
    *,
    now: datetime,
    lease: UUID,
    lease_for: timedelta = RESERVED_FOR,
    limit: int,
    skip_contacts: Collection[int] = (),
) -> ClaimResult:
    """Claim messages to send, at most the oldest unsent one of each contact.

    If the 24 h window of a contact is closed, nothing is claimed: replies become STALE and notices
    WITHHELD. Of a paused number, one message per minute is claimed. Opens its own short
    transactions; one statement is all if nothing is queued.

    Args:
        now: the current time.
        lease: the id of this claim; a message is sent only for the current lease.
        lease_for: the time after which another gateway may claim the message.
        limit: the largest number of messages.
        skip_contacts: the contacts to whom the caller is sending at the moment.

    """
    if not outbox_statements.FIRST_QUEUED.fetch():
        return ClaimResult()
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
    claimed = (
        _claim_rows([head.id for head in wanted], states, now=now, lease=lease, lease_for=lease_for)
        if wanted
        else []
    )
    busy = {*skip_contacts, *(message.contact_id for message in claimed)}
    more = outbox_statements.CONTACTS_WITH_MORE.fetch(contacts=busy, now=now) if busy else ()
    return ClaimResult(claimed, frozenset(more))


def claim_queued(
    messages: Sequence[OutboundMessage],
    *,
    contacts: Mapping[int, WhatsAppContact],
    now: datetime,
    lease: UUID,
    lease_for: timedelta = RESERVED_FOR,
) -> list[ClaimedMessage]:
    """Claim messages in the transaction that queues them, all replies of a buyer together.

    Left to `claim_messages` are the messages of a buyer to whom an earlier message may still be
    sent, who cannot be written to now, or whose business number is paused or slowed down.

    Args:
        messages: new messages, which no other transaction sees so far.
        contacts: their buyers by id, locked by the caller until the end of the transaction. So
            whatever else is queued for them meanwhile comes later and waits for these messages.
        now: the current time.
        lease: the id of this claim.
        lease_for: the time after which another gateway may claim a message.

    Returns:
        The claimed messages in the order of the queue.

    """
    first_ids: dict[int, int] = {}
    for message in messages:
        first = first_ids.setdefault(message.contact_id, message.pk)
        first_ids[message.contact_id] = min(first, message.pk)
    if not first_ids:
        return []
    states = _load_troubled_numbers()
    barred = {
        contact_id
        for contact_id, pk in outbox_statements.UNSETTLED.fetch(
            contacts=first_ids, before=max(first_ids.values())
        )
        if pk < first_ids.get(contact_id, 0)
    }
    claimed = []
    for message in sorted(messages, key=lambda message: message.pk):
        contact, number = contacts[message.contact_id], states.get(message.phone_number_id)
        if contact.pk in barred or not _may_write_now(contact, number, now=now):
            continue
        try:
            body = _build_body(message, contact)
        except NoAddressee:
            barred.add(contact.pk)
        else:
            claimed.append(
                _build_claimed_message(message, contact, body=body, lease=lease, number=number)
            )
    if claimed:
        ids = [message.id for message in claimed]
        outbox_statements.RESERVE.run(ids=ids, lease=lease, lease_until=now + lease_for)
    return claimed


def _may_write_now(
    contact: WhatsAppContact, number: BusinessNumber | None, *, now: datetime
) -> bool:
    return (
        window.is_window_open(contact.last_inbound_at, now=now)
        and (contact.send_after is None or contact.send_after <= now)
        and (number is None or not (_is_paused(number) or _is_slowed(number, now=now)))
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
            unsent_answers = queued.filter(kind=OutboxKind.REPLY, written_by__isnull=False)
            lost = list(unsent_answers.order_by("pk"))
            queued.filter(kind=OutboxKind.REPLY).update(status=OutboxStatus.STALE)
            for message in lost:
                lost_answers.report_lost_answer(message, now=now)
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
    return {number.phone_number_id: number for number in outbox_statements.TROUBLED_NUMBERS.fetch()}


def _find_candidates(
    states: _TroubledNumbers, *, now: datetime, skip: Collection[int], limit: int
) -> list[_QueueHead]:
    slowed = [key for key, number in states.items() if _is_slowed(number, now=now)]
    paused = [key for key, number in states.items() if _is_paused(number) and key not in slowed]
    found = [
        probe
        for phone_number_id in paused
        if business_numbers.is_probe_due(states[phone_number_id], now=now)
        for probe in outbox_statements.QUEUE_HEAD_OF_NUMBER.fetch(
            phone_number_id=phone_number_id, now=now, skip_contacts=skip
        )
    ]
    # A limit is part of the statement, so only powers of two are compiled.
    heads = outbox_statements.get_queue_heads_query(1 << (limit - 1).bit_length())
    found += heads.fetch(now=now, skip_contacts=skip, skip_numbers=[*slowed, *paused])
    return [_QueueHead(*row) for row in found[:limit]]


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


def _is_slowed(number: BusinessNumber, *, now: datetime) -> bool:
    return number.send_after is not None and number.send_after > now


@transaction.atomic
def _claim_rows(
    ids: Collection[int],
    states: _TroubledNumbers,
    *,
    now: datetime,
    lease: UUID,
    lease_for: timedelta,
) -> list[ClaimedMessage]:
    claimed = []
    for message in outbox_statements.LOCK_CLAIMABLE.fetch(ids=ids, now=now):
        if _is_from_before_stop(message):
            message_status.withhold_if_stopped(message, message.contact)
            message.save(update_fields=list(UNTRIED_FIELDS))
            continue
        try:
            body = _build_body(message, message.contact)
        except NoAddressee:
            _fail_without_addressee(message, now=now)
        else:
            number = states.get(message.phone_number_id)
            claimed.append(
                _build_claimed_message(
                    message, message.contact, body=body, lease=lease, number=number
                )
            )
    if claimed:
        ids = [message.id for message in claimed]
        outbox_statements.RESERVE.run(ids=ids, lease=lease, lease_until=now + lease_for)
    return claimed


def _is_from_before_stop(message: OutboundMessage) -> bool:
    """Return whether a notice was queued before its buyer wrote STOP.

    STOP leaves one alone that is reserved or being sent; it comes here if it was not sent then. One
    that was released because the buyer wrote since is due from that moment on.
    """
    if not opt_out.forbids_message(message.contact, kind=message.kind):
        return False
    stopped_at, due_at = message.contact.stopped_at, message.next_attempt_at
    return due_at is None or (stopped_at is not None and due_at < stopped_at)


def _build_body(message: OutboundMessage, contact: WhatsAppContact) -> messages.Message:
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
    if lost_answers.is_lost_answer(message):
        lost_answers.report_lost_answer(message, now=now)


def _build_claimed_message(
    message: OutboundMessage,
    contact: WhatsAppContact,
    *,
    body: messages.Message,
    lease: UUID,
    number: BusinessNumber | None,
) -> ClaimedMessage:
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
