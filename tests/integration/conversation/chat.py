"""A buyer's chat without HTTP: messages go into the inbox, replies are read from the outbox."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

from django.db.models import BigIntegerField, F

from shared.conversation.answering.waiting_messages import answer_waiting_messages
from shared.core.enums import InboxStatus, OutboxStatus, State
from shared.core.statements.compiled_inserts import CompiledInsert
from shared.core.statements.compiled_queries import CompiledQuery, Parameter
from shared.raffles.models import Order
from shared.whatsapp import messages
from shared.whatsapp.models import InboundMessage, OutboundMessage, WhatsAppContact
from tests import builders

_serial = count(1)

# Compiled, because stories send and read a great many messages.
_INSERT_MESSAGES: Final = CompiledInsert(InboundMessage)
_MESSAGES: Final = CompiledQuery(
    lambda: OutboundMessage.objects.filter(
        contact_id=Parameter("contact", BigIntegerField())
    ).order_by("pk")
)


class BuyerChat:
    """One buyer who writes to the bot.

    Attributes:
        now: the clock, moved by the test.

    """

    def __init__(self, contact: WhatsAppContact | None = None, *, now: datetime = builders.NOON):
        self.contact = contact or builders.create_contact()
        self.now = now
        self.sends: list[OutboundMessage] = []

    def says(self, text: str, **fields: Any) -> list[OutboundMessage]:
        """Send a text and return the bot's new messages."""
        return self.answer_waiting(self.receives("text", {"text": {"body": text}}, **fields))

    def taps(self, title: str) -> list[OutboundMessage]:
        """Tap the button or row with this title in the latest message that has one."""
        for message in reversed(self.list_messages()):
            for tap_id, shown in list_choices(message):
                if shown == title:
                    return self.taps_id(tap_id, title)
        raise AssertionError(
            f"no button reads {title!r}: {[m.payload for m in self.list_messages()]}"
        )

    def taps_id(self, tap_id: str, title: str = "?") -> list[OutboundMessage]:
        """Tap a button by its id, even if it is no longer shown."""
        tap = {"type": "button_reply", "button_reply": {"id": tap_id, "title": title}}
        return self.answer_waiting(self.receives("interactive", {"interactive": tap}))

    def sends_picture(
        self, *, caption: str = "", replying_to: str = "", **fields: Any
    ) -> list[OutboundMessage]:
        """Send a photo and return the bot's new messages."""
        serial = next(_serial)
        image = {"id": f"media{serial}", "mime_type": "image/jpeg", "caption": caption}
        body: dict[str, Any] = {"image": image}
        if replying_to:
            body["context"] = {"from": builders.PHONE_NUMBER_ID, "id": replying_to}
        return self.answer_waiting(self.receives("image", body, **fields))

    def sends_anything(self, kind: str) -> list[OutboundMessage]:
        """Send a message of another type and return the bot's new messages."""
        return self.answer_waiting(self.receives(kind, {kind: {}}))

    def receives(self, kind: str, body: dict[str, Any], **fields: Any) -> InboundMessage:
        """Store a message from the buyer in the inbox without answering it."""
        serial = next(_serial)
        wa_message_id = f"wamid.test{serial}"
        message = InboundMessage(
            **{
                "phone_number_id": self.contact.phone_number_id,
                "wa_message_id": wa_message_id,
                "dedupe_key": wa_message_id,
                "contact": self.contact,
                "type": kind,
                "text": _read_text(body),
                "payload": {"id": wa_message_id, "type": kind, **body},
                "sent_at": self.now,
                "received_at": self.now,
                "status": InboxStatus.RECEIVED,
                **fields,
            }
        )
        _INSERT_MESSAGES.run([message])
        return message

    def answer_waiting(self, _: InboundMessage | None = None) -> list[OutboundMessage]:
        """Answer the waiting messages and return the bot's new messages."""
        before = {message.pk for message in self.list_messages()}
        while answer_waiting_messages(self.contact.pk, now=self.now, pivot=12345).messages:
            pass
        return [message for message in self.list_messages() if message.pk not in before]

    def gets_messages(self) -> None:
        """Record that Meta accepted all that is queued for the buyer, as soon as it was queued."""
        queued = OutboundMessage.objects.filter(contact=self.contact, status=OutboxStatus.QUEUED)
        queued.update(status=OutboxStatus.SENT, sent_at=F("created_at"))

    def list_messages(self) -> list[OutboundMessage]:
        """Return all messages to this buyer so far."""
        return _MESSAGES.fetch(contact=self.contact.pk)

    def list_message_keys(self) -> list[str]:
        """Return the keys of all messages to this buyer so far."""
        return [message.key for message in self.list_messages()]

    def later(self, **delta: float) -> "BuyerChat":
        """Move the clock and return the chat."""
        self.now += timedelta(**delta)
        return self

    @property
    def state(self) -> State:
        """The state of the conversation."""
        self.contact.refresh_from_db()
        return State(self.contact.state)

    def order(self) -> Order:
        """Return the buyer's latest order."""
        latest = Order.objects.filter(contact=self.contact).order_by("-pk").first()
        assert latest is not None
        return latest

    def buys(self, *, numbers: str = "3 random") -> Order:
        """Go from the first message to an order that waits for its payment."""
        self.says("hi")
        self.says(numbers)
        self.taps("Confirm")
        return self.order()


def _read_text(body: dict[str, Any]) -> str:
    """Return what a person reads of a message: its text, or the title of a tapped button."""
    tapped = body.get("interactive", {}).get("button_reply", {}).get("title", "")
    return str(body.get("text", {}).get("body", tapped))


def list_choices(message: OutboundMessage) -> list[tuple[str, str]]:
    """Return the id and the title of everything that can be tapped in a message."""
    action = message.payload.get("interactive", {}).get("action", {})
    buttons = [b["reply"] for b in action.get("buttons", [])]
    rows = [row for section in action.get("sections", []) for row in section["rows"]]
    return [(choice["id"], choice["title"]) for choice in (*buttons, *rows)]


def render_body(message: OutboundMessage) -> str:
    """Return a message's text as a person reads it."""
    return messages.render_preview(message.payload)
