"""Reports of messages that could not be sent: error texts, the signal, and alarms."""

from datetime import datetime
from typing import Final

from shared.whatsapp import signals
from shared.whatsapp.graph_errors import Judgement
from shared.whatsapp.models import OutboundMessage
from shared.whatsapp.services import alarms, business_numbers

_ERROR_LENGTH: Final = 500


def describe_failure(judgement: Judgement, details: str) -> str:
    """Return the explanation of an error code, followed by Meta's own details."""
    return " ".join(filter(None, (judgement.explanation, details)))[:_ERROR_LENGTH]


def announce_failure(message: OutboundMessage, *, now: datetime) -> None:
    """Send the signal that a message failed for good, in the transaction that records it."""
    signals.message_failed.send(sender=OutboundMessage, message=message, now=now)


def sound_failure_alarm(message: OutboundMessage, *, now: datetime) -> None:
    """Sound the alarm that a message did not reach its buyer."""
    about = f" about {message.about}" if message.about else ""
    alarms.sound_alarm(
        f"not_sent:{message.error_code}",
        title="A message could not be sent",
        detail=f"Message {message.pk} ({message.key}){about}: {message.error}",
        phone_number_id=message.phone_number_id,
        now=now,
    )


def sound_refusal_alarm(message: OutboundMessage, *, error: str, now: datetime) -> None:
    """Sound the alarm that Meta refuses messages of a business number for now."""
    alarms.sound_alarm(
        business_numbers.build_refused_alarm_key(message.phone_number_id),
        title="Meta refuses messages for now",
        detail=error,
        phone_number_id=message.phone_number_id,
        now=now,
    )
