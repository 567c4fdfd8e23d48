"""How people are told that a message could not be sent."""

from datetime import datetime
from typing import Final

from shared.whatsapp import signals
from shared.whatsapp.graph_errors import Judgement
from shared.whatsapp.models import OutboundMessage
from shared.whatsapp.services import alarms, business_numbers

_ERROR_LENGTH: Final = 500


def describe_failure(judgement: Judgement, words: str) -> str:
    """Join what a code means with what Meta said."""
    return " ".join(filter(None, (judgement.explanation, words)))[:_ERROR_LENGTH]


def announce_failure(message: OutboundMessage, *, now: datetime) -> None:
    """Let others know that a message failed for good, in the transaction that notes it."""
    signals.message_failed.send(sender=OutboundMessage, message=message, now=now)


def sound_failure_alarm(message: OutboundMessage, *, now: datetime) -> None:
    """Say that a buyer was not told something."""
    about = f" about {message.about}" if message.about else ""
    alarms.sound_alarm(
        f"not_sent:{message.error_code}",
        title="A message could not be sent",
        detail=f"Message {message.pk} ({message.key}){about}: {message.error}",
        phone_number_id=message.phone_number_id,
        now=now,
    )


def sound_refusal_alarm(message: OutboundMessage, *, now: datetime) -> None:
    """Say that Meta slows a number down for a reason a person should know of."""
    alarms.sound_alarm(
        business_numbers.build_refused_alarm_key(message.phone_number_id),
        title="Meta refuses messages for now",
        detail=message.error,
        phone_number_id=message.phone_number_id,
        now=now,
    )
