"""A buyer, the entries of their chats, and what can be tapped in them."""

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
        """Return a button as JSON for the control interface."""
        return {"index": self.index, "id": self.id, "title": self.title}

    def as_row(self) -> dict[str, Any]:
        """Return a row as JSON for the control interface."""
        more = {"description": self.description, "section": self.section}
        return {**self.as_button(), **more}


@dataclass(frozen=True, kw_only=True)
class DisplayedMessage:
    """A message as a person sees it."""

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
    """One message in a chat; only `status` changes.

    A buyer's message is `sent`, then `delivered` when the gateway answered 200, then `read` when
    the gateway marked it. A message of the business is `delivered`, then `read` when the phone
    shows it.
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
        """Return the entry as JSON for the control interface."""
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
    """An accepted request to `/messages` and its delivery.

    Attributes:
        at: when it was accepted, in unix seconds.
        due: when it reaches the phone at the earliest, in unix seconds.
        failure_code: Meta's error code if the delivery fails.
        answered: the answer to the gateway: `200`, or the kind of the fault.

    """

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
        """Return the message as JSON for `GET /sandbox/outgoing`."""
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
    """A buyer: their WhatsApp profile and the chat on their phone."""

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
        """Append an entry to the chat and set its number."""
        entry.n = self.chat.add(entry)
        return entry

    def as_json(self) -> dict[str, Any]:
        """Return the buyer as JSON for `GET /sandbox/buyers/{wa_id}`."""
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
    """Return the business-scoped user id for a phone number, always the same one."""
    number = int.from_bytes(hashlib.sha256(wa_id.encode()).digest()[:8])
    return f"US.{number:020d}"
