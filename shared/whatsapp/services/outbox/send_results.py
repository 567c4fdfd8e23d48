"""What became of a claimed message: sent, refused, not handed over, or nobody knows."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F, QuerySet

from shared.core import logs, retry
from shared.core.constants import UNKNOWN_SEND_WAIT
from shared.core.enums import OutboxKind, OutboxStatus
from shared.whatsapp.graph_errors import FailureReaction, Judgement
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from shared.whatsapp.services import alarms, business_numbers
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.outbox import failure_reports
from shared.whatsapp.services.outbox.message_claims import ClaimedMessage

_log = logs.get_logger(__name__)

MAX_SEND_ATTEMPTS: Final = 8
"""With the waits below that is three quarters of an hour; then a person must look."""

_RETRY_BASE: Final = timedelta(seconds=2)
_RETRY_CAP: Final = timedelta(minutes=15)
_RETRY_FACTOR: Final = 4.0
_HITS_BEFORE_UNREACHABLE_ALARM: Final = 5
"""So many vain tries in a row are more than a hiccup of the network."""


def record_sent(
    claimed: ClaimedMessage, *, wa_message_id: str, wa_id: str = "", now: datetime
) -> None:
    """Note that Meta accepted a message; what becomes of it its status webhooks tell.

    Counts while the lease is ours, also when it has just run out. A success ends a pause or a
    slow-down, of the number and towards the buyer.

    Args:
        claimed: what was sent.
        wa_message_id: Meta's id of it.
        wa_id: the addressee as Meta writes them; only logged, for in Brazil and Mexico it differs
            from the one that answers come from.
        now: when Meta accepted it.

    """
    if wa_id and claimed.body.get("to", "+" + wa_id) != "+" + wa_id:
        _log.info("addressee_rewritten_by_meta", outbound_id=claimed.id)
    if not (claimed.ends_number_slow_down or claimed.ends_contact_slow_down):
        _record_accepted(
            claimed, wa_message_id=wa_message_id, now=now
        )  # one statement, the usual way
        return
    with transaction.atomic():
        if claimed.ends_contact_slow_down:
            buyer = WhatsAppContact.objects.filter(pk=claimed.contact_id)
            buyer.update(send_after=None, pair_rate_hits=0)
        _record_accepted(claimed, wa_message_id=wa_message_id, now=now)
        if claimed.ends_number_slow_down:
            business_numbers.resume_sending(claimed.phone_number_id, now=now)


@transaction.atomic
def record_failure(
    claimed: ClaimedMessage,
    *,
    judgement: Judgement,
    code: int | None,
    words: str,
    now: datetime,
    jitter: float,
) -> None:
    """Note that Meta refused a message, and do what the refusal asks for.

    Args:
        claimed: what was refused.
        judgement: what the code means.
        code: the Graph error code, if there was one.
        words: what Meta said.
        now: when.
        jitter: a die between 0 and 1.

    """
    contact = contacts.lock_contact(claimed.contact_id)
    message = _query_claimed(claimed).select_for_update(no_key=True).first()
    if message is None:
        return
    message.error_code = code
    message.error = failure_reports.describe_failure(judgement, words)
    _apply_reaction(message, contact, claimed=claimed, judgement=judgement, now=now, jitter=jitter)
    message.save(update_fields=list(UNTRIED_FIELDS))
    if message.status == OutboxStatus.FAILED:
        failure_reports.announce_failure(message, now=now)
    _alarm_about_refusal(message, judgement, now=now)


@transaction.atomic
def record_not_reached(claimed: ClaimedMessage, *, now: datetime, jitter: float) -> None:
    """Note that Meta could not be reached: nothing was sent, and the number waits a little."""
    message = _query_claimed(claimed).select_for_update(no_key=True).first()
    if message is None:
        return
    _return_to_queue(message)
    message.save(update_fields=list(UNTRIED_FIELDS))
    hits = business_numbers.slow_down_sending(claimed.phone_number_id, now=now, jitter=jitter)
    if hits >= _HITS_BEFORE_UNREACHABLE_ALARM:
        alarms.sound_alarm(
            business_numbers.build_unreachable_alarm_key(claimed.phone_number_id),
            title="Meta cannot be reached",
            detail="Messages wait and are sent in order once the connection is back.",
            phone_number_id=claimed.phone_number_id,
            now=now,
        )


@transaction.atomic
def record_unknown(claimed: ClaimedMessage, *, now: datetime) -> None:
    """Note that a message was handed over and nobody knows whether it arrived."""
    message = _query_claimed(claimed).select_for_update(no_key=True).first()
    if message is not None and message.status == OutboxStatus.SENDING:
        _mark_unknown(message, now=now)
        message.save(update_fields=list(UNTRIED_FIELDS))


UNTRIED_FIELDS: Final[Mapping[str, Any]] = {
    "status": OutboxStatus.QUEUED,
    "attempts": 0,
    "unknown_sends": 0,
    "next_attempt_at": None,
    "lease": None,
    "lease_until": None,
    "wa_message_id": "",
    "sent_at": None,
    "delivery": "",
    "error_code": None,
    "error": "",
}
"""A message as if it had never been tried."""


def reset_to_queued(message: OutboundMessage) -> None:
    """Queue a message anew that waited for the buyer, or failed."""
    for name, value in UNTRIED_FIELDS.items():
        setattr(message, name, value)


def withhold_message(message: OutboundMessage) -> None:
    """Settle a message that the 24 h window shut out: a notice waits, a reply is stale."""
    is_notice = message.kind == OutboxKind.NOTICE
    message.status = OutboxStatus.WITHHELD if is_notice else OutboxStatus.STALE
    message.lease = message.lease_until = message.next_attempt_at = None


def _record_accepted(claimed: ClaimedMessage, *, wa_message_id: str, now: datetime) -> None:
    _query_claimed(claimed).update(
        status=OutboxStatus.SENT,
        wa_message_id=wa_message_id,
        sent_at=now,
        attempts=F("attempts") + 1,
        next_attempt_at=None,
        lease=None,
        lease_until=None,
        error="",
        error_code=None,
    )


def _apply_reaction(
    message: OutboundMessage,
    contact: WhatsAppContact,
    *,
    claimed: ClaimedMessage,
    judgement: Judgement,
    now: datetime,
    jitter: float,
) -> None:
    match judgement.reaction:
        case FailureReaction.UNKNOWN:
            _mark_unknown(message, now=now)
        case FailureReaction.OUTSIDE_WINDOW:
            _handle_closed_window(message, contact, claimed=claimed)
        case FailureReaction.RETRY:
            _schedule_retry(message, least=judgement.wait, now=now, jitter=jitter)
        case FailureReaction.RETRY_PAIR:
            _slow_down_contact(contact, now=now, jitter=jitter)
            _return_to_queue(message)
        case FailureReaction.RETRY_NUMBER | FailureReaction.PAUSE:
            _return_to_queue(message)
        case FailureReaction.FAIL:
            _mark_failed(message)
    if judgement.reaction is FailureReaction.RETRY_NUMBER:
        business_numbers.slow_down_sending(
            message.phone_number_id, least=judgement.wait, now=now, jitter=jitter
        )


def _alarm_about_refusal(message: OutboundMessage, judgement: Judgement, *, now: datetime) -> None:
    if judgement.reaction is FailureReaction.PAUSE:
        business_numbers.pause_sending(
            message.phone_number_id, code=message.error_code, reason=message.error, now=now
        )
    elif message.status == OutboxStatus.FAILED and (
        judgement.alarm or _is_unprompted_message(message)
    ):
        failure_reports.sound_failure_alarm(message, now=now)
    elif judgement.alarm:
        failure_reports.sound_refusal_alarm(message, now=now)


def _query_claimed(claimed: ClaimedMessage) -> QuerySet[OutboundMessage]:
    return OutboundMessage.objects.filter(
        pk=claimed.id, lease=claimed.lease, status__in=OutboundMessage.UNSENT
    )


def _return_to_queue(message: OutboundMessage) -> None:
    message.status = OutboxStatus.QUEUED
    message.lease = message.lease_until = message.next_attempt_at = None


def _mark_unknown(message: OutboundMessage, *, now: datetime) -> None:
    # The lease stays: an answer that comes after all still counts.
    message.status = OutboxStatus.UNKNOWN
    message.attempts += 1
    message.unknown_sends += 1
    message.next_attempt_at = now + UNKNOWN_SEND_WAIT


def _schedule_retry(
    message: OutboundMessage, *, least: timedelta, now: datetime, jitter: float
) -> None:
    message.attempts += 1
    if message.attempts >= MAX_SEND_ATTEMPTS:
        _mark_failed(message)
        return
    wait = max(
        least,
        retry.compute_exponential_wait(
            message.attempts, base=_RETRY_BASE, cap=_RETRY_CAP, factor=_RETRY_FACTOR
        ),
    )
    _return_to_queue(message)
    message.next_attempt_at = now + retry.add_jitter(wait, jitter=jitter)


def _handle_closed_window(
    message: OutboundMessage, contact: WhatsAppContact, *, claimed: ClaimedMessage
) -> None:
    message.attempts += 1
    if contact.last_inbound_at != claimed.last_inbound_at and message.attempts < MAX_SEND_ATTEMPTS:
        _return_to_queue(message)  # the buyer wrote meanwhile: it is open again
    else:
        withhold_message(message)


def _mark_failed(message: OutboundMessage) -> None:
    message.status = OutboxStatus.FAILED
    message.lease = message.lease_until = message.next_attempt_at = None


def _slow_down_contact(contact: WhatsAppContact, *, now: datetime, jitter: float) -> None:
    contact.pair_rate_hits = min(contact.pair_rate_hits + 1, 100)
    wait = retry.add_jitter(retry.compute_pair_rate_wait(contact.pair_rate_hits), jitter=jitter)
    contact.send_after = now + wait
    contact.save(update_fields=["pair_rate_hits", "send_after"])


def _is_unprompted_message(message: OutboundMessage) -> bool:
    return message.kind == OutboxKind.NOTICE
