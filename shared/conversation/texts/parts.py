"""Buttons and phrases that several texts use."""

from datetime import datetime
from typing import Final

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.formatting import (
    format_day_and_time,
    format_deadline,
    format_ticket_numbers,
)
from shared.conversation.values import OrderFacts
from shared.whatsapp.messages import ReplyButton

MENU_BUTTON: Final = ReplyButton(build_button_id(ButtonAction.MENU), "Menu")
MY_TICKETS_BUTTON: Final = ReplyButton(build_button_id(ButtonAction.MINE), "My tickets")
BUY_MORE_BUTTON: Final = ReplyButton(build_button_id(ButtonAction.MENU), "Buy more")


def format_order_deadline(order: OrderFacts, *, now: datetime) -> str:
    """Return an order's deadline, or a phrase for an order without one."""
    if order.expires_at is None:
        return "it is checked"
    return format_deadline(order.expires_at, now=now, time_zone=order.raffle.time_zone)


def format_order_numbers(order: OrderFacts) -> str:
    """Return an order's ticket numbers."""
    return format_ticket_numbers(order.numbers, width=order.raffle.width)


def build_draw_date_sentence(order: OrderFacts) -> str:
    """Return " Draw: Sat 12 Dec, 20:00.", or an empty text without a draw date."""
    draw_at = order.raffle.draw_at
    if draw_at is None:
        return ""
    return f" Draw: {format_day_and_time(draw_at, time_zone=order.raffle.time_zone)}."


def build_stay_yours_phrase(order: OrderFacts) -> str:
    """Return "Your numbers *…* stay yours", without the end of the sentence."""
    many = len(order.numbers) != 1
    return f"Your {'numbers' if many else 'number'} *{format_order_numbers(order)}* " + (
        "stay yours" if many else "stays yours"
    )


def choose_is_or_are(order: OrderFacts) -> str:
    """Return "is" or "are", depending on how many numbers an order has."""
    return "is" if len(order.numbers) == 1 else "are"
