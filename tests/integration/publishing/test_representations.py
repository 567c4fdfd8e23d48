"""Tests of the representation of orders."""

from collections.abc import Callable
from functools import partial
from typing import Final

import pytest

from shared.core.enums import OrderStatus
from shared.publishing import representations
from shared.raffles.models import Order, Raffle
from shared.raffles.services import ledger_entries
from shared.use_cases import payments, reversals
from tests import builders
from tests.builders import NOON, build_staff_actor
from tests.integration.raffles import order_states

pytestmark = pytest.mark.django_db


def create_refunded_order(raffle: Raffle) -> Order:
    order = order_states.create_placed_order(raffle)
    payments.confirm_payment(order.pk, by=build_staff_actor(), now=NOON)
    confirmation_id = ledger_entries.load_confirmation(order).pk
    reversals.refund_order(
        order.pk, confirmation_id=confirmation_id, note="ill", by=build_staff_actor(), now=NOON
    )
    return order


def create_order_without_tickets(raffle: Raffle) -> Order:
    return builders.create_order_row(raffle, buyer_name="Inés")


ORDERS: Final[dict[str, Callable[[Raffle], Order]]] = {
    **{
        status: partial(order_states.create_order_in_status, status=status)
        for status in OrderStatus
    },
    "under review": order_states.create_order_under_review,
    "late": order_states.create_late_order,
    "refunded": create_refunded_order,
    "without tickets": create_order_without_tickets,
}


@pytest.mark.parametrize("name", ORDERS)
def test_a_locked_order_is_represented_like_any_other(name: str) -> None:
    order = ORDERS[name](builders.create_raffle())

    locked = representations.represent_locked_order(order_states.reload_order(order))

    read = representations.query_represented_orders().get(pk=order.pk)
    assert locked == representations.represent_order(read)
    assert (locked.refund is not None) == (name == "refunded")
    assert bool(locked.proofs) == (name in {"PAID", "under review", "late"})
