"""Acceptance of messages from the gateway: recipient, customer service window, rate limit.

Sources: developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
(phone number formats, customer service windows), .../business-scoped-user-ids (`recipient`),
.../about-the-platform (pair rate limits).
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from deploy.sandbox import graph_errors, rendering
from deploy.sandbox.chat import ChatEntry, OutgoingMessage, SandboxBuyer
from deploy.sandbox.graph_api import fields, message_rules
from deploy.sandbox.state import SandboxState, generate_wamid

WINDOW_SECONDS: Final = 24 * 3600
USER_ID_PATTERN: Final = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
PHONE_PATTERN: Final = re.compile(r"\+?[1-9]\d{6,14}")
PUNCTUATION_PATTERN: Final = re.compile(r"[\s().-]")
MAX_PAIR_BURST: Final = 45
SECONDS_PER_PAIR_MESSAGE: Final = 6


@dataclass(frozen=True, kw_only=True)
class Addressee:
    """Recipient of a message: a phone number, a user id, or nobody (a user id in `to`)."""

    given: str
    wa_id: str = ""
    user_id: str = ""

    def as_contact(self) -> dict[str, str]:
        """Return the item of `contacts[]` in the response."""
        if self.user_id:
            return {"input": self.given, "user_id": self.user_id}
        return {"input": self.given, "wa_id": self.wa_id or self.given}


def read_addressee(body: Mapping[str, Any], *, country_code: str) -> Addressee:
    """Return the recipient from `to` or `recipient`; with both, `to` wins.

    A number without `+` gets the country code of the business, as Meta documents, and so usually
    becomes a wrong number.

    Raises:
        GraphApiRefusal: both are missing, or the value is malformed.

    """
    to = fields.read_string(body, "to", path="to", optional=True)
    if to:
        return _read_phone_number(to, country_code=country_code)
    recipient = fields.read_string(body, "recipient", path="recipient", optional=True)
    if not recipient:
        raise graph_errors.build_missing_parameter_error("to")
    if USER_ID_PATTERN.fullmatch(recipient) is None:
        raise graph_errors.build_invalid_value_error("recipient must be a business-scoped user ID")
    return Addressee(given=recipient, user_id=recipient)


def _read_phone_number(to: str, *, country_code: str) -> Addressee:
    if USER_ID_PATTERN.fullmatch(to):
        return Addressee(given=to)
    number = PUNCTUATION_PATTERN.sub("", to)
    if PHONE_PATTERN.fullmatch(number) is None:
        raise graph_errors.build_invalid_value_error(
            "The phone number is malformed: Please use the format: +1234567890."
        )
    if number.startswith("+"):
        return Addressee(given=to, wa_id=number[1:])
    return Addressee(given=to, wa_id=country_code + number)


def accept_message(
    state: SandboxState, *, phone_number_id: str, body: Mapping[str, Any]
) -> OutgoingMessage:
    """Check a message against every rule and build its record, without delivering it.

    Raises:
        GraphApiRefusal: Meta would refuse it.

    """
    now = time.time()
    message_rules.check_message(
        body, find_mime_type=lambda media_id: _find_mime_type(state, media_id, phone_number_id)
    )
    who = read_addressee(body, country_code=state.options.country_code)
    lost = not who.wa_id and not who.user_id
    if who.wa_id == state.options.get_display_number(phone_number_id):
        raise graph_errors.GraphApiRefusal(
            131021, details="Recipient phone number cannot be the sender."
        )
    buyer, failure_code = (
        (None, None) if lost else _find_buyer(state, who, phone_number_id, now=now)
    )
    outgoing = OutgoingMessage(
        id=generate_wamid(who.wa_id or who.user_id[:20]),
        to=who.given,
        buyer=buyer,
        phone_number_id=phone_number_id,
        body=body,
        at=now,
        due=now + state.behaviour.delivery_delay,
        failure_code=failure_code,
    )
    if buyer is not None:
        outgoing.entry = _build_entry(state, outgoing, now=now)
    return outgoing


def build_accepted_response(
    body: Mapping[str, Any], *, outgoing: OutgoingMessage, country_code: str
) -> dict[str, Any]:
    """Build Meta's response to an accepted message."""
    who = read_addressee(body, country_code=country_code)
    return {
        "messaging_product": "whatsapp",
        "contacts": [who.as_contact()],
        "messages": [{"id": outgoing.id}],
    }


