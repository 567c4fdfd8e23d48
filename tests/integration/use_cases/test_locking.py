"""Tests of the one lock order: contact, then order, then ticket numbers."""

import re
from collections.abc import Callable, Mapping
from typing import Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared.core.enums import RejectReason
from shared.raffles.models import Order
from shared.use_cases import order_endings, payments
from tests import builders
from tests.builders import MINUTE, NOON, build_staff_actor
from tests.integration.conversation.chat import BuyerChat

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_inventory_after")]

LOCK_ORDER: Final = ("whatsapp_whatsappcontact", "raffles_order", "raffles_ticketnumber")
"""Tables in the order in which their rows may be locked."""

_LOCKED_TABLE: Final = re.compile(r'FROM "(\w+)".* FOR (?:NO KEY )?UPDATE', re.DOTALL)

type UseCase = Callable[[int], object]

DECISIONS: Final[Mapping[str, UseCase]] = {
    "confirm": lambda order_id: payments.confirm_payment(
        order_id, by=build_staff_actor(), now=NOON
    ),
    "reject": lambda order_id: payments.reject_payment(
        order_id, reason=RejectReason.NOT_CREDITED, note="", by=build_staff_actor(), now=NOON
    ),
    "ask again": lambda order_id: payments.ask_for_better_proof(
        order_id, note="", by=build_staff_actor(), now=NOON
    ),
    "cancel": lambda order_id: order_endings.cancel_order(
        order_id, by=build_staff_actor(), now=NOON
    ),
}


def list_locked_tables(act: Callable[[], object]) -> list[str]:
    """Return the tables of `LOCK_ORDER` whose rows were locked, statement by statement."""
    with CaptureQueriesContext(connection) as queries:
        act()
    found = (_LOCKED_TABLE.search(query["sql"]) for query in queries)
    return [match[1] for match in found if match is not None and match[1] in LOCK_ORDER]


def assert_in_lock_order(tables: list[str]) -> None:
    ranks = [LOCK_ORDER.index(table) for table in tables]
    assert ranks == sorted(ranks), tables
    assert ranks[:1] == [0], f"the contact is locked first, not {tables[:1]}"
    assert 1 in ranks, "the order is locked"


@pytest.fixture(autouse=True)
def locks_rows(vendor: str) -> None:
    """Skip on SQLite, which locks no rows."""
    if vendor == "sqlite":
        pytest.skip("SQLite has one lock for everything")


@pytest.fixture
def order() -> Order:
    builders.create_raffle(numbers=20)
    buyer = BuyerChat()
    order = buyer.buys()
    buyer.sends_picture()
    return order


@pytest.mark.parametrize("name", DECISIONS)
def test_staff_lock_the_contact_before_the_order(order: Order, name: str) -> None:
    assert_in_lock_order(list_locked_tables(lambda: DECISIONS[name](order.pk)))


def test_a_late_confirmation_locks_the_contact_before_the_order() -> None:
    builders.create_raffle(numbers=20)
    order = BuyerChat().buys()
    order_endings.expire_due_orders(now=NOON + 45 * MINUTE)

    tables = list_locked_tables(
        lambda: payments.confirm_payment(order.pk, by=build_staff_actor(), now=NOON + 60 * MINUTE)
    )

    assert_in_lock_order(tables)


def test_the_clock_locks_the_contact_before_the_order() -> None:
    builders.create_raffle(numbers=20)
    BuyerChat().buys()

    assert_in_lock_order(
        list_locked_tables(lambda: order_endings.expire_due_orders(now=NOON + 45 * MINUTE))
    )
