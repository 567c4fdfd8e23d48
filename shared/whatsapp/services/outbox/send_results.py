"""Results of sends that did not succeed: refused, not sent, or unknown."""

from datetime import datetime, timedelta
from typing import Final, assert_never

from django.db import transaction
from django.db.models import QuerySet

from shared.core import retry
from shared.core.enums import OutboxKind, OutboxStatus
from shared.whatsapp.graph_errors import FailureReaction, Judgement
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from shared.whatsapp.services import alarms, business_numbers
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.outbox import failure_reports, lost_answers, message_status
from shared.whatsapp.services.outbox.message_claims import ClaimedMessage
from shared.whatsapp.services.outbox.message_status import UNTRIED_FIELDS

MAX_SEND_ATTEMPTS: Final = 8
"""With the waits below, the last attempt is after three quarters of an hour."""

_RETRY_BASE: Final = timedelta(seconds=2)
_RETRY_CAP: Final = timedelta(minutes=15)
_RETRY_FACTOR: Final = 4.0
_HITS_BEFORE_UNREACHABLE_ALARM: Final = 5
"""Failures in a row that are more than a short network problem."""


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
    """Record that Meta refused a message, and apply the consequence.

    Args:
        claimed: the message.
        judgement: the consequence of the error.
        code: the Graph error code, if there was one.
        words: Meta's details of the error.
        now: the time of the answer.
        jitter: a random number between 0 and 1.

    """
    contact = contacts.lock_contact(claimed.contact_id)
    message = _query_claimed(claimed).select_for_update(no_key=True).first()
    if message is None:
        return
    superseded = message_status.is_superseded(message)
    message.error_code = code
    message.error = error = failure_reports.describe_failure(judgement, words)
    _apply_reaction(message, contact, claimed=claimed, judgement=judgement, now=now, jitter=jitter)
    message_status.withhold_if_stopped(message, contact)
    if superseded:
        message_status.settle_superseded(message)
    message.save(update_fields=list(UNTRIED_FIELDS))
    if message.status == OutboxStatus.FAILED:
        failure_reports.announce_failure(message, now=now)
    if lost_answers.is_lost_answer(message):
        lost_answers.report_lost_answer(message, now=now)
    # Meta refused the number it was sent from, which may have been replaced meanwhile.
    message.phone_number_id = claimed.phone_number_id
    _alarm_about_refusal(message, judgement, code=code, error=error, now=now)


@transaction.atomic
def record_not_reached(claimed: ClaimedMessage, *, now: datetime, jitter: float) -> None:
    """Record that Meta could not be reached: queue the message again, and slow the number down.

    Args:
        claimed: the message, which was not sent.
        now: the time of the failure.
        jitter: a random number between 0 and 1.

    """
    message = _query_claimed(claimed).select_for_update(no_key=True).first()
    if message is None:
        return
    message_status.return_to_queue(message)
    message_status.withhold_if_stopped(message, message.contact)
    if message_status.is_superseded(message):
        message_status.settle_superseded(message)
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
    """Record that a message was sent without an answer, so that it may have arrived."""
    message = _query_claimed(claimed).select_for_update(no_key=True).first()
    if message is not None and message.status == OutboxStatus.SENDING:
        message_status.mark_unknown(message, now=now)
        message.save(update_fields=list(UNTRIED_FIELDS))


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
            message_status.mark_unknown(message, now=now)
        case FailureReaction.OUTSIDE_WINDOW:
            _handle_closed_window(message, contact, claimed=claimed)
        case FailureReaction.RETRY:
            _schedule_retry(message, least=judgement.wait, now=now, jitter=jitter)
        case FailureReaction.RETRY_PAIR:
            _slow_down_contact(contact, now=now, jitter=jitter)
            message_status.return_to_queue(message)
        case FailureReaction.RETRY_NUMBER | FailureReaction.PAUSE:
            message_status.return_to_queue(message)
        case FailureReaction.FAIL:
            message_status.mark_failed(message)
        case _:
            assert_never(judgement.reaction)
    if judgement.reaction is FailureReaction.RETRY_NUMBER:
        business_numbers.slow_down_sending(
            claimed.phone_number_id, least=judgement.wait, now=now, jitter=jitter
        )


def _alarm_about_refusal(
    message: OutboundMessage,
    judgement: Judgement,
    *,
    code: int | None,
    error: str,
    now: datetime,
) -> None:
    if judgement.reaction is FailureReaction.PAUSE:
        business_numbers.pause_sending(message.phone_number_id, code=code, reason=error, now=now)
    elif message.status == OutboxStatus.FAILED and (
        judgement.alarm or _is_unprompted_message(message)
    ):
        failure_reports.sound_failure_alarm(message, now=now)
    elif judgement.alarm:
        failure_reports.sound_refusal_alarm(message, error=error, now=now)


def _query_claimed(claimed: ClaimedMessage) -> QuerySet[OutboundMessage]:
    return OutboundMessage.objects.filter(
        pk=claimed.id, lease=claimed.lease, status__in=OutboundMessage.UNSENT
    )


def _schedule_retry(
    message: OutboundMessage, *, least: timedelta, now: datetime, jitter: float
) -> None:
    message.attempts += 1
    if message.attempts >= MAX_SEND_ATTEMPTS:
        message_status.mark_failed(message)
        return
    wait = max(
        least,
        retry.compute_exponential_wait(
            message.attempts, base=_RETRY_BASE, cap=_RETRY_CAP, factor=_RETRY_FACTOR
        ),
    )
    message_status.return_to_queue(message)
    message.next_attempt_at = now + retry.add_jitter(wait, jitter=jitter)


def _handle_closed_window(
    message: OutboundMessage, contact: WhatsAppContact, *, claimed: ClaimedMessage
) -> None:
    message.attempts += 1
    if contact.last_inbound_at != claimed.last_inbound_at and message.attempts < MAX_SEND_ATTEMPTS:
        message_status.return_to_queue(
            message
        )  # the buyer wrote meanwhile, so the window is open again
    else:
        message_status.withhold_message(message)


def _slow_down_contact(contact: WhatsAppContact, *, now: datetime, jitter: float) -> None:
    contact.pair_rate_hits = min(contact.pair_rate_hits + 1, 100)
    wait = retry.add_jitter(retry.compute_pair_rate_wait(contact.pair_rate_hits), jitter=jitter)
    contact.send_after = now + wait
    contact.save(update_fields=["pair_rate_hits", "send_after"])


def _is_unprompted_message(message: OutboundMessage) -> bool:
    return message.kind == OutboxKind.NOTICE
