"""Tests of an upgrade from version 0.1.0, which sold and confirmed after the time of a draw.

The draw of the restored installation is moved to ten minutes before the dump was made, so that
orders in every state are past it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, connections

from shared.core.enums import InboxStatus, LedgerKind, OrderStatus, RejectReason
from shared.raffles.errors import DrawTimeReached, RaffleNotSelling
from shared.raffles.models import LedgerEntry, Order, Raffle
from shared.raffles.results import NeedsDecision, Settled
from shared.raffles.services import availability, reservations
from shared.raffles.services.ticket_numbers import inventory
from shared.use_cases import late_payments, order_endings, payments
from shared.whatsapp.models import InboundMessage
from tests import old_installation
from tests.builders import build_chat_actor, build_staff_actor, build_token_actor
from tests.databases import use_database

pytestmark = [pytest.mark.django_db, pytest.mark.acceptance]

DRAW: Final = datetime(2026, 11, 23, 19, 30, tzinfo=UTC)
NOW: Final = datetime(2026, 11, 23, 19, 45, tzinfo=UTC)
BY_STAFF: Final[dict[str, Any]] = {"by": build_staff_actor(), "now": NOW}
PROVEN_IN_TIME: Final = 9
PROVEN_AFTERWARDS: Final = 10
LATE: Final = 4
UNPAID: Final = (7, 8)
REFUND_NOTED: Final = 3

CHANGES_BEFORE: Final = (
    """UPDATE raffles_raffle SET draw_at = '2026-11-23 19:30:00+00:00',
    sales_close_at = '2026-12-01 12:00:00+00:00' WHERE id = 1""",
    "UPDATE raffles_paymentproof SET arrived_at = '2026-11-23 19:20:00+00:00' WHERE order_id = 9",
    "UPDATE raffles_paymentproof SET arrived_at = '2026-11-23 19:40:00+00:00' WHERE order_id = 10",
    """INSERT INTO raffles_orderevent (order_id, action, actor_kind, actor_id, actor_label,
                                      from_status, to_status, reason, at)
    SELECT order_id, 'REFUND_NOTED', 'STAFF', '1', 'sofia', 'CANCELLED', 'CANCELLED', 'Sent.', at
    FROM raffles_orderevent WHERE order_id = 3 AND action = 'CANCELLED'""",
)
"""Changes of the old installation before it is migrated."""


@pytest.fixture(scope="module", autouse=True)
def installation(django_db_setup: None, run_folder: Path) -> Iterator[None]:
    """Restore the dump of this kind of database, move the draw, and migrate."""
    vendor = connections["default"].vendor
    with (
        old_installation.restore_database(vendor, run_folder) as address,
        use_database(address),
    ):
        ContentType.objects.clear_cache()
        availability.clear_counts_cache()
        with connection.cursor() as cursor:
            for statement in CHANGES_BEFORE:
                cursor.execute(statement)
        call_command("migrate", verbosity=0)
        yield
    ContentType.objects.clear_cache()
    availability.clear_counts_cache()


@pytest.fixture(autouse=True)
def has_no_backlog(installation: None, db: None) -> None:
    """Let no unanswered message keep orders from expiring."""
    InboundMessage.objects.update(status=InboxStatus.PROCESSED)


def load_order(order_id: int) -> Order:
    return Order.objects.select_related("raffle").get(pk=order_id)


class TestRaffle:
    def test_ends_its_sale_with_the_draw_and_keeps_its_time_zone(self) -> None:
        raffle = Raffle.objects.get(pk=1)

        assert (raffle.draw_at, raffle.sales_close_at) == (DRAW, DRAW)
        assert raffle.time_zone_confirmed

    def test_sells_nothing_any_more(self) -> None:
        with pytest.raises(RaffleNotSelling):
            reservations.hold_numbers(
                Raffle.objects.get(pk=1),
                contact_id=None,
                numbers=[90],
                now=NOW,
                by=build_chat_actor(),
            )

    def test_has_its_numbers_whole(self) -> None:
        assert inventory.find_inventory_problems() == []


class TestUnpaidOrders:
    @pytest.mark.parametrize("order_id", UNPAID)
    def test_have_no_deadline_after_the_draw_and_expire(self, order_id: int) -> None:
        assert load_order(order_id).expires_at == DRAW

        order_endings.expire_due_orders(now=NOW)

        assert load_order(order_id).status == OrderStatus.EXPIRED


class TestOrderUnderReview:
    def test_with_a_proof_in_time_is_confirmed_by_a_person(self) -> None:
        outcome = payments.confirm_payment(PROVEN_IN_TIME, **BY_STAFF)

        assert isinstance(outcome, Settled)

    def test_with_a_proof_in_time_is_not_confirmed_by_a_program(self) -> None:
        with pytest.raises(DrawTimeReached):
            payments.confirm_payment(PROVEN_IN_TIME, by=build_token_actor(), now=NOW)

    def test_that_was_proven_afterwards_can_only_be_refunded(self) -> None:
        outcome = payments.confirm_payment(PROVEN_AFTERWARDS, **BY_STAFF)
        late_payments.note_refund(PROVEN_AFTERWARDS, note="Sent back.", **BY_STAFF)

        order = load_order(PROVEN_AFTERWARDS)
        assert isinstance(outcome, NeedsDecision)
        assert (order.status, order.needs_decision) == (OrderStatus.EXPIRED, False)
        assert inventory.find_inventory_problems() == []

    def test_ends_when_its_proof_is_rejected(self) -> None:
        payments.reject_payment(
            PROVEN_AFTERWARDS, reason=RejectReason.ILLEGIBLE, note="", **BY_STAFF
        )

        assert load_order(PROVEN_AFTERWARDS).status == OrderStatus.CANCELLED


class TestLateDecision:
    def test_can_only_be_a_refund(self) -> None:
        with pytest.raises(DrawTimeReached):
            late_payments.take_back_numbers(LATE, **BY_STAFF)
        with pytest.raises(DrawTimeReached):
            late_payments.replace_numbers(LATE, numbers=None, pivot=1, **BY_STAFF)

        late_payments.note_refund(LATE, note="Sent back.", **BY_STAFF)

        assert not load_order(LATE).needs_decision


class TestLedger:
    def test_has_each_paid_order_once_with_its_author_and_time(self) -> None:
        entries = LedgerEntry.objects.filter(kind=LedgerKind.CONFIRMED)
        paid = Order.objects.filter(status=OrderStatus.PAID)

        found = {entry.order_id: (entry.amount, entry.at) for entry in entries}
        assert found == {order.pk: (order.total, order.closed_at) for order in paid}
        assert entries.count() == len(found)
        for entry in entries:
            assert entry.confirmation is not None
            assert entry.confirmation.action == "PAID"
            assert entry.actor_label == entry.confirmation.actor_label

    def test_lists_a_noted_refund_in_no_sum(self) -> None:
        entry = LedgerEntry.objects.exclude(kind=LedgerKind.CONFIRMED).get()

        assert (entry.order_id, entry.kind, entry.confirmation_id) == (
            REFUND_NOTED,
            LedgerKind.LATE_REFUNDED,
            None,
        )
