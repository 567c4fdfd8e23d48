"""Delivery state of messages to buyers, with the reason in words.

Error codes are never shown alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db.models import Min

from backoffice.ui import display
from shared.core.enums import MessageDeliveryStatus, OutboxKind, OutboxStatus
from shared.whatsapp import window
from shared.whatsapp.models import BusinessNumber, OutboundMessage
from shared.whatsapp.services.outbox.message_status import is_superseded

WINDOW_CLOSED: Final = "More than 24 hours since the buyer wrote"

OUTBOX_STATUS_BADGES: Final[Mapping[str, tuple[str, str]]] = {
    OutboxStatus.QUEUED: ("Waiting", "info"),
    OutboxStatus.SENDING: ("Being sent", "info"),
    OutboxStatus.SENT: ("Sent", "success"),
    OutboxStatus.UNKNOWN: ("No answer yet", "warning"),
    OutboxStatus.WITHHELD: ("Waits for the buyer", "warning"),
    OutboxStatus.STALE: ("Not sent", "secondary"),
    OutboxStatus.FAILED: ("Failed", "danger"),
}
DELIVERY_BADGES: Final[Mapping[str, tuple[str, str]]] = {
    MessageDeliveryStatus.FAILED: ("Not delivered", "danger"),
    MessageDeliveryStatus.SENT: ("Sent", "success"),
    MessageDeliveryStatus.DELIVERED: ("Delivered", "success"),
    MessageDeliveryStatus.READ: ("Read", "primary"),
    MessageDeliveryStatus.PLAYED: ("Read", "primary"),
}
_COUNT_WORDS: Final[Mapping[int, str]] = {1: "once", 2: "twice"}


@dataclass(frozen=True, slots=True)
class SendingContext:
    """Data besides the message that decides when it is sent.

    Attributes:
        numbers: business numbers by their id at Meta.
        first: primary key of each contact's earliest unsent message, by the contact's.

    """

    numbers: Mapping[str, BusinessNumber] = field(default_factory=dict)
    first: Mapping[int, int] = field(default_factory=dict)


EMPTY_SENDING_CONTEXT: Final = SendingContext()


def load_sending_context(messages: Iterable[OutboundMessage]) -> SendingContext:
    """Return what the queued messages wait for, from two queries; from none if none is queued."""
    queued = [message for message in messages if message.status == OutboxStatus.QUEUED]
    if not queued:
        return EMPTY_SENDING_CONTEXT
    numbers = BusinessNumber.objects.filter(
        phone_number_id__in={message.phone_number_id for message in queued}
    )
    first = (
        OutboundMessage.objects.filter(
            contact_id__in={message.contact_id for message in queued},
            status__in=(OutboxStatus.QUEUED, OutboxStatus.SENDING),
        )
        .order_by()
        .values_list("contact_id")
        .annotate(first=Min("pk"))
    )
    return SendingContext({number.phone_number_id: number for number in numbers}, dict(first))


def describe_message_state(message: OutboundMessage) -> tuple[str, str]:
    """Return the state of a message and Bootstrap's style for it."""
    if message.status == OutboxStatus.SENT and message.delivery in DELIVERY_BADGES:
        return DELIVERY_BADGES[message.delivery]
    return OUTBOX_STATUS_BADGES[message.status]


def has_message_failed(message: OutboundMessage) -> bool:
    """Return whether the buyer did not receive the message and it is not retried."""
    undelivered = (
        message.status == OutboxStatus.SENT and message.delivery == MessageDeliveryStatus.FAILED
    )
    return undelivered or message.status == OutboxStatus.FAILED


def is_buyer_uninformed(message: OutboundMessage) -> bool:
    """Return whether the buyer did not receive the message and will not receive it soon.

    What is not true any more is missed by nobody.
    """
    if message.status == OutboxStatus.STALE:
        return not is_superseded(message)
    return has_message_failed(message) or message.status == OutboxStatus.WITHHELD


