"""Every status of an order is live, paid or ended, in the database and in the chat alike."""

from dataclasses import replace
from typing import Final

import pytest

from shared.core.enums import OrderStatus
from shared.raffles.models import Order
from tests.unit.conversation.sample_facts import DRAFT

ENDED: Final = {OrderStatus.CANCELLED, OrderStatus.EXPIRED}


@pytest.mark.parametrize("status", OrderStatus)
def test_every_status_is_live_or_paid_or_ended(status: OrderStatus) -> None:
    groups = [status in Order.LIVE, status is OrderStatus.PAID, status in ENDED]

    assert groups.count(True) == 1, f"Is {status} in Order.LIVE, or is an order over with it?"


@pytest.mark.parametrize("status", OrderStatus)
def test_only_an_ended_order_holds_no_ticket_numbers(status: OrderStatus) -> None:
    assert (status in Order.HOLDING) is (status not in ENDED)


@pytest.mark.parametrize("status", OrderStatus)
def test_the_chat_calls_the_same_orders_live(status: OrderStatus) -> None:
    assert replace(DRAFT, status=status).is_live is (status in Order.LIVE)
