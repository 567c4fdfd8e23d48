"""State of the stand-in: buyers, chats, sent messages, media, faults and webhooks."""

import asyncio
import base64
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from deploy.sandbox import webhook_payloads
from deploy.sandbox.bounded_log import BoundedLog
from deploy.sandbox.chat import ChatEntry, OutgoingMessage, SandboxBuyer, compute_user_id
from deploy.sandbox.fault_injection import FaultPlan
from deploy.sandbox.media import MediaStore
from deploy.sandbox.options import SandboxBehaviour, SandboxOptions
from deploy.sandbox.wakeup import ChangeSignal
from deploy.sandbox.webhook_delivery import TooManyWebhooks, WebhookDelivery, WebhookPoster

MAX_BUYERS: Final = 50_000
MAX_KNOWN_MESSAGES: Final = 200_000
MAX_OUTGOING: Final = 50_000
MAX_REQUESTS: Final = 20_000
TYPING_SECONDS: Final = 25
TIMER_TOLERANCE_SECONDS: Final = 0.05


class SandboxState:
    """State in memory, used from one event loop, so that nothing needs a lock."""

    def __init__(self, options: SandboxOptions, behaviour: SandboxBehaviour) -> None:
        self.options = options
        self.behaviour = behaviour
        self.initial_behaviour = behaviour
        self.changes = ChangeSignal()
        self.webhooks = WebhookPoster(
            lambda: self.behaviour, secret=options.app_secret, changes=self.changes
        )
        self._clear()

    def _clear(self) -> None:
        self.buyers: OrderedDict[str, SandboxBuyer] = OrderedDict()
        self.by_user_id: dict[str, SandboxBuyer] = {}
        self.messages_by_id: OrderedDict[str, tuple[SandboxBuyer, ChatEntry]] = OrderedDict()
        self.outgoing: BoundedLog[OutgoingMessage] = BoundedLog(MAX_OUTGOING)
        self.requests: BoundedLog[dict[str, Any]] = BoundedLog(MAX_REQUESTS)
        self.media = MediaStore()
        self.faults = FaultPlan()
        self.subscribed = True
        self._sent: OrderedDict[str, OutgoingMessage] = OrderedDict()
        self._timers: set[asyncio.TimerHandle] = set()

    def reset(self) -> None:
        """Delete everything that happened and restore the initial settings."""
        self.webhooks.cancel_all()
        for timer in self._timers:
            timer.cancel()
        self.behaviour = self.initial_behaviour
        self._clear()
        self.changes.notify()

    # buyers

    def find_or_create_buyer(self, wa_id: str) -> SandboxBuyer:
        """Return the buyer with this phone number; create one if there is none."""
        buyer = self.buyers.get(wa_id)
        if buyer is None:
            buyer = SandboxBuyer(
                wa_id=wa_id, name=f"Buyer {wa_id[-4:]}", user_id=compute_user_id(wa_id)
            )
            self.buyers[wa_id] = buyer
            self.by_user_id[buyer.user_id] = buyer
            if len(self.buyers) > MAX_BUYERS:
                _, oldest = self.buyers.popitem(last=False)
                self.by_user_id.pop(oldest.user_id, None)
        return buyer

    def change_user_id(self, buyer: SandboxBuyer, *, user_id: str) -> None:
        """Set another business-scoped user id of a buyer."""
        self.by_user_id.pop(buyer.user_id, None)
        buyer.user_id = user_id
        if user_id:
            self.by_user_id[user_id] = buyer

    def find_entry(self, buyer: SandboxBuyer, reference: object) -> ChatEntry | None:
        """Find an entry of this buyer's chat by wamid or number."""
        number = int(str(reference)) if str(reference).isdecimal() else None
        for entry in buyer.chat.list_newest_first():
            if entry.id == reference or entry.n == number:
                return entry
        return None

    def _remember(self, buyer: SandboxBuyer, entry: ChatEntry) -> None:
        self.messages_by_id[entry.id] = (buyer, entry)
        if len(self.messages_by_id) > MAX_KNOWN_MESSAGES:
            self.messages_by_id.popitem(last=False)

    @property
    def is_subscribed(self) -> bool:
        """Whether our app gets the account's webhooks of the field `messages`."""
        return self.subscribed and "messages" in self.behaviour.subscribed_fields

    # from buyers to the gateway

    def post_buyer_messages(
        self, sent: Sequence[tuple[SandboxBuyer, ChatEntry]], *, copies: int = 1
    ) -> list[WebhookDelivery]:
        """Add messages to the buyers' chats and post them as one webhook, `copies` times.

        Raises:
            TooManyWebhooks: too many webhooks wait for the gateway.

        """
        for buyer, entry in sent:
            if entry.n == 0:
                buyer.add_entry(entry)
                self._remember(buyer, entry)
            self._open_window(buyer, entry)
        self.changes.notify()
        if not self.is_subscribed:
            return []
        body = webhook_payloads.encode_json(
            webhook_payloads.build_messages_webhook(self.options, sent=sent)
        )
        # copies are posted at the same time, so they do not share the buyer's lane
        lane = sent[0][0].wa_id if copies == 1 else ""
        description = ", ".join(f"{entry.shown.type} {entry.id}" for _, entry in sent[:3])
        return [
            self.webhooks.post_until_accepted(
                body,
                description=description,
                lane=lane,
                on_accepted=lambda: self._mark_delivered(sent),
            )
            for _ in range(copies)
        ]

    def _mark_delivered(self, sent: Sequence[tuple[SandboxBuyer, ChatEntry]]) -> None:
        for _, entry in sent:
            if entry.status == "sent":
                entry.status = "delivered"
        self.changes.notify()

    def _open_window(self, buyer: SandboxBuyer, entry: ChatEntry) -> None:
        # Meta does not say whether a reaction opens the window; the strict answer finds mistakes
        if entry.raw.get("type") in {"reaction", "system"}:
            return
        stamp = str(entry.raw.get("timestamp"))
        written = float(stamp) if stamp.isdecimal() else entry.at
        before = buyer.last_wrote.get(entry.phone_number_id, written)
        buyer.last_wrote[entry.phone_number_id] = max(before, written)

    # from the gateway to buyers

    def send_to_buyer(self, outgoing: OutgoingMessage) -> None:
        """Deliver an accepted message to the buyer's phone, now or after the delivery delay."""
        buyer = outgoing.buyer
        if buyer is None:
            return
        if outgoing.failure_code is not None:
            outgoing.status = "failed"
            self._post_status(outgoing, "failed")
            return
        outgoing.status = "sent"
        self._post_status(outgoing, "sent")
        buyer.undelivered.append(outgoing)
        self._sent[outgoing.id] = outgoing
        if len(self._sent) > MAX_OUTGOING:
            self._sent.popitem(last=False)
        if self.behaviour.delivery_delay:
            self._deliver_later(buyer, delay=self.behaviour.delivery_delay)
        else:
            self.deliver_waiting(buyer)

    def _deliver_later(self, buyer: SandboxBuyer, *, delay: float) -> None:
        def due() -> None:
            self._timers.discard(timer)
            self.deliver_waiting(buyer)

        timer = asyncio.get_running_loop().call_later(delay, due)
        self._timers.add(timer)

    def deliver_waiting(self, buyer: SandboxBuyer) -> None:
        """Deliver the due messages in order, if the buyer's phone is online."""
        now = time.time()
        while buyer.online and buyer.undelivered:
            # a timer may fire slightly early, and must still deliver its own message
            if buyer.undelivered[0].due > now + TIMER_TOLERANCE_SECONDS:
                break
            outgoing = buyer.undelivered.popleft()
            self._show(buyer, outgoing, now=now)
            if outgoing.body.get("type") != "reaction":
                self._post_status(outgoing, "delivered")
        self.changes.notify()

    def _show(self, buyer: SandboxBuyer, outgoing: OutgoingMessage, *, now: float) -> None:
        entry = outgoing.entry
        if entry is None:
            return
        outgoing.status = entry.status = "delivered"
        entry.at = now
        buyer.add_entry(entry)
        buyer.typing_until = 0
        self._remember(buyer, entry)

    def mark_seen_by_buyer(self, entries: Sequence[ChatEntry]) -> None:
        """Mark messages of the business as read by the buyer."""
        for entry in entries:
            if entry.side == "buyer" or entry.status != "delivered":
                continue
            entry.status = "read"
            outgoing = self._sent.get(entry.id)
            if outgoing is not None:
                outgoing.status = "read"
                if outgoing.body.get("type") != "reaction":
                    self._post_status(outgoing, "read")

    def mark_read_by_business(self, buyer: SandboxBuyer, entry: ChatEntry, *, typing: bool) -> None:
        """Mark a buyer's message, and all before it, as read by the business."""
        for other in buyer.chat.list_newest_first():
            if other.side == "buyer" and other.n <= entry.n:
                if other.status == "read":
                    break
                other.status = "read"
        if typing:
            buyer.typing_until = time.time() + TYPING_SECONDS
        self.changes.notify()

    def _post_status(self, outgoing: OutgoingMessage, name: str) -> None:
        reported = name == "failed" or name in self.behaviour.statuses
        if not reported or not self.is_subscribed:
            return
        payload = webhook_payloads.build_status_webhook(
            self.options, outgoing=outgoing, name=name, now=time.time()
        )
        lane = outgoing.buyer.wa_id + " statuses" if outgoing.buyer else ""
        try:
            self.webhooks.post_until_accepted(
                webhook_payloads.encode_json(payload),
                description=f"status {name} {outgoing.id}",
                lane=lane,
                delay=self.behaviour.status_delay,
            )
        except TooManyWebhooks:
            return  # counted as dropped in the state

    # media and logs

    def describe_media(self, media_id: str) -> Mapping[str, str]:
        """Return the address and the type of a media file."""
        medium = self.media.find_file(media_id, now=time.time())
        mime_type = medium.mime_type if medium else ""
        return {"media_id": media_id, "url": f"/sandbox/media/{media_id}", "mime_type": mime_type}

    def log_request(
        self, request: Request, response: Response, *, code: int | None = None, details: str = ""
    ) -> None:
        """Log one request to the Graph API with its answer."""
        self.requests.add(
            {
                "method": request.method,
                "path": request.url.path,
                "status": response.status_code,
                "code": code,
                "details": details,
                "at": datetime.now(UTC).isoformat(),
            }
        )

    @property
    def is_idle(self) -> bool:
        """Whether every webhook is accepted and no message is delayed."""
        return self.webhooks.pending == 0 and not self._timers

    @property
    def delayed_count(self) -> int:
        """Return the number of messages whose delivery delay is not over."""
        return len(self._timers)


def generate_wamid(wa_id: str) -> str:
    """Generate a new message id that looks like Meta's."""
    raw = b"\x1c\x18\x0b" + wa_id.encode() + b"\x15\x02\x00\x12\x18\x14" + secrets.token_bytes(12)
    return "wamid." + base64.b64encode(raw).decode()
