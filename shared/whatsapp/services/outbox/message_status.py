"""Status changes of an outgoing message; the caller locks and saves it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from shared.core.constants import UNKNOWN_SEND_WAIT
from shared.core.enums import OutboxKind, OutboxStatus
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from shared.whatsapp.services import opt_out

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
"""The values of a message that was never sent."""


SUPERSEDED: Final = "It was no longer true, because its order changed before it was sent."
"""The error of a message that became untrue; on one that is under way, it forbids another try."""


def reset_to_queued(message: OutboundMessage) -> None:
    """Queue a message again as if it had never been sent."""
    for name, value in UNTRIED_FIELDS.items():
        setattr(message, name, value)


def withhold_message(message: OutboundMessage) -> None:
    """Withhold a notice, or mark a reply as stale, because the 24 h window is closed."""
    is_notice = message.kind == OutboxKind.NOTICE
    message.status = OutboxStatus.WITHHELD if is_notice else OutboxStatus.STALE
    message.lease = message.lease_until = message.next_attempt_at = None


def withhold_if_stopped(message: OutboundMessage, contact: WhatsAppContact) -> None:
    """Withhold a queued notice whose buyer wrote STOP since it was queued for the first time."""
    if message.status == OutboxStatus.QUEUED and opt_out.forbids_message(
        contact, kind=message.kind
    ):
        message.status = OutboxStatus.WITHHELD
        message.lease = message.lease_until = message.next_attempt_at = None


def return_to_queue(message: OutboundMessage) -> None:
    """Queue a claimed message again, to be sent at once."""
    message.status = OutboxStatus.QUEUED
    message.lease = message.lease_until = message.next_attempt_at = None


def mark_unknown(message: OutboundMessage, *, now: datetime) -> None:
    """Mark a message as sent without an answer, to be sent again after a while."""
    # The lease stays, so that a late answer still counts.
    message.status = OutboxStatus.UNKNOWN
    message.attempts += 1
    message.unknown_sends += 1
    message.next_attempt_at = now + UNKNOWN_SEND_WAIT


def mark_failed(message: OutboundMessage) -> None:
    """Mark a message as failed for good."""
    message.status = OutboxStatus.FAILED
    message.lease = message.lease_until = message.next_attempt_at = None


def is_superseded(message: OutboundMessage) -> bool:
    """Return whether what the message says became untrue before it was sent."""
    return message.error == SUPERSEDED


def settle_superseded(message: OutboundMessage) -> None:
    """End an untrue message that was under way; while its fate is unknown, keep it marked."""
    message.error, message.error_code = SUPERSEDED, None
    if message.status != OutboxStatus.UNKNOWN:
        message.status = OutboxStatus.STALE
        message.lease = message.lease_until = message.next_attempt_at = None
