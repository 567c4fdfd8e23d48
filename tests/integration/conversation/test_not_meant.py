"""Stories of buyers who write what can be read in two ways: nothing is given away for it."""

import pytest

from shared.core.enums import OrderStatus, State
from shared.raffles.models import Order, Raffle
from shared.use_cases import order_endings, payments
from tests import builders
from tests.integration.conversation.chat import BuyerChat, list_choices, render_body

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_inventory_after")]


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle()


@pytest.mark.same_everywhere
@pytest.mark.parametrize(
    "text", ["7.5", "-5", "100%", "$100", "3 for 2", "21 or 22", "10-20 tickets", "lucky 13", "no"]
)
def test_a_hold_stays(raffle: Raffle, text: str) -> None:
    chat = BuyerChat()
    chat.says("7 and 13")
    hold = chat.order()

    replies = chat.says(text)

    assert len(replies) == 1
    assert Order.objects.get() == hold
    assert hold.list_ticket_numbers() == [7, 13]
    assert raffle.numbers.filter(status="RESERVED").count() == 2


@pytest.mark.same_everywhere
@pytest.mark.parametrize("text", ["0", "-1", "1.5", "5 10", "100%", "3 for 2"])
def test_no_quantity_is_taken_from_it(raffle: Raffle, text: str) -> None:
    chat = BuyerChat()
    chat.says("random")

    (reply,) = chat.says(text)

    assert list_choices(reply)
    assert not Order.objects.exists()


class TestChanging:
    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        ("text", "numbers"),
        [
            ("and 21", [7, 13, 21]),
            ("not 13", [7]),
            ("change 13 to 14", [7, 14]),
            ("21 if it is free otherwise 22, instead of 7", [13, 21]),
            ("one more random one", None),
            ("07-13-45", [7, 13, 45]),
        ],
    )
    def test_a_hold_keeps_its_other_numbers(
        self, raffle: Raffle, text: str, numbers: list[int] | None
    ) -> None:
        chat = BuyerChat()
        chat.says("7 and 13")

        chat.says(text)

        held = chat.order().list_ticket_numbers()
        assert held == numbers if numbers is not None else {7, 13} < set(held)
        assert chat.state is State.CONFIRM_RESERVATION

    @pytest.mark.same_everywhere
    def test_a_number_where_it_is_not_clear_is_asked_about(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        chat.says("7 and 13")
        chat.says("500")
        assert chat.order().list_ticket_numbers() == [7, 13]

        chat.taps("Keep what I have")
        chat.taps("Confirm")

        assert chat.order().list_ticket_numbers() == [7, 13]
        assert chat.order().status == OrderStatus.PENDING_PAYMENT

    @pytest.mark.same_everywhere
    def test_a_taken_number_leaves_the_hold(self, raffle: Raffle) -> None:
        BuyerChat().buys(numbers="021")
        chat = BuyerChat()
        chat.says("7 and 13")

        (reply,) = chat.says("and 21")

        assert reply.key == "numbers_taken"
        assert chat.order().list_ticket_numbers() == [7, 13]


@pytest.mark.same_everywhere
def test_menu_stores_the_state_menu_with_one_raffle(raffle: Raffle) -> None:
    chat = BuyerChat()
    chat.says("7 and 13")

    (card,) = chat.says("MENU")

    chat.contact.refresh_from_db()
    assert (chat.state, chat.contact.context, card.key) == (State.MENU, {}, "card")
    assert chat.taps("Random numbers")[0].key == "ask_quantity"
    assert chat.order().list_ticket_numbers() == [7, 13]


@pytest.mark.same_everywhere
def test_a_paid_order_stays_in_my_tickets_after_eleven_more_holds(raffle: Raffle) -> None:
    chat = BuyerChat()
    paid = chat.buys(numbers="070, 071")
    chat.sends_picture()
    payments.confirm_payment(paid.pk, by=builders.build_staff_actor(), now=chat.now)
    for _ in range(11):
        chat.says("2 random")
        order_endings.cancel_order(
            chat.order().pk, by=builders.build_staff_actor(), now=chat.later(minutes=1).now
        )

    (reply,) = chat.says("my tickets")

    assert "070 · 071" in render_body(reply)
    assert str(paid) in render_body(reply)
