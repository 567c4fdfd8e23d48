"""Tests of changes of orders and the entries of their history."""

from decimal import Decimal
from typing import Any

import pytest

from shared.core.enums import OrderAction, OrderStatus
from shared.core.statements.bound_statements import run_statement
from shared.core.statements.row_count import WrongRowCount
from shared.raffles.models import Order, OrderEvent
from shared.raffles.services import draft_orders, history
from tests import builders
from tests.builders import MINUTE, NOON, build_staff_actor
from tests.integration.raffles import order_states

pytestmark = pytest.mark.django_db

BY_STAFF: dict[str, Any] = {"by": build_staff_actor(), "now": NOON}


def test_changes_fields_as_the_orm_does() -> None:
    order, other = (order_states.create_placed_order(builders.create_raffle()) for _ in range(2))
    changes = {
        "expires_at": NOON + MINUTE,
        "under_review_since": None,
        "needs_decision": True,
        "buyer_name": "José Nuñez",
        "buyer_phone": "+1 555 0199",
        "contact_id": builders.create_contact().pk,
        "total": Decimal("15.00"),
    }

    history.record_order_event(order, action=OrderAction.ASKED_AGAIN, changes=changes, **BY_STAFF)
    Order.objects.filter(pk=other.pk).update(**changes)

    changed, expected = (
        read(each, "search_name", "search_phone", *changes) for each in (order, other)
    )
    assert changed == expected
    assert changed["search_name"] == "jose nunez"
    assert {name: getattr(order, name) for name in changes} == changes
    assert order_states.list_actions(order)[-1] == "ASKED_AGAIN"


def test_changes_nothing_that_somebody_else_has_changed() -> None:
    order = order_states.create_placed_order(builders.create_raffle())
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.CANCELLED)

    with pytest.raises(WrongRowCount):
        history.record_order_event(
            order, action=OrderAction.ASKED_AGAIN, changes={"needs_decision": True}, **BY_STAFF
        )

    assert not Order.objects.get(pk=order.pk).needs_decision


def test_finds_the_latest_entry() -> None:
    order = order_states.create_cancelled_order(builders.create_raffle())
    order_states.create_cancelled_order(builders.create_raffle())

    for actions in ([OrderAction.HELD, OrderAction.PLACED], [OrderAction.HELD], [OrderAction.PAID]):
        entries = OrderEvent.objects.filter(order=order, action__in=actions)
        assert history.find_last_event(order, *actions) == entries.order_by("-id").first()


def test_the_next_order_has_the_next_id() -> None:
    raffle = builders.create_raffle()
    first = order_states.create_held_order(raffle, numbers=[1])

    drawn = run_statement(draft_orders.bind_next_order_id())
    row = builders.create_order_row(raffle, id=drawn)
    following = order_states.create_held_order(raffle, numbers=[3])

    assert drawn == first.pk + 1
    assert following.pk == row.pk + 1


def read(order: Order, *fields: str) -> dict[str, Any]:
    stored = order_states.reload_order(order)
    return {name: getattr(stored, name) for name in fields}
