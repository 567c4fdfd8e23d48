"""Tests of an update in which processes of the former release go on beside those of this one.

`tests/fixtures/record_statements.py` has recorded what the former release asks of the database.
"""

import json
import zipfile
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, transaction

from shared.core.enums import DrawMethod, LedgerKind
from shared.raffles.draws.draw_models import SealedList
from shared.raffles.models import LedgerEntry, Order, OrderEvent, Raffle
from shared.raffles.services import lifecycle
from shared.raffles.services.draws import draw_rules, drawing, sealed_lists, source_readings
from shared.raffles.services.draws.draw_rules import ChosenRules
from shared.raffles.services.draws.records import public_record, verify
from shared.raffles.services.ticket_numbers import inventory
from shared.use_cases import cash_sales, former_version, raffle_changes, reversals
from shared.whatsapp.models import WhatsAppContact
from tests import builders, former_release
from tests.databases import DatabaseFactory, use_database

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.acceptance]

STATEMENTS: Final = Path(__file__).parents[1] / "fixtures" / "statements_0_2_0"


@pytest.fixture
def database(vendor: str, run_folder: Path) -> Iterator[None]:
    """Use a database of its own, in which ids begin at 1 as they did when it was recorded."""
    with DatabaseFactory(vendor, run_folder).fresh() as address, use_database(address):
        ContentType.objects.clear_cache()
        yield
    ContentType.objects.clear_cache()


@pytest.fixture
def former_database(vendor: str, run_folder: Path) -> Iterator[former_release.FormerRelease]:
    """Use a database that the former release has filled."""
    with (
        former_release.copy_former_tables(vendor, run_folder) as address,
        use_database(address),
    ):
        ContentType.objects.clear_cache()
        release = former_release.FormerRelease(
            former_release.load_former_models(), numbers=5_000, orders=1_000
        )
        release.fill()
        yield release
    ContentType.objects.clear_cache()


def list_codes() -> set[str]:
    """Return the codes of the inventory's problems."""
    return {problem.code for problem in inventory.find_inventory_problems()}


def assert_raffle_is_drawn_and_verified(terms: dict[str, Any]) -> None:
    """Draw the stub of a sold number, and verify the record as a stranger does."""
    raffle = Raffle.objects.get(pk=1)
    number = int(bytes(SealedList.objects.get(raffle=raffle).numbers).split()[3])
    source_readings.enter_stub(
        raffle.pk, prize_position=1, number=number, link="https://example.com/video", **terms
    )
    inputs = drawing.load_inputs(raffle, SealedList.objects.get(raffle=raffle))
    (result,) = drawing.draw(raffle.pk, fingerprint=inputs.fingerprint, **terms).results
    assert result.number == number
    first = Order.objects.get(raffle=raffle, receipt_entry=1)
    receipt = verify.Receipt(1, first.receipt_head or "")
    raffle.refresh_from_db()
    with (
        public_record.build_public_record(raffle) as packed,
        zipfile.ZipFile(packed) as record,
    ):
        files = {name: record.read(name) for name in record.namelist()}
    assert verify.verify_files(files, receipt).problems == []


def assert_raffle_is_sealed_with_all_payments(release: former_release.FormerRelease) -> None:
    """Choose rules, and check that what the former release still sells is in chain and list."""
    terms: dict[str, Any] = {"by": builders.build_staff_actor(), "now": former_release.NOW}
    drum = ChosenRules(method=DrawMethod.RECORDED_DRUM, sources=())
    assert [raffle.pk for raffle in draw_rules.query_raffles_without_rules()] == [1]
    draw_rules.save_rules(1, drum, **terms)
    completed = former_version.complete_former_writes(now=former_release.NOW)
    assert completed.receipts == Order.objects.filter(status="PAID").count()
    for _ in range(2):
        with transaction.atomic():
            release.sell_number()
    assert raffle_changes.continue_raffle_changes(now=former_release.NOW) == 0
    while Order.objects.filter(status="PENDING_PAYMENT").exists():
        with transaction.atomic():
            release.confirm_payment()
    lifecycle.close(1, **terms)

    sealed = sealed_lists.seal(1, two_people=False, **terms)

    assert sealed.count == Order.objects.filter(status="PAID").count() > completed.receipts
    former_version.complete_former_writes(now=former_release.NOW)
    assert list_codes() == set()
    raffle = Raffle.objects.get(pk=1)
    drawn_at = max(raffle.draw_at or former_release.NOW, former_release.NOW)
    assert_raffle_is_drawn_and_verified({**terms, "now": drawn_at})


