"""Purchases of buyers who type, from the first word to the seller's confirmation."""

from typing import Final

import pytest

from shared.core.enums import OrderStatus
from shared.use_cases import payments
from tests import builders
from tests.integration.conversation.chat import BuyerChat

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_inventory_after")]

PHOTO: Final = "(photo)"
MAX_MESSAGES: Final = 6
"""Messages of ours in a plain purchase, the confirmation of the payment among them."""

RANDOM: Final = (
    ("hi", "3 random", "yes", PHOTO),
    ("hi", "random", "3 please", "confirm", PHOTO),
    ("hello", "random numbers pls", "three", "ok", PHOTO),
    ("hi i want 3 random numbers", "ok", PHOTO),
    ("Good morning, can I get 3 tickets?", "yes please", PHOTO),
    ("gimme 3", "any", "yep", PHOTO),
    ("hi", "3", "random", "yes", PHOTO),
    ("HI", "I want to buy", "3 tickets", "Yes, confirm", PHOTO),
    ("menu", "3 random ones please!", "looks good", "paid", PHOTO),
    ("3 lucky numbers", "👍", PHOTO),
    ("$15 worth pls", "sure", PHOTO),
)
"""Texts of buyers who get three random numbers."""

PICKED: Final = (
    ("7, 13 and 45", "confirm", PHOTO),
    ("hi", "7 13 45", "yes", PHOTO),
    ("hi", "pick", "7, 13, 45", "yes", PHOTO),
    ("hi", "i want to choose my own numbers", "07 13 45", "ok thanks", PHOTO),
    ("Hi! I want 7, 13 and 45, please.", "Yes", PHOTO),
    ("hello can i get #7 #13 #45", "confirm please", PHOTO),
    ("can i get 7 and 13", "add 45", "yes", PHOTO),
    ("numbers 7 and 13", "and 45", "ok", PHOTO),
    ("7, 13 and 46", "45 instead of 46", "yes", PHOTO),
    ("7 13 45 21", "not 21", "confirm", PHOTO),
)
"""Texts of buyers who get 7, 13 and 45."""


@pytest.mark.parametrize("texts", [*RANDOM, *PICKED], ids=" / ".join)
def test_a_typed_purchase_takes_six_messages_at_most(texts: tuple[str, ...]) -> None:
    builders.create_raffle()

    chat = buy(texts)

    order = chat.order()
    assert order.status == OrderStatus.PAID
    assert order.quantity == 3
    if texts in PICKED:
        assert order.list_ticket_numbers() == [7, 13, 45]
    assert len(chat.list_messages()) <= MAX_MESSAGES


@pytest.mark.parametrize(
    "texts",
    [
        ("hi", "winter", "3 random", "yes", PHOTO),
        ("hi", "2", "random", "3", "yes", PHOTO),
        ("hi", "the winter raffle please", "random", "3 tickets", "confirm", PHOTO),
        ("3 random numbers of the winter raffle", "ok", PHOTO),
    ],
    ids=" / ".join,
)
def test_a_choice_of_raffles_takes_one_message_more(texts: tuple[str, ...]) -> None:
    builders.create_raffle()
    builders.create_raffle(title="Winter Raffle")

    chat = buy(texts)

    assert (chat.order().status, chat.order().raffle.title) == (OrderStatus.PAID, "Winter Raffle")
    assert len(chat.list_messages()) <= MAX_MESSAGES + 1


def buy(texts: tuple[str, ...]) -> BuyerChat:
    """Type one text after another and let the seller confirm; each gets one answer."""
    chat = BuyerChat()
    for text in texts:
        answer = chat.sends_picture() if text == PHOTO else chat.says(text)
        chat.gets_messages()
        chat.later(seconds=20)
        assert len(answer) == 1, text
    payments.confirm_payment(chat.order().pk, by=builders.build_staff_actor(), now=chat.now)
    return chat