def mark_message_as_read(state: SandboxState, *, body: Mapping[str, Any]) -> None:
    """Mark a buyer's message as read, and show the typing indicator if requested.

    Raises:
        GraphApiRefusal: no buyer sent a message with that id (131009).

    """
    if body.get("messaging_product") != "whatsapp":
        raise graph_errors.build_missing_parameter_error("messaging_product")
    message_id = fields.read_string(body, "message_id", path="message_id") or ""
    indicator = body.get("typing_indicator")
    if indicator is not None and indicator != {"type": "text"}:
        raise graph_errors.build_schema_error(
            "Param typing_indicator['type'] must be one of {TEXT}."
        )
    buyer, entry = state.messages_by_id.get(message_id, (None, None))
    if buyer is None or entry is None or entry.side != "buyer":
        raise graph_errors.build_invalid_value_error(
            "Message ID is not valid, or the message is too old"
        )
    state.mark_read_by_business(buyer, entry, typing=indicator is not None)


def _find_mime_type(state: SandboxState, media_id: str, phone_number_id: str) -> str | None:
    medium = state.media.find_file(media_id, now=time.time())
    if medium is None or medium.phone_number_id != phone_number_id:
        return None
    return medium.mime_type.partition(";")[0].strip()


def _find_buyer(
    state: SandboxState, who: Addressee, phone_number_id: str, *, now: float
) -> tuple[SandboxBuyer, int | None]:
    """Return the buyer, and the error code if the delivery will fail.

    Raises:
        GraphApiRefusal: the recipient is not allowed, the window is closed, or there were too
            many messages.

    """
    known = state.by_user_id.get(who.user_id) if who.user_id else state.buyers.get(who.wa_id)
    reach = known.reach if known else state.behaviour.unknown_recipients
    if reach == "not_allowed":
        raise graph_errors.GraphApiRefusal(
            131030, details="Recipient phone number not in allowed list: Add recipient phone number"
        )
    # not stored unless the message is delivered: a wrong number must not become a buyer
    buyer = known or SandboxBuyer(wa_id=who.wa_id, user_id=who.user_id)
    if reach == "undeliverable" or not buyer.wa_id:
        return buyer, 131026
    if state.behaviour.pair_limit:
        _check_pair_limit(buyer, phone_number_id, now=now)
    if state.behaviour.window != "off" and not _is_window_open(buyer, phone_number_id, now=now):
        if state.behaviour.window == "sync":
            raise graph_errors.GraphApiRefusal(131047, details=graph_errors.WINDOW_CLOSED_DETAILS)
        return buyer, 131047
    return known or state.find_or_create_buyer(who.wa_id), None


def _is_window_open(buyer: SandboxBuyer, phone_number_id: str, *, now: float) -> bool:
    wrote = buyer.last_wrote.get(phone_number_id)
    return wrote is not None and now - wrote < WINDOW_SECONDS


def _check_pair_limit(buyer: SandboxBuyer, phone_number_id: str, *, now: float) -> None:
    left, since = buyer.allowance.get(phone_number_id, (float(MAX_PAIR_BURST), now))
    left = min(float(MAX_PAIR_BURST), left + (now - since) / SECONDS_PER_PAIR_MESSAGE)
    if left < 1:
        raise graph_errors.GraphApiRefusal(
            131056,
            details="Message failed to send because there were too many messages sent from this "
            "phone number to the same phone number in a short period of time.",
        )
    buyer.allowance[phone_number_id] = (left - 1, now)


def _build_entry(state: SandboxState, outgoing: OutgoingMessage, *, now: float) -> ChatEntry:
    context = outgoing.body.get("context", {})
    return ChatEntry(
        id=outgoing.id,
        side="business",
        phone_number_id=outgoing.phone_number_id,
        shown=rendering.render_message(outgoing.body, describe=state.describe_media),
        at=now,
        status="sent",
        raw=outgoing.body,
        reply_to=context.get("message_id"),
    )