def explain_message_state(
    message: OutboundMessage, *, now: datetime, context: SendingContext = EMPTY_SENDING_CONTEXT
) -> str:
    """Return why a message was not sent or not delivered; empty if all is well.

    Args:
        message: the message, with its contact loaded; there are no queries.
        now: the current time.
        context: the result of `load_sending_context`; without it, paused numbers and earlier
            messages are not mentioned.

    """
    match OutboxStatus(message.status):
        case OutboxStatus.QUEUED:
            return _explain_queued(message, now=now, context=context)
        case OutboxStatus.SENDING:
            return "Handed to Meta just now."
        case OutboxStatus.SENT:
            if message.delivery == MessageDeliveryStatus.FAILED:
                return f"WhatsApp could not deliver it. {_describe_error(message)}"
            return ""
        case OutboxStatus.UNKNOWN:
            return _explain_unknown(message, now=now)
        case OutboxStatus.WITHHELD:
            return _explain_withheld(message)
        case OutboxStatus.STALE:
            return _explain_stale(message)
        case OutboxStatus.FAILED:
            return _describe_error(message)


def _explain_queued(message: OutboundMessage, *, now: datetime, context: SendingContext) -> str:
    number = context.numbers.get(message.phone_number_id)
    contact = message.contact
    first = context.first.get(message.contact_id, message.pk)
    if not window.is_window_open(contact.last_inbound_at, now=now):
        later = "is kept until they write" if message.kind == OutboxKind.NOTICE else "is not sent"
        return f"{WINDOW_CLOSED}: it {later}."
    if number is not None and number.paused_at is not None:
        return f"Waiting for the number, which is paused: {number.pause_reason}".strip(": ")
    if number is not None and number.send_after is not None and number.send_after > now:
        return (
            "Meta asked this number to slow down: sent "
            f"{_describe_wait(number.send_after, now=now)}."
        )
    if contact.send_after is not None and contact.send_after > now:
        moment = _describe_wait(contact.send_after, now=now)
        return f"Meta asked for a pause towards this buyer: sent {moment}."
    if first < message.pk:
        return "Queued behind an earlier message to this buyer."
    if message.next_attempt_at is not None and message.next_attempt_at > now:
        moment = _describe_wait(message.next_attempt_at, now=now)
        tried = f"Tried {_format_times(message.attempts)}, tried again {moment}."
        return f"{tried} {_describe_error(message)}".strip()
    return "Next in line."


def _explain_unknown(message: OutboundMessage, *, now: datetime) -> str:
    sent = f"Sent {_format_times(message.unknown_sends)} without an answer: may have arrived."
    if message.next_attempt_at is None:
        return sent
    return (
        f"{sent} Without news it is looked at again "
        f"{_describe_wait(message.next_attempt_at, now=now)}."
    )


def _explain_withheld(message: OutboundMessage) -> str:
    if message.contact.is_blocked:
        return (
            f"{WINDOW_CLOSED}, and they are blocked: waits until you unblock them and they write."
        )
    if message.contact.stopped_at is not None:
        return "The buyer wrote STOP: waits until they write again."
    return f"{WINDOW_CLOSED}: waits until they write."


def _explain_stale(message: OutboundMessage) -> str:
    if is_superseded(message):
        return message.error
    if message.written_by:
        return f"{WINDOW_CLOSED} when its turn came: it is not sent."
    return f"{WINDOW_CLOSED}: an answer nobody waits for any more is not sent."


def _describe_error(message: OutboundMessage) -> str:
    error = message.error or ("" if message.error_code is None else "No reason was given.")
    if message.error_code is None:
        return error
    return f"Meta's code {message.error_code}: {error}"


def _format_times(count: int) -> str:
    return _COUNT_WORDS.get(count, f"{count} times")


def _describe_wait(at: datetime, *, now: datetime) -> str:
    waits = display.format_time_since(now, now=at)
    return "in a moment" if at <= now or waits == "0 min" else f"in {waits}"
