"""Context of a contact's page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from backoffice.messaging import bot_state, buyer_pattern, chat_state, chat_view
from backoffice.messaging.bot_state import BotState
from backoffice.messaging.channel_actions import BLOCK_CONTACT_PERMISSION
from backoffice.messaging.chat_view import ChatBubble, Conversation
from backoffice.messaging.contacts.buyer_erasure import (
    ERASE_BUYER_PERMISSION,
    EXPORT_BUYER_PERMISSION,
)
from backoffice.ui import display
from shared.core.constants import SERVICE_WINDOW, SERVICE_WINDOW_MARGIN
from shared.core.enums import OrderStatus, State
from shared.raffles.models import Order
from shared.raffles.services.queries import refund_queries
from shared.use_cases.contacts import handover
from shared.whatsapp import window
from shared.whatsapp.models import WhatsAppContact

ANSWER_BUYER_PERMISSION: Final = "whatsapp.add_outboundmessage"
"""Writing to buyers, and pausing the bot meanwhile; sellers and reviewers have it."""

CONVERSATION_STATE_LABELS: Final = {
    State.MENU: "at the menu",
    State.CHOOSE_MODE: "choosing how to get numbers",
    State.ASK_QTY: "saying how many numbers",
    State.ASK_PICK_NUMBERS: "picking numbers",
    State.CONFIRM_RESERVATION: "about to confirm the numbers held",
    State.WAIT_PROOF: "about to pay",
    State.DONE: "done with a purchase",
}
"""States of a conversation, as in "Ana is …"."""

ORDER_STATUS_BADGES: Final = {
    OrderStatus.DRAFT: ("Held, not confirmed", "secondary"),
    OrderStatus.PENDING_PAYMENT: ("Waits for payment", "warning"),
    OrderStatus.PAID: ("Paid", "success"),
    OrderStatus.CANCELLED: ("Cancelled", "dark"),
    OrderStatus.EXPIRED: ("Expired", "dark"),
}
TEMPLATE: Final = "admin/whatsapp/whatsappcontact/change_form.html"

_MAX_ORDERS: Final = 20
_MAX_MESSAGES: Final = 100


@dataclass(frozen=True, slots=True)
class ContactOrderRow:
    """An order of the contact as a table row."""

    code: str
    address: str
    raffle: str
    status: str
    style: str
    quantity: int
    total: str
    at: str


@dataclass(frozen=True, slots=True)
class ContactDetailPage:
    """Context of a contact's page.

    Attributes:
        contact: the contact.
        name: the contact's name.
        phone: with a plus sign; empty if hidden.
        doing: state of the conversation.
        window: whether and until when the 24-hour window is open.
        open: whether the 24-hour window is open.
        wrote: when the contact last wrote.
        orders: the newest orders.
        more_orders: whether there are older ones.
        live: whether one of the orders is live: it holds numbers and is not settled.
        talk: the latest messages.
        untold: our latest news, if the contact did not receive it.
        by_hand: wa.me link with that news; empty without a phone number.
        bot: whether the bot answers the contact.
        may_answer: whether the user may write to the contact and pause the bot.
        closed: why nobody can write now; empty if the user can.
        until: until when they can.
        draft: a text that was not sent, to be kept in the box.
        draft_by_hand: wa.me link with that text; empty without a phone number.
        request_key: unique key of the form that sends a text, so that it is sent once.
        version: changes with each message and with the state of the bot; see `chat_state`.
        may_block: whether the user may block and unblock the contact.
        may_export: whether the user may export what is stored about the contact.
        may_erase: whether the user may erase it.
        erased: when it was erased; empty if it was not.
        facts: further details as names and values.
        pattern: that much of this buyer waits at once; empty if it does not.
        remembered: the conversation's stored context as JSON.

    """

    contact: WhatsAppContact
    name: str
    phone: str
    doing: str
    window: str
    open: bool
    wrote: str
    orders: Sequence[ContactOrderRow]
    more_orders: bool
    live: bool
    talk: Conversation
    untold: ChatBubble | None
    by_hand: str
    bot: BotState
    may_answer: bool
    closed: str
    until: str
    draft: str
    draft_by_hand: str
    request_key: UUID
    version: str
    may_block: bool
    may_export: bool
    may_erase: bool
    erased: str
    facts: Sequence[tuple[str, str]]
    pattern: str
    remembered: str


def load_contact_page(
    contact: WhatsAppContact, *, request: HttpRequest, now: datetime, draft: str = ""
) -> ContactDetailPage:
    """Return the context of a contact's page, from five queries.

    Args:
        contact: the contact.
        request: the request of the user, whose permissions decide about buttons.
        now: the current time.
        draft: a text to the contact that was not sent.

    """
    found = contact.orders.select_related("raffle")
    orders = list(found.prefetch_related("ledger").order_by("-id")[: _MAX_ORDERS + 1])
    talk = chat_view.load_conversation(contact.pk, zone=settings.TIME_ZONE, limit=_MAX_MESSAGES)
    untold = talk.untold
    gone = contact.erased_at is not None
    refusal = handover.find_staff_message_refusal(contact, now=now)
    return ContactDetailPage(
        contact=contact,
        name=str(contact),
        phone=format_phone_number(contact),
        doing=CONVERSATION_STATE_LABELS[State(contact.state)],
        window=_describe_window(contact, now=now),
        open=window.is_window_open(contact.last_inbound_at, now=now),
        wrote=display.format_time(contact.last_inbound_at),
        orders=[build_order_row(order) for order in orders[:_MAX_ORDERS]],
        more_orders=len(orders) > _MAX_ORDERS,
        live=any(order.status in Order.LIVE for order in orders),
        talk=replace(talk, earlier=False),  # the link to earlier messages would lead to this page
        untold=untold,
        by_hand=chat_view.build_whatsapp_link(contact.wa_id, text=untold.plain) if untold else "",
        bot=bot_state.describe_bot_state(contact, now=now),
        may_answer=not gone and request.user.has_perm(ANSWER_BUYER_PERMISSION),
        closed="" if refusal is None else refusal.message(),
        until=display.format_time(_compute_window_end(contact)),
        draft=draft,
        draft_by_hand=chat_view.build_whatsapp_link(contact.wa_id, text=draft.strip()),
        request_key=uuid4(),
        version=chat_state.compute_chat_version(contact, bubbles=talk.bubbles, now=now),
        may_block=not gone and request.user.has_perm(BLOCK_CONTACT_PERMISSION),
        may_export=not gone and request.user.has_perm(EXPORT_BUYER_PERMISSION),
        may_erase=not gone and request.user.has_perm(ERASE_BUYER_PERMISSION),
        erased=display.format_time(contact.erased_at) if gone else "",
        facts=(
            ("User name", contact.username or "–"),
            ("User id", contact.user_id or "–"),
            ("Business number", contact.phone_number_id),
            ("Known since", display.format_time(contact.created_at)),
            ("Pause by Meta", display.format_time(contact.send_after)),
        ),
        pattern=buyer_pattern.describe_pattern(contact.pk),
        remembered=display.format_json(contact.context, sort_keys=True),
    )


def format_phone_number(contact: WhatsAppContact) -> str:
    """Return the phone number with a plus sign; empty if the contact hides it."""
    return f"+{contact.wa_id}" if contact.wa_id else ""


def _compute_window_end(contact: WhatsAppContact) -> datetime | None:
    """Return when the 24-hour window closes or closed; None if the contact never wrote."""
    last_inbound_at = contact.last_inbound_at
    return (
        None
        if last_inbound_at is None
        else last_inbound_at + SERVICE_WINDOW - SERVICE_WINDOW_MARGIN
    )


def _describe_window(contact: WhatsAppContact, *, now: datetime) -> str:
    if contact.erased_at is not None:
        return "No: their phone number was erased"
    if contact.last_inbound_at is None:
        return "Closed: they have not written yet"
    if window.is_window_open(contact.last_inbound_at, now=now):
        return f"Open until {display.format_time(_compute_window_end(contact))}"
    return "Closed: more than 24 hours since they wrote"


def build_order_row(order: Order) -> ContactOrderRow:
    """Return an order as a table row; its raffle is loaded, and its ledger prefetched."""
    status, style = ORDER_STATUS_BADGES[OrderStatus(order.status)]
    if order.needs_decision:
        status, style = "Needs a decision", "danger"
    elif order.under_review:
        status, style = "Proof to review", "primary"
    elif order.status not in Order.LIVE and refund_queries.is_refunded(order):
        status, style = "Refunded", "dark"
    return ContactOrderRow(
        code=str(order),
        address=reverse("admin:raffles_order_change", args=[order.pk]),
        raffle=str(order.raffle),
        status=status,
        style=style,
        quantity=order.quantity,
        total=display.format_order_total(order),
        at=display.format_time(order.created_at, zone=order.raffle.time_zone),
    )
