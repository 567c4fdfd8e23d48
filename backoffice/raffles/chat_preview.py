"""Preview of a raffle's chat messages, built by the code that builds the chat's own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.utils.safestring import SafeString

from backoffice.messaging.chat_view import render_whatsapp_text
from backoffice.ui import display
from shared.conversation import formatting
from shared.conversation.facts.values import OrderFacts, RaffleFacts
from shared.conversation.texts import order_updates, orders, raffles
from shared.conversation.values import Reply
from shared.core.constants import DEFAULT_HOLD_MINUTES
from shared.core.enums import Mode, OrderStatus
from shared.raffles.models import Raffle
from shared.whatsapp.messages import Message

_SAMPLE_ORDER_CODE: Final = "R-7K3F9"
"""An order code that no order has."""

_PLACEHOLDER_VALUES: Final[Mapping[str, Any]] = {
    "title": "Your raffle",
    "prize": "your prize",
    "price": Decimal(1),
    "currency": "USD",
    "number_count": 100,
    "first_number": 1,
    "number_width": 0,
    "min_per_order": 1,
    "max_per_order": 20,
    "hold_minutes": DEFAULT_HOLD_MINUTES,
    "time_zone": "UTC",
    "payment_instructions": "(how to pay stands here)",
    "seller_contact": "you",
    "description": "",
    "draw_at": None,
    "draw_when_sold_out": False,
}
"""Values in place of missing and invalid ones."""


@dataclass(frozen=True, slots=True)
class PreviewBubble:
    """A message on a phone.

    Attributes:
        picture: URL of the picture above the text; empty if none.
        body: the text with WhatsApp's formatting.
        buttons: labels of the buttons.

    """

    picture: str
    body: SafeString
    buttons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChatPreview:
    """Preview of the raffle's card and payment message, with some computed values.

    Attributes:
        card: the raffle's card.
        payment: the message with the payment instructions.
        span: first and last ticket number.
        all_sold: revenue if all numbers are sold.
        draw: time of the draw.

    """

    card: PreviewBubble
    payment: PreviewBubble
    span: str
    all_sold: str
    draw: str


def build_chat_preview(
    values: Mapping[str, Any], *, now: datetime, free: int | None = None
) -> ChatPreview:
    """Return the preview of a raffle that may be incomplete.

    Args:
        values: the raffle's fields; missing and empty ones are replaced by placeholders.
        now: the current time, for the payment deadline.
        free: how many ticket numbers are free; None if all are.

    """
    complete = {**_PLACEHOLDER_VALUES, **{k: v for k, v in values.items() if v not in (None, "")}}
    raffle = Raffle(**{name: complete[name] for name in _PLACEHOLDER_VALUES})
    shown = raffle.number_count if free is None else free
    facts = build_raffle_facts(raffle, free=shown, now=now)
    last = raffle.format_ticket_number(raffle.last_number)
    return ChatPreview(
        card=_build_bubble(raffles.build_raffle_card_message(facts, now=now).to_whatsapp_message()),
        payment=_build_bubble(
            _build_payment_reply(
                _build_sample_order(facts, raffle, now=now), now=now
            ).to_whatsapp_message()
        ),
        span=f"{raffle.format_ticket_number(raffle.first_number)} to {last}",
        all_sold=formatting.format_money(raffle.price * raffle.number_count, raffle.currency),
        draw="When sold out"
        if raffle.draw_when_sold_out
        else display.format_time_with_zone(raffle.draw_at, zone=raffle.time_zone),
    )


def _build_payment_reply(order: OrderFacts, *, now: datetime) -> Reply:
    """Return what follows [Confirm]: how to pay, or that free numbers are the buyer's."""
    if order.is_free:
        return order_updates.build_paid_message(replace(order, status=OrderStatus.PAID))
    return orders.build_how_to_pay_message(order, now=now)


def build_raffle_facts(raffle: Raffle, *, free: int, now: datetime) -> RaffleFacts:
    """Return the facts about a raffle that texts show, without a query."""
    return RaffleFacts(
        id=0,
        title=raffle.title,
        prize=raffle.prize,
        description=raffle.description,
        price=raffle.price,
        currency=raffle.currency,
        available=free,
        number_count=raffle.number_count,
        first_number=raffle.first_number,
        last_number=raffle.last_number,
        width=raffle.width,
        min_per_order=raffle.min_per_order,
        max_per_order=raffle.max_per_order,
        seller_contact=raffle.seller_contact,
        payment_instructions=raffle.payment_instructions,
        time_zone=raffle.time_zone,
        draw_at=raffle.draw_at,
        draw_when_sold_out=raffle.draw_when_sold_out,
        draw_in_other_year=formatting.is_in_other_year(
            raffle.draw_at, now=now, time_zone=raffle.time_zone
        ),
    )


def _build_sample_order(facts: RaffleFacts, raffle: Raffle, *, now: datetime) -> OrderFacts:
    """Return an order of the smallest possible number of tickets."""
    numbers = range(
        facts.first_number,
        facts.first_number + min(facts.min_per_order, facts.number_count, facts.max_per_order),
    )
    return OrderFacts(
        id=0,
        code=_SAMPLE_ORDER_CODE,
        raffle=facts,
        status=OrderStatus.PENDING_PAYMENT,
        mode=Mode.RANDOM,
        numbers=tuple(numbers),
        total=facts.price * len(numbers),
        currency=facts.currency,
        expires_at=now + timedelta(minutes=raffle.hold_minutes),
    )


def _build_bubble(message: Message) -> PreviewBubble:
    """Return the bubble that WhatsApp would show for a message."""
    match message:
        case {"type": "interactive", "interactive": {"body": {"text": str(body)}}}:
            interactive: Mapping[str, Any] = message["interactive"]
            return PreviewBubble(
                picture=_get_picture_url(interactive.get("header")),
                body=render_whatsapp_text(body),
                buttons=tuple(b["reply"]["title"] for b in interactive["action"]["buttons"]),
            )
        case _:
            return PreviewBubble(
                picture="", body=render_whatsapp_text(message["text"]["body"]), buttons=()
            )


def _get_picture_url(header: object) -> str:
    match header:
        case {"image": {"link": str(link)}}:
            return link
        case _:
            return ""
