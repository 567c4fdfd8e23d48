"""Tests of the one lock order: contact, order, raffle, ticket numbers, receipt chain."""

import re
from collections.abc import Callable, Mapping
from typing import Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared.core.enums import RejectReason
from shared.raffles.models import Order
from shared.raffles.services import ledger_entries, lifecycle, locks
from shared.use_cases import order_endings, payments, raffle_changes, reversals
from shared.use_cases.draws import result_messages
from tests import builders
from tests.builders import MINUTE, NOON, build_staff_actor
from tests.integration import drawn_raffles
from tests.integration.conversation.chat import BuyerChat
from tests.integration.drawn_raffles import DRAW_AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_inventory_after")]

RAFFLE: Final = "the raffle"
"""A raffle is locked by an advisory lock, not by its row."""

CHAIN: Final = "the receipt chain"
"""So is its receipt chain, by another key."""

LOCK_ORDER: Final = (
    "whatsapp_whatsappcontact",
    "raffles_order",
    RAFFLE,
    "raffles_ticketnumber",
    CHAIN,
)
"""Tables in the order in which their rows may be locked."""

_RAFFLE_LOCK: Final = re.compile(r"pg_advisory_xact_lock")
_CHAIN_LOCK: Final = re.compile(rf"pg_advisory_xact_lock\({locks._RECEIPT_CHAIN_LOCKS},")
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
    # Statements that are sent together stand on lines of their own.
    statements = (sql for query in queries for sql in query["sql"].split(";\n"))
    found = map(_find_locked, statements)
    return [name for name in found if name in LOCK_ORDER]


def _find_locked(statement: str) -> str | None:
    if _CHAIN_LOCK.search(statement):
        return CHAIN
    if _RAFFLE_LOCK.search(statement):
        return RAFFLE
    match = _LOCKED_TABLE.search(statement)
    return None if match is None else match[1]


def assert_in_lock_order(tables: list[str]) -> None:
    ranks = [LOCK_ORDER.index(table) for table in tables]
    assert ranks == sorted(ranks), tables
    assert ranks[:1] == [0], f"the contact is locked first, not {tables[:1]}"
    assert {1, 2} <= set(ranks), "the order and its raffle are locked"


REVERSALS: Final[Mapping[str, Callable[[int, int], object]]] = {
    "undo": lambda order_id, confirmation_id: reversals.undo_confirmation(
        order_id,
        confirmation_id=confirmation_id,
        reason="mistake",
        by=build_staff_actor(),
        now=NOON,
    ),
    "refund": lambda order_id, confirmation_id: reversals.refund_order(
        order_id, confirmation_id=confirmation_id, note="ill", by=build_staff_actor(), now=NOON
    ),
}

RAFFLE_CHANGES: Final[Mapping[str, UseCase]] = {
    "pause": lambda raffle_id: lifecycle.pause(raffle_id, by=build_staff_actor(), now=NOON),
    "close": lambda raffle_id: lifecycle.close(raffle_id, by=build_staff_actor(), now=NOON),
    "call off": lambda raffle_id: lifecycle.call_off(
        raffle_id, reason="storm", by=build_staff_actor(), now=NOON
    ),
    "move the draw": lambda raffle_id: lifecycle.move_draw(
        raffle_id, draw_at=NOON + 90 * MINUTE, reason="rain", by=build_staff_actor(), now=NOON
    ),
}


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
    tables = list_locked_tables(lambda: DECISIONS[name](order.pk))

    assert_in_lock_order(tables)
    assert tables.count(CHAIN) == (name == "confirm")


@pytest.mark.parametrize("name", REVERSALS)
def test_a_reversal_locks_the_contact_before_the_order(order: Order, name: str) -> None:
    payments.confirm_payment(order.pk, by=build_staff_actor(), now=NOON)
    confirmation = ledger_entries.load_confirmation(order)

    tables = list_locked_tables(lambda: REVERSALS[name](order.pk, confirmation.pk))

    assert_in_lock_order(tables)
    assert tables[-1] == CHAIN


@pytest.mark.parametrize("name", RAFFLE_CHANGES)
def test_a_change_of_a_raffle_locks_nothing_but_the_raffle(order: Order, name: str) -> None:
    tables = list_locked_tables(lambda: RAFFLE_CHANGES[name](order.raffle_id))

    assert tables == [RAFFLE]


def test_an_order_that_follows_its_raffle_is_locked_in_the_same_order(order: Order) -> None:
    lifecycle.call_off(order.raffle_id, reason="storm", by=build_staff_actor(), now=NOON)

    assert_in_lock_order(
        list_locked_tables(lambda: raffle_changes.continue_raffle_changes(now=NOON))
    )


def test_whoever_is_told_of_the_draw_is_locked_in_the_same_order() -> None:
    winner = BuyerChat(now=DRAW_AT)
    raffle = drawn_raffles.create_raffle_to_draw()
    drawn_raffles.sell(raffle, 7, buyer=winner.contact)
    drawn_raffles.seal(raffle)
    (result,) = drawn_raffles.draw(raffle)
    drawn_raffles.confirm(result)
    by = build_staff_actor()

    for tell in (
        lambda: result_messages.tell_winners(raffle.pk, by=by, now=DRAW_AT),
        lambda: winner.taps_id(f"r1:show-name:{result.pk}"),
    ):
        assert_in_lock_order(list_locked_tables(tell)[:3])
    result_messages.tell_all_buyers(raffle.pk, by=by, now=DRAW_AT)
    assert_in_lock_order(
        list_locked_tables(lambda: raffle_changes.continue_raffle_changes(now=DRAW_AT))
    )
    assert winner.list_message_keys() == ["winner", "name_consent"]


def test_a_hold_locks_the_raffle_before_the_ticket_numbers() -> None:
    builders.create_raffle(numbers=20)
    buyer = BuyerChat()
    buyer.says("hi")
    buyer.says("3 random")

    *tables, _ = list_locked_tables(lambda: buyer.says("1 2 3"))  # the last looks for more work

    assert_in_lock_order(tables)


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
