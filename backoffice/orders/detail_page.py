"""What the page of one order shows: the facts, the decision, the history and the conversation."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import prefetch_related_objects
from django.http import HttpRequest
from django.urls import reverse

from backoffice.messaging import chat_view
from backoffice.messaging.chat_view import Conversation
from backoffice.orders import summary, timeline
from backoffice.orders.prefetched import format_order_buyer
from backoffice.orders.summary import OrderSummary
from backoffice.orders.timeline import TimelineEntry
from backoffice.ui import display
from shared.core.enums import OrderStatus
from shared.raffles.models import Order


@dataclass(frozen=True, slots=True)
class TicketNumberLink:
    """A number of the order; `gone` if somebody else has it, `address` of its place on the map."""

    written: str
    gone: bool
    address: str


@dataclass(frozen=True, slots=True)
class OrderDetailPage:
    """The page of one order.

    Attributes:
        review: its facts, proofs, and what can be decided.
        buyer: name and phone, also of a sale for cash.
        zone: the raffle's time zone, for people.
        numbers: what it has, or had last.
        left: until its clock ends: "8 min"; empty while none runs.
        overdue: that clock has ended, and the numbers are about to be free.
        asked: since when the buyer owes a better proof: "12 min"; empty if they owe none.
        timeline: its history, newest first.
        conversation: of its buyer; None for a sale for cash, or who may not read it.
        by_hand: opens WhatsApp with the news that the buyer did not get; empty without a phone.

    """

    review: OrderSummary
    buyer: str
    zone: str
    numbers: tuple[TicketNumberLink, ...]
    left: str
    overdue: bool
    asked: str
    timeline: tuple[TimelineEntry, ...]
    conversation: Conversation | None
    by_hand: str


def load_order_page(order: Order, *, request: HttpRequest, now: datetime) -> OrderDetailPage:
    """Read the page of `order`, which comes with raffle and contact.

    Args:
        order: whose page.
        request: its user may see the conversation, or not.
        now: what "12 min ago" counts from.

    """
    prefetch_related_objects([order], "events")
    zone = order.raffle.time_zone
    read = summary.load_order_summary(order, now=now)
    talk = _load_conversation(order, request=request)
    ends = order.expires_at if order.status in Order.LIVE else None
    return OrderDetailPage(
        review=read,
        buyer=format_order_buyer(order),
        zone=zone.replace("_", " "),
        numbers=tuple(
            TicketNumberLink(number.written, number.gone, _build_map_url(order, number.written))
            for number in read.numbers
        ),
        left=display.format_time_since(now, now=ends) if ends else "",
        overdue=ends is not None and ends <= now,
        asked=_describe_proof_request(order, now=now),
        timeline=timeline.build_timeline(order.events.all(), zone=zone, now=now),
        conversation=talk,
        by_hand=_build_whatsapp_link(order, talk),
    )


def _load_conversation(order: Order, *, request: HttpRequest) -> Conversation | None:
    if order.contact_id is None or not request.user.has_perm("whatsapp.view_inboundmessage"):
        return None
    return chat_view.load_conversation(order.contact_id, zone=order.raffle.time_zone)


def _build_whatsapp_link(order: Order, talk: Conversation | None) -> str:
    if order.contact is None or talk is None or talk.untold is None:
        return ""
    return chat_view.build_whatsapp_link(order.contact.wa_id, text=talk.untold.plain)


def _describe_proof_request(order: Order, *, now: datetime) -> str:
    owes = order.asked_again_at if order.status == OrderStatus.PENDING_PAYMENT else None
    return display.format_time_since(owes, now=now) if owes else ""


def _build_map_url(order: Order, written: str) -> str:
    page = reverse("admin:desk_numbers", args=[order.raffle_id])
    return f"{page}?{urlencode({'number': written})}"
