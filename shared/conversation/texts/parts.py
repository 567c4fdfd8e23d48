"""Buttons and phrases that several texts share."""

from datetime import datetime
from typing import Final

from shared.conversation.button_ids import Do, write
from shared.conversation.formatting import moment, numbers
from shared.conversation.values import OrderFacts
from shared.whatsapp.messages import Button

MENU_BUTTON: Final = Button(write(Do.MENU), "Menu")
MINE_BUTTON: Final = Button(write(Do.MINE), "My tickets")
BUY_BUTTON: Final = Button(write(Do.MENU), "Buy more")


def until(order: OrderFacts, *, now: datetime) -> str:
    """Write an order's deadline."""
    if order.expires_at is None:
        return "it is checked"
    return moment(order.expires_at, now=now, time_zone=order.raffle.time_zone)


def numbers_of(order: OrderFacts) -> str:
    """Write an order's numbers."""
    return numbers(order.numbers, width=order.raffle.width)


def stay_yours(order: OrderFacts) -> str:
    """Say that its numbers are kept for the buyer, without an end to the sentence."""
    many = len(order.numbers) != 1
    return f"Your {'numbers' if many else 'number'} *{numbers_of(order)}* " + (
        "stay yours" if many else "stays yours"
    )


def are(order: OrderFacts) -> str:
    """Say that its numbers are, or its number is."""
    return "is" if len(order.numbers) == 1 else "are"
