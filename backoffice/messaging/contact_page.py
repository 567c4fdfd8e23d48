"""What the page of a contact shows, read at once before it is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from backoffice.messaging import chat_view
from backoffice.messaging.channel_actions import BLOCK
from backoffice.messaging.chat_view import Bubble, Conversation
from backoffice.messaging.message_page import pretty
from backoffice.ui import display
from shared.core.constants import SERVICE_WINDOW, SERVICE_WINDOW_MARGIN
from shared.core.enums import OrderStatus, State
from shared.raffles.models import Order
from shared.whatsapp import window
from shared.whatsapp.models import WhatsAppContact

STATES: Final = {
    State.MENU: "at the menu",
    State.CHOOSE_MODE: "choosing how to get numbers",
    State.ASK_QTY: "saying how many numbers",
    State.ASK_PICK_NUMBERS: "picking numbers",
    State.CONFIRM_RESERVATION: "about to confirm the numbers held",
    State.WAIT_PROOF: "about to pay",
    State.DONE: "done with a purchase",
}
"""Where a conversation stands, as in "Ana is …"."""

ORDER_STYLES: Final = {
    OrderStatus.DRAFT: ("Held, not confirmed", "secondary"),
    OrderStatus.PENDING_PAYMENT: ("Waits for payment", "warning"),
    OrderStatus.PAID: ("Paid", "success"),
    OrderStatus.CANCELLED: ("Cancelled", "dark"),
    OrderStatus.EXPIRED: ("Expired", "dark"),
}
_ORDERS: Final = 20
_MESSAGES: Final = 100


@dataclass(frozen=True, slots=True)
class ShownOrder:
    """One order of the buyer as a row."""

    code: str
    address: str
    raffle: str
    status: str
    style: str
    quantity: int
    total: str
    at: str


@dataclass(frozen=True, slots=True)
class Buyer:
    """The page of a contact.

    Attributes:
        name: what they call themselves.
        phone: with a plus; empty while they hide it.
        doing: where the conversation stands, in words.
        window: whether we may write, and until when, in words.
        open: whether we may write freely.
        orders: the newest.
        more_orders: there are older ones.
        live: an order of theirs holds numbers and is not settled.
        talk: the end of the conversation.
        untold: the last news they did not get, or None.
        by_hand: a link that opens WhatsApp with those news; empty without a phone number.
        may_block: whether this person may block and unblock.
        facts: small print, names and values.
        remembered: what the bot keeps of the conversation, as JSON.

    """

    contact: WhatsAppContact
    name: str
    phone: str
    doing: str
    window: str
    open: bool
    wrote: str
    orders: Sequence[ShownOrder]
    more_orders: bool
    live: bool
    talk: Conversation
    untold: Bubble | None
    by_hand: str
    may_block: bool
    facts: Sequence[tuple[str, str]]
    remembered: str


def of(contact: WhatsAppContact, *, request: HttpRequest, now: datetime) -> Buyer:
    """Read everything the page of `contact` shows, in three queries."""
    found = list(contact.orders.select_related("raffle").order_by("-id")[: _ORDERS + 1])
    talk = chat_view.of_contact(contact.pk, zone=settings.TIME_ZONE, limit=_MESSAGES)
    untold = talk.untold
    return Buyer(
        contact=contact,
        name=str(contact),
        phone=phone(contact),
        doing=STATES[State(contact.state)],
        window=_window(contact, now=now),
        open=window.is_window_open(contact.last_inbound_at, now=now),
        wrote=display.clock(contact.last_inbound_at),
        orders=[_shown(order) for order in found[:_ORDERS]],
        more_orders=len(found) > _ORDERS,
        live=any(order.status in Order.LIVE for order in found),
        talk=replace(talk, earlier=False),  # the link would lead to this very page
        untold=untold,
        by_hand=chat_view.by_hand(contact, text=untold.plain) if untold else "",
        may_block=request.user.has_perm(BLOCK),
        facts=(
            ("User name", contact.username or "–"),
            ("User id", contact.user_id or "–"),
            ("Business number", contact.phone_number_id),
            ("Known since", display.clock(contact.created_at)),
            ("Pause by Meta", display.clock(contact.send_after)),
        ),
        remembered=pretty(contact.context),
    )


def phone(contact: WhatsAppContact) -> str:
    """Write the phone number with its plus; empty while the buyer hides it."""
    return f"+{contact.wa_id}" if contact.wa_id else ""


def closes_at(contact: WhatsAppContact) -> datetime | None:
    """Say when the 24 h window closes or closed; None for somebody who never wrote."""
    wrote = contact.last_inbound_at
    return None if wrote is None else wrote + SERVICE_WINDOW - SERVICE_WINDOW_MARGIN


def left(contact: WhatsAppContact, *, now: datetime) -> timedelta:
    """Say for how long we may still write; zero once the window is closed."""
    closes = closes_at(contact)
    return max(timedelta(0), closes - now) if closes else timedelta(0)


def _window(contact: WhatsAppContact, *, now: datetime) -> str:
    if contact.last_inbound_at is None:
        return "Closed: they have not written yet"
    if window.is_window_open(contact.last_inbound_at, now=now):
        return f"Open until {display.clock(closes_at(contact))}"
    return "Closed: more than 24 hours since they wrote"


def _shown(order: Order) -> ShownOrder:
    status, style = ORDER_STYLES[OrderStatus(order.status)]
    if order.needs_decision:
        status, style = "Paid too late: decide", "danger"
    elif order.under_review:
        status, style = "Proof to review", "primary"
    return ShownOrder(
        code=str(order),
        address=reverse("admin:raffles_order_change", args=[order.pk]),
        raffle=str(order.raffle),
        status=status,
        style=style,
        quantity=order.quantity,
        total=display.money(order),
        at=display.clock(order.created_at, zone=order.raffle.time_zone),
    )