class TestFormerProcesses:
    def test_read_and_write_the_tables_of_this_release(self, database: None, vendor: str) -> None:
        lines = (STATEMENTS / f"{vendor}.jsonl").read_text().splitlines()
        changed: list[tuple[int | None, str]] = [tuple(json.loads(line)) for line in lines]

        with transaction.atomic(), connection.cursor() as cursor:
            for count, statement in changed:
                cursor.execute(statement)
                assert count is None or cursor.rowcount == count, statement

        assert len(changed) > 500
        assert Order.objects.filter(status="PAID").count() == 3
        assert list_codes() == {"payment_not_in_ledger"}

        completed = former_version.complete_former_writes(now=builders.NOON)

        assert completed.orders >= 3
        assert list_codes() == set()
        assert WhatsAppContact.objects.get(search_name="owing olaf").search_phone
        again = former_version.complete_former_writes(now=builders.NOON)
        assert again == former_version.CompletedWrites(0, 0, 0)

    def test_write_while_the_database_is_migrated(
        self, former_database: former_release.FormerRelease
    ) -> None:
        with former_release.run_writers(former_database) as writers:
            call_command("migrate", verbosity=0)

        assert writers.errors == []
        assert writers.transactions > 0
        assert former_database.orders <= LedgerEntry.objects.filter(kind="CONFIRMED").count()
        with transaction.atomic():
            former_database.confirm_payment()
        former_version.complete_former_writes(now=builders.NOON)
        assert list_codes() == set()
        assert LedgerEntry.objects.count() == Order.objects.filter(status="PAID").count()
        assert_raffle_is_sealed_with_all_payments(former_database)

    def test_leave_payments_that_can_be_undone(self, database: None) -> None:
        by = builders.build_staff_actor()
        sale = cash_sales.sell_for_cash(
            builders.create_raffle().pk,
            numbers=[7],
            quantity=1,
            buyer_name="Connie",
            buyer_phone="",
            request_key=UUID(int=1),
            pivot=1,
            by=by,
            now=builders.NOON,
        )
        LedgerEntry.objects.all().delete()

        reversals.refund_order(
            sale.order.pk,
            confirmation_id=OrderEvent.objects.get(order=sale.order, action="PAID").pk,
            note="Twice.",
            by=by,
            now=builders.NOON,
        )

        kinds = LedgerEntry.objects.order_by("pk").values_list("kind", flat=True)
        assert list(kinds) == [LedgerKind.CONFIRMED, LedgerKind.REFUNDED]


class TestMigrate:
    def test_gives_way_to_a_transaction_that_holds_a_lock(
        self, database: None, vendor: str
    ) -> None:
        call_command("migrate", "events", "0001_initial", verbosity=0)
        holder = connection.copy()
        said = Output(on_wait=holder.close)
        if vendor == "postgresql":
            holder.set_autocommit(False)
            holder.cursor().execute("LOCK TABLE events_event IN ROW EXCLUSIVE MODE")

        call_command("migrate", stdout=said)

        assert said.waited == (vendor == "postgresql")
        call_command("migrate", check_unapplied=True, verbosity=0)
        with connection.cursor() as cursor:
            rules = connection.introspection.get_constraints(cursor, "events_event")
        assert "event_type_known" in rules


class Output(StringIO):
    """The output of `migrate`, which ends the other transaction once the command waits."""

    def __init__(self, *, on_wait: Callable[[], None]) -> None:
        super().__init__()
        self.on_wait = on_wait
        self.waited = False

    def write(self, text: str) -> int:
        """Take a piece of the output."""
        if "waits for a lock" in text:
            self.waited = True
            self.on_wait()
        return super().write(text)
