"""Buttons and phrases that several texts share."""

from datetime import datetime
from typing import Final

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.formatting import format_deadline, format_ticket_numbers
from shared.conversation.values import OrderFacts
from shared.whatsapp.messages import ReplyButton

MENU_BUTTON: Final = ReplyButton(build_button_id(ButtonAction.MENU), "Menu")
MY_TICKETS_BUTTON: Final = ReplyButton(build_button_id(ButtonAction.MINE), "My tickets")
BUY_MORE_BUTTON: Final = ReplyButton(build_button_id(ButtonAction.MENU), "Buy more")


def format_order_deadline(order: OrderFacts, *, now: datetime) -> str:
    """Write an order's deadline."""
    if order.expires_at is None:
        return "it is checked"
    return format_deadline(order.expires_at, now=now, time_zone=order.raffle.time_zone)


def format_order_numbers(order: OrderFacts) -> str:
    """Write an order's numbers."""
    return format_ticket_numbers(order.numbers, width=order.raffle.width)


def build_stay_yours_phrase(order: OrderFacts) -> str:
    """Say that its numbers are kept for the buyer, without an end to the sentence."""
    many = len(order.numbers) != 1
    return f"Your {'numbers' if many else 'number'} *{format_order_numbers(order)}* " + (
        "stay yours" if many else "stays yours"
    )


def choose_is_or_are(order: OrderFacts) -> str:
    """Say that its numbers are, or its number is."""
    return "is" if len(order.numbers) == 1 else "are"
