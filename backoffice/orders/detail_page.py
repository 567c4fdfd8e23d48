"""The page of one order: its facts, decisions, history and conversation."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from django.db.models import prefetch_related_objects
from django.http import HttpRequest
from django.urls import reverse

from backoffice.messaging import bot_state, chat_view
from backoffice.messaging.chat_view import Conversation
from backoffice.orders import source_labels, summary, timeline
from backoffice.orders.prefetched import format_order_buyer
from backoffice.orders.summary import OrderSummary
from backoffice.orders.timeline import TimelineEntry
from backoffice.ui import display
from shared.conversation import formatting
from shared.core.enums import LedgerKind, OrderStatus
from shared.raffles.models import LedgerEntry, Order


@dataclass(frozen=True, slots=True)
class TicketNumberLink:
    """A ticket number of the order; `gone` if somebody else has it, `address` on the map."""

    written: str
    gone: bool
    address: str


LEDGER_KIND_LABELS: Final = {
    LedgerKind.CONFIRMED: "Payment confirmed",
    LedgerKind.UNDONE: "Confirmation undone",
    LedgerKind.REFUNDED: "Refunded",
    LedgerKind.LATE_REFUNDED: "Late payment sent back",
}


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """Money that came in or went back; `amount` has a minus sign if it went back."""

    words: str
    amount: str
    who: str
    at: str
    reference: str


@dataclass(frozen=True, slots=True)
class OrderDetailPage:
    """The page of one order.

    Attributes:
        review: Its facts, its proofs, and the decisions that are possible.
        buyer: Name and phone number, also for a cash sale.
        source: The link or ad by which the buyer came, e.g. "Link: poster"; empty if not known.
        zone: The name of the raffle's time zone.
        numbers: The ticket numbers it holds or held last.
        left: The time until it expires, e.g. "8 min"; empty if it does not expire.
        overdue: Whether that time is over and the ticket numbers are about to be freed.
        asked: The time since the buyer was asked for a better proof, e.g. "12 min"; empty if no
            better proof is missing.
        timeline: Its history, newest first.
        ledger: The money that came in and went back, oldest first.
        conversation: The chat with its buyer; None for a cash sale, or if the user may not read it.
        bot: Whether the buyer waits for a person or the bot is quiet, as a sentence; empty if
            neither, or if the user may not see contacts.
        by_hand: A link that opens WhatsApp with the text that did not reach the buyer; empty if
            there is none.

    """

    review: OrderSummary
    buyer: str
    source: str
    zone: str
    numbers: tuple[TicketNumberLink, ...]
    left: str
    overdue: bool
    asked: str
    timeline: tuple[TimelineEntry, ...]
    ledger: tuple[LedgerRow, ...]
    conversation: Conversation | None
    bot: str
    by_hand: str


def load_order_page(order: Order, *, request: HttpRequest, now: datetime) -> OrderDetailPage:
    """Return the page of an order.

    Args:
        order: The order, with its raffle and contact.
        request: The request of the user, whose permissions decide about the conversation.
        now: The current time.

    """
    prefetch_related_objects([order], "events", "ledger")
    zone = order.raffle.time_zone
    order_summary = summary.load_order_summary(order, now=now)
    conversation = _load_conversation(order, request=request)
    ends = order.expires_at if order.status in Order.LIVE else None
    return OrderDetailPage(
        review=order_summary,
        buyer=format_order_buyer(order),
        source=source_labels.describe_source(order.source),
        zone=zone.replace("_", " "),
        numbers=tuple(
            TicketNumberLink(number.written, number.gone, _build_map_url(order, number.written))
            for number in order_summary.numbers
        ),
        left=display.format_time_since(now, now=ends) if ends else "",
        overdue=ends is not None and ends <= now,
        asked=_describe_proof_request(order, now=now),
        timeline=timeline.build_timeline(order.events.all(), zone=zone, now=now),
        ledger=tuple(_build_ledger_row(entry, zone=zone) for entry in order.ledger.all()),
        conversation=conversation,
        bot=_describe_bot(order, request=request, now=now),
        by_hand=_build_whatsapp_link(order, conversation),
    )


def load_own_history(order: Order, *, now: datetime) -> list[dict[str, str]]:
    """Return the entries of an order's own history for Django's history page, newest first."""
    entries = timeline.build_timeline(order.events.all(), zone=order.raffle.time_zone, now=now)
    return [
        {
            "at": entry.clock,
            "who": ", ".join(filter(None, (entry.who, entry.door))),
            "what": entry.done,
            "reason": entry.reason,
        }
        for entry in entries
    ]


def _build_ledger_row(entry: LedgerEntry, *, zone: str) -> LedgerRow:
    kind = LedgerKind(entry.kind)
    sign = "" if kind is LedgerKind.CONFIRMED else "−"
    return LedgerRow(
        words=LEDGER_KIND_LABELS[kind]
        if not _is_second_refund(entry)
        else "Second payment sent back",
        amount=sign + formatting.format_money(entry.amount, entry.currency),
        who=entry.actor_label or entry.actor_kind.lower(),
        at=display.format_time(entry.at, zone=zone),
        reference=entry.reference,
    )


def _is_second_refund(entry: LedgerEntry) -> bool:
    """Whether the money of a second payment went back: its entry names the first one's."""
    return entry.kind == LedgerKind.LATE_REFUNDED and entry.confirmation_id is not None


def _load_conversation(order: Order, *, request: HttpRequest) -> Conversation | None:
    if order.contact_id is None or not request.user.has_perm("whatsapp.view_inboundmessage"):
        return None
    return chat_view.load_conversation(order.contact_id, zone=order.raffle.time_zone)


def _describe_bot(order: Order, *, request: HttpRequest, now: datetime) -> str:
    if order.contact is None or not request.user.has_perm("whatsapp.view_whatsappcontact"):
        return ""
    state = bot_state.describe_bot_state(order.contact, now=now)
    return state.sentence if state.waits or state.paused else ""


def _build_whatsapp_link(order: Order, conversation: Conversation | None) -> str:
    if order.contact is None or conversation is None or conversation.untold is None:
        return ""
    return chat_view.build_whatsapp_link(order.contact.wa_id, text=conversation.untold.plain)


def _describe_proof_request(order: Order, *, now: datetime) -> str:
    asked_at = order.asked_again_at if order.status == OrderStatus.PENDING_PAYMENT else None
    return display.format_time_since(asked_at, now=now) if asked_at else ""


def _build_map_url(order: Order, written: str) -> str:
    page = reverse("admin:desk_numbers", args=[order.raffle_id])
    return f"{page}?{urlencode({'number': written})}"
