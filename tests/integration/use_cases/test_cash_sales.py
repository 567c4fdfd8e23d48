"""Tests of cash sales: the rules of the chat, no chat buyer, and a form sent twice sells once."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from shared.core.enums import OrderStatus, RaffleStatus
from shared.core.errors import DomainError
from shared.raffles.errors import (
    NumbersTaken,
    NumbersUnknown,
    QuantityOutOfBounds,
    RaffleNotFound,
    RaffleNotSelling,
    TooFewLeft,
)
from shared.raffles.models import Order, OrderEvent, Raffle
from shared.use_cases import cash_sales
from shared.use_cases.cash_sales import CashSale
from shared.use_cases.errors import BuyerNameMissing
from shared.whatsapp.models import OutboundMessage
from tests import builders
from tests.builders import NOON, build_staff_actor
from tests.integration.raffles import order_states

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_inventory_after")]

KEY = UUID(int=1)


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=12, max_per_order=11)


def sell_for_cash(raffle_id: int, **terms: Any) -> CashSale:
    usual: dict[str, Any] = {
        "numbers": [7, 8],
        "quantity": 2,
        "buyer_name": " Doña Inés ",
        "buyer_phone": "+1 555 0199",
        "request_key": KEY,
        "pivot": order_states.PIVOT,
        "by": build_staff_actor(),
        "now": NOON,
    }
    return cash_sales.sell_for_cash(raffle_id, **usual | terms)


def test_sells_to_somebody_who_has_no_chat(raffle: Raffle) -> None:
    sold = sell_for_cash(raffle.pk)

    order = order_states.reload_order(sold.order)
    assert (order.status, order.contact, order.list_ticket_numbers()) == (
        OrderStatus.PAID,
        None,
        [7, 8],
    )
    assert (order.buyer_name, order.buyer_phone) == ("Doña Inés", "+1 555 0199")
    assert (order.total, order.closed_at, order.expires_at) == (Decimal(10), NOON, None)
    assert order_states.list_ticket_statuses(raffle, 7, 8) == ["SOLD"] * 2
    assert not OutboundMessage.objects.exists()


def test_is_told_by_its_history(raffle: Raffle) -> None:
    order = sell_for_cash(raffle.pk).order

    events = OrderEvent.objects.filter(order=order).order_by("pk")
    assert [(event.action, event.actor_label, event.reason) for event in events] == [
        ("HELD", "rita", ""),
        ("PLACED", "rita", ""),
        ("PAID", "rita", "sold for cash"),
    ]


def test_draws_random_numbers_where_none_are_named(raffle: Raffle) -> None:
    assert len(sell_for_cash(raffle.pk, numbers=None, quantity=5).order.list_ticket_numbers()) == 5


def test_a_form_sent_twice_sells_once(raffle: Raffle) -> None:
    first = sell_for_cash(raffle.pk)
    again = sell_for_cash(raffle.pk, numbers=[1], buyer_name="Another")

    assert (first.repeated, again.repeated) == (False, True)
    assert again.order == first.order
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        ({"buyer_name": "  "}, BuyerNameMissing),
        ({"numbers": [1, 7]}, NumbersTaken),
        ({"numbers": [7, 13]}, NumbersUnknown),
        ({"numbers": []}, QuantityOutOfBounds),
        ({"numbers": None, "quantity": 12}, QuantityOutOfBounds),
        ({"numbers": None, "quantity": 11}, TooFewLeft),
    ],
)
def test_refuses_by_the_rules_of_the_chat_and_writes_nothing(
    raffle: Raffle, terms: dict[str, Any], refusal: type[DomainError]
) -> None:
    order_states.create_paid_order(raffle, numbers=[1, 2])

    with pytest.raises(refusal):
        sell_for_cash(raffle.pk, **terms)

    assert Order.objects.count() == 1


def test_refuses_where_nothing_is_sold(raffle: Raffle) -> None:
    Raffle.objects.filter(pk=raffle.pk).update(status=RaffleStatus.PAUSED)

    with pytest.raises(RaffleNotSelling):
        sell_for_cash(raffle.pk)
    with pytest.raises(RaffleNotFound):
        sell_for_cash(0)
