"""What a buyer's phone shows: the buyer, the entries of the chat, what can be tapped in them."""

import hashlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from deploy.sandbox.bounded_log import BoundedLog

MAX_CHAT_ENTRIES: Final = 2_000
Reachability = Literal["ok", "undeliverable", "not_allowed"]
ChatSide = Literal["buyer", "business"]


@dataclass(frozen=True, kw_only=True)
class ChatChoice:
    """A button or a row; `index` counts from 1 within its message."""

    index: int
    id: str
    title: str
    description: str = ""
    section: str = ""

    def as_button(self) -> dict[str, Any]:
        """Give what the control interface says of a button."""
        return {"index": self.index, "id": self.id, "title": self.title}

    def as_row(self) -> dict[str, Any]:
        """Give what the control interface says of a row."""
        more = {"description": self.description, "section": self.section}
        return {**self.as_button(), **more}


@dataclass(frozen=True, kw_only=True)
class DisplayedMessage:
    """The face of a message: what a person sees of it."""

    type: str
    text: str = ""
    header: str = ""
    footer: str = ""
    label: str = ""
    picture: Mapping[str, str] | None = None
    file: Mapping[str, str] | None = None
    link: Mapping[str, str] | None = None
    buttons: tuple[ChatChoice, ...] = ()
    rows: tuple[ChatChoice, ...] = ()


@dataclass(kw_only=True)
class ChatEntry:
    """One message in a chat; `status` moves on, the rest stays.

    A buyer's message is `sent`, then `delivered` when the gateway answered 200, then `read` when
    the gateway marked it. The business's is `delivered`, then `read` when the phone looked.
    """

    id: str
    side: ChatSide
    phone_number_id: str
    shown: DisplayedMessage
    at: float
    status: str
    raw: Mapping[str, Any]
    reply_to: str | None = None
    phone_hidden: bool = False
    n: int = 0

    def as_json(self) -> dict[str, Any]:
        """Give the entry as the control interface shows it."""
        shown = self.shown
        return {
            "n": self.n,
            "id": self.id,
            "from": self.side,
            "phone_number_id": self.phone_number_id,
            "type": shown.type,
            "text": shown.text,
            "header": shown.header,
            "footer": shown.footer,
            "picture": shown.picture,
            "file": shown.file,
            "link": shown.link,
            "buttons": [choice.as_button() for choice in shown.buttons],
            "label": shown.label,
            "rows": [choice.as_row() for choice in shown.rows],
            "reply_to": self.reply_to,
            "status": self.status,
            "at": datetime.fromtimestamp(self.at, UTC).isoformat(),
            "raw": self.raw,
        }


@dataclass(kw_only=True)
class OutgoingMessage:
    """A request to `/messages` that was accepted, and what became of it."""

    id: str
    to: str
    buyer: "SandboxBuyer | None"
    phone_number_id: str
    body: Mapping[str, Any]
    at: float
    due: float
    status: str = "accepted"
    failure_code: int | None = None
    answered: str = "200"
    entry: ChatEntry | None = None

    def as_json(self, n: int) -> dict[str, Any]:
        """Give the record as `GET /sandbox/outgoing` shows it."""
        return {
            "n": n,
            "id": self.id,
            "to": self.to,
            "wa_id": self.buyer.wa_id if self.buyer else None,
            "phone_number_id": self.phone_number_id,
            "body": self.body,
            "status": self.status,
            "answered": self.answered,
            "at": datetime.fromtimestamp(self.at, UTC).isoformat(),
        }


@dataclass(kw_only=True)
class SandboxBuyer:
    """A person with a phone: how WhatsApp knows them and what their phone holds."""

    wa_id: str
    name: str = ""
    username: str = ""
    user_id: str = ""
    hide_phone: bool = False
    online: bool = True
    reach: Reachability = "ok"
    chat: BoundedLog[ChatEntry] = field(default_factory=lambda: BoundedLog(MAX_CHAT_ENTRIES))
    last_wrote: dict[str, float] = field(default_factory=dict)
    undelivered: deque[OutgoingMessage] = field(default_factory=deque)
    allowance: dict[str, tuple[float, float]] = field(default_factory=dict)
    typing_until: float = 0

    def add_entry(self, entry: ChatEntry) -> ChatEntry:
        """Put an entry at the end of the chat."""
        entry.n = self.chat.add(entry)
        return entry

    def as_json(self) -> dict[str, Any]:
        """Give what `GET /sandbox/buyers/{wa_id}` says."""
        return {
            "wa_id": self.wa_id,
            "user_id": self.user_id,
            "name": self.name,
            "username": self.username,
            "hide_phone": self.hide_phone,
            "online": self.online,
            "reach": self.reach,
            "messages": self.chat.last,
            "waiting": len(self.undelivered),
        }


def compute_user_id(wa_id: str) -> str:
    """Give the business-scoped user id this stand-in has for a phone number: always the same."""
    number = int.from_bytes(hashlib.sha256(wa_id.encode()).digest()[:8])
    return f"US.{number:020d}"
