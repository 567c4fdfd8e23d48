"""Marks of many sends at once: about to be sent, accepted by Meta, or given back to the queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from shared.core.enums import OutboxStatus
from shared.whatsapp.models import WhatsAppContact
from shared.whatsapp.services import business_numbers
from shared.whatsapp.services.outbox import outbox_statements
from shared.whatsapp.services.outbox.message_claims import ClaimedMessage


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A claimed message that Meta accepted; its delivery is reported by status webhooks."""

    claimed: ClaimedMessage
    wa_message_id: str


@transaction.atomic
def write_marks(
    *,
    now: datetime,
    lease_for: timedelta,
    starting: Sequence[ClaimedMessage] = (),
    sent: Sequence[SentMessage] = (),
    released: Sequence[ClaimedMessage] = (),
) -> frozenset[int]:
    """Record what happens to claimed messages.

    A mark counts as long as the lease is the current one, even if it has just run out. So marks may
    be written again after an error that left open whether they were committed.

    Args:
        now: the current time, which is that of Meta's answers.
        lease_for: the time after which a message that is being sent counts as unknown.
        starting: messages about to be sent, of different contacts. They become SENDING.
        sent: messages that Meta accepted. They become SENT. A success ends a pause or slow-down of
            the number and a slow-down for the buyer.
        released: messages that are not sent by this gateway, which others may claim at once.

    Returns:
        The ids of those of `starting` that may be sent: another gateway has neither taken them nor
        is sending to their contact, and they are still to be sent.

    """
    for contact_id in sorted(
        {s.claimed.contact_id for s in sent if s.claimed.ends_contact_slow_down}
    ):
        WhatsAppContact.objects.filter(pk=contact_id).update(send_after=None, pair_rate_hits=0)
    started: frozenset[int] = frozenset()
    if starting or released:  # results alone are written in the order of the ids
        rows = _lock_rows([*starting, *(each.claimed for each in sent), *released])
        started = _start_sends(starting, rows, lease_until=now + lease_for)
    outbox_statements.RECORD_SENT.run_many(
        [
            {
                "id": each.claimed.id,
                "lease": each.claimed.lease,
                "wa_message_id": each.wa_message_id,
                "now": now,
            }
            for each in sorted(sent, key=lambda each: each.claimed.id)
        ]
    )
    outbox_statements.RELEASE.run_many(
        [
            {"id": message.id, "lease": message.lease}
            for message in sorted(released, key=lambda message: message.id)
        ]
    )
    for phone_number_id in sorted(
        {each.claimed.phone_number_id for each in sent if each.claimed.ends_number_slow_down}
    ):
        business_numbers.resume_sending(phone_number_id, now=now)
    return started


@dataclass(frozen=True, slots=True)
class _Row:
    contact_id: int
    status: str
    lease: UUID | None


def _lock_rows(messages: Sequence[ClaimedMessage]) -> Mapping[int, _Row]:
    """Lock the rows of messages in the order of their ids, as all who write to several do."""
    found = outbox_statements.LOCK_FOR_MARKS.fetch(ids=[message.id for message in messages])
    return {pk: _Row(contact_id, status, lease) for pk, contact_id, status, lease in found}


def _start_sends(
    starting: Sequence[ClaimedMessage], rows: Mapping[int, _Row], *, lease_until: datetime
) -> frozenset[int]:
    reserved, started = [], []
    for message in starting:
        match rows.get(message.id):
            case _Row(message.contact_id, OutboxStatus.QUEUED, message.lease):
                reserved.append(message)
            case _Row(message.contact_id, OutboxStatus.SENDING, message.lease):
                started.append(message.id)  # by this call, which was repeated after an error
    if reserved:
        busy = set(outbox_statements.CONTACTS_OF_SENDS.fetch())
        starts = [message.id for message in reserved if message.contact_id not in busy]
        outbox_statements.START.run(ids=starts, lease_until=lease_until)
        started += starts
    return frozenset(started)
