"""Tests of the retention period and of its commands."""

import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import connection

from shared.core import config, config_errors
from shared.core.constants import ERASED_BUYER
from shared.core.enums import OrderAction, RaffleStatus
from shared.raffles.models import ErasedFile, Order, OrderEvent, PaymentProof, Raffle
from shared.raffles.services.retention import file_removal
from shared.use_cases import retention
from shared.use_cases.retention import RetentionCounts
from shared.whatsapp.models import (
    DeliveryStatus,
    InboundMessage,
    OutboundMessage,
    WhatsAppContact,
)
from tests import builders
from tests.builders import NOON, PHONE_NUMBER_ID
from tests.integration.concurrency import run_at_once

DAYS = 30
DAY = timedelta(days=1)
BEGIN = NOON - 100 * DAY

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("private_storage")]

enforce = partial(retention.enforce_retention, days=DAYS, now=NOON)


def create_raffle(ended: int, **fields: Any) -> Raffle:
    """Create a closed raffle whose draw was some days ago."""
    terms: dict[str, Any] = {"status": RaffleStatus.CLOSED, "draw_at": NOON - ended * DAY}
    raffle = builders.create_raffle(with_numbers=False, **{**terms, **fields})
    Raffle.objects.filter(pk=raffle.pk).update(updated_at=BEGIN)
    return raffle


def create_buyer(**fields: Any) -> WhatsAppContact:
    """Create a buyer who was last seen a hundred days ago, with a message each way."""
    contact = builders.create_contact(last_inbound_at=BEGIN, created_at=BEGIN, **fields)
    create_messages(contact)
    return contact


def create_messages(contact: WhatsAppContact, *, at: Any = BEGIN) -> None:
    serial = InboundMessage.objects.count()
    inbound = InboundMessage.objects.create(
        phone_number_id=PHONE_NUMBER_ID,
        wa_message_id=f"in{serial}",
        dedupe_key=f"in{serial}",
        contact=contact,
        type="text",
        text="hi",
        payload={},
        sent_at=at,
        received_at=at,
        status="PROCESSED",
    )
    OutboundMessage.objects.create(
        phone_number_id=PHONE_NUMBER_ID,
        contact=contact,
        kind="REPLY",
        key="welcome",
        payload={},
        in_reply_to=inbound,
        status="SENT",
        created_at=at,
        wa_message_id=f"out{serial}",
    )


def create_order(raffle: Raffle, contact: WhatsAppContact | None, **fields: Any) -> Order:
    """Create an order that was paid at its beginning, a hundred days ago."""
    code = f"R-{Order.objects.count()}"
    terms: dict[str, Any] = {"status": "PAID", "created_at": BEGIN, "code": code, **fields}
    return builders.create_order_row(raffle, contact=contact, **terms)


def create_proof(order: Order | None, **fields: Any) -> PaymentProof:
    """Create an accepted proof with a file."""
    terms: dict[str, Any] = {
        "order": order,
        "contact": order.contact if order else None,
        "arrived_at": BEGIN,
        "status": "KEPT",
        "verdict": "ACCEPTED",
        "caption": "mine",
        "sha256": "ab" * 32,
        **fields,
    }
    if "file" not in terms:
        terms["file"] = storages["proofs"].save("2026/08/r.pdf", ContentFile(b"%PDF"))
    return PaymentProof.objects.create(**terms)


class TestPeriod:
    def test_ends_for_raffles_that_are_over_and_for_buyers_nobody_needs(self) -> None:
        over, recent = create_raffle(ended=31), create_raffle(ended=29)
        unclosed = create_raffle(ended=31, status=RaffleStatus.OPEN)
        gone, regular, late, owed = (create_buyer() for _ in range(4))
        silent, chatty = create_buyer(), create_buyer()
        create_messages(chatty, at=NOON - DAY)
        order = create_order(over, gone)
        proof = create_proof(order, note="Ana's", media_sha256="ab" * 32, wa_message_id="in9")
        cash = create_order(over, None, buyer_name="Bo", buyer_phone="0555 7")
        kept = [
            create_order(recent, regular, created_at=NOON - 50 * DAY),
            create_order(over, late, status="EXPIRED", needs_decision=True),
            create_order(create_raffle(ended=31, status="CANCELLED"), owed),
            create_order(unclosed, late),
        ]
        old = create_order(over, regular)
        create_messages(regular, at=NOON - 40 * DAY)
        undecided = create_proof(None, contact=silent, verdict="PENDING")
        DeliveryStatus.objects.create(
            phone_number_id=PHONE_NUMBER_ID,
            wa_message_id="out-of-nobody",
            status="read",
            payload={"recipient_id": "15550100001"},
            occurred_at=BEGIN,
            received_at=BEGIN,
            next_attempt_at=BEGIN,
            applied_at=BEGIN,
        )

        planned = retention.plan_retention(days=DAYS, now=NOON)
        assert planned == enforce()

        # The two messages of `regular` from before the order that stays, and the old ones of
        # `silent` and `chatty`, whom a receipt and a message of yesterday keep.
        assert planned == RetentionCounts(
            raffles=2, orders=3, proofs=1, contacts=1, messages=6, files=0, winners=0
        )
        for one in (gone, proof, cash, order, old, undecided, silent):
            one.refresh_from_db()
        assert (str(gone), gone.wa_id, gone.search_phone) == (ERASED_BUYER, None, "")
        assert (str(cash.buyer_name), cash.buyer_phone) == (ERASED_BUYER, "")
        assert (order.erased_at, old.erased_at) == (NOON, NOON)
        assert (proof.status, proof.caption, proof.file.name, proof.note) == ("ERASED", "", "", "")
        assert proof.sha256 == "ab" * 32, "the receipt must not be used a second time"
        assert undecided.file.name
        assert silent.erased_at is None
        assert Order.objects.filter(erased_at=None).count() == len(kept)
        assert OrderEvent.objects.filter(action=OrderAction.ERASED).count() == 3
        assert not DeliveryStatus.objects.exists()
        assert enforce() == RetentionCounts(2, 0, 0, 0, 0, 0, 0), "a second run finds nothing"

    def test_ends_for_texts_that_were_written_after_the_erasure(self) -> None:
        order = create_order(create_raffle(ended=31), create_buyer())
        enforce()
        event = OrderEvent.objects.create(
            order=order, action=OrderAction.REFUNDED, actor_kind="STAFF", reason="Ana's", at=NOON
        )

        enforce()
        event.refresh_from_db()
        assert event.reason == "Ana's"
        retention.enforce_retention(days=DAYS, now=NOON + (DAYS + 1) * DAY)
        event.refresh_from_db()
        assert event.reason == ""
        assert OrderEvent.objects.get(action=OrderAction.ERASED).reason == retention.REASON

    def test_removes_a_shared_file_with_the_last_order_that_needs_it(
        self, files_folder: Path
    ) -> None:
        over, recent = create_raffle(ended=31), create_raffle(ended=29)
        contact = create_buyer()
        first = create_proof(create_order(over, contact))
        create_proof(create_order(recent, contact), shared_from=first, file=first.file.name)
        [stored] = (files_folder / "proofs").rglob("*.pdf")

        enforce()
        first.refresh_from_db()
        assert (first.file.name, stored.exists()) == ("", True)

        retention.enforce_retention(days=DAYS, now=NOON + 2 * DAY)
        assert not stored.exists()

    def test_finds_files_again_that_a_crash_left(self, files_folder: Path) -> None:
        proof = create_proof(create_order(create_raffle(ended=31), create_buyer()))
        [stored] = (files_folder / "proofs").rglob("*.pdf")
        storage = storages["proofs"]
        blocked = stored.with_suffix(".kept")
        stored.rename(blocked)
        stored.mkdir()  # a folder that is not empty cannot be removed, as if the disk refused
        (stored / "file").touch()

        enforce()
        proof.refresh_from_db()
        assert not proof.file, "no row names a file that may be gone"
        assert ErasedFile.objects.count() == 1

        (stored / "file").unlink()
        stored.rmdir()
        blocked.rename(stored)
        assert enforce().files == 1
        assert not storage.exists(stored.name)
        assert not stored.exists()
        assert not ErasedFile.objects.exists()
        assert file_removal.remove_erased_files() == 0

    @pytest.mark.acceptance
    def test_may_end_in_two_processes_at_once(self) -> None:
        if connection.vendor == "sqlite":
            pytest.skip("SQLite has one writer at a time")
        raffle = create_raffle(ended=31)
        for _ in range(20):
            create_proof(create_order(raffle, create_buyer()))

        both = run_at_once([enforce, enforce])

        assert sum(counts.orders for counts in both) == 20
        assert sum(counts.contacts for counts in both) == 20
        assert OrderEvent.objects.count() == 20
        assert not ErasedFile.objects.exists()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Return a function that runs a command and returns what it printed."""

    def run_command(*words: str, days: str = "") -> str:
        monkeypatch.setenv("RETENTION_DAYS", days)
        config.get_settings.cache_clear()
        out = StringIO()
        call_command(*words, stdout=out)
        return out.getvalue()

    yield run_command
    monkeypatch.undo()
    config.get_settings.cache_clear()


class TestCommands:
    def test_retention_needs_a_period_and_can_look_first(self, run: Callable[..., str]) -> None:
        create_order(create_raffle(ended=9_000), create_buyer())
        create_raffle(ended=9_000, status=RaffleStatus.OPEN)
        with pytest.raises(CommandError, match="not set, so everything is kept for ever"):
            run("retention")
        with pytest.raises(CommandError, match="--days is for --dry-run"):
            run("retention", "--days=9")
        for days in ("0", "6", "x", "3651"):
            with pytest.raises(config_errors.ConfigurationError, match="RETENTION_DAYS"):
                run("retention", days=days)
        said = run("retention", "--dry-run", "--days=1")
        assert "Would erase" in said
        assert "after their draw: 1." in said
        assert not Order.objects.filter(erased_at__isnull=False).exists()

    def test_a_buyer_is_exported_and_erased(self, run: Callable[..., str], tmp_path: Path) -> None:
        contact = create_buyer(wa_id="15550100555", profile_name="Bó")
        order = create_order(create_raffle(ended=1), contact)
        create_proof(order)
        target = tmp_path / "bo.zip"

        said = run("export_buyer", "+1 555 010 0555", f"--output={target}")
        assert "1 contacts, 1 orders and 1 files" in said
        assert target.stat().st_mode & 0o777 == 0o600
        with zipfile.ZipFile(target) as archive:
            data = json.loads(archive.read("buyer.json"))
            [proof] = data["payment_proofs"]
            assert archive.read(proof["file"]) == b"%PDF"
        assert data["contacts"][0]["profile_name"] == "Bó"
        assert data["orders"][0]["code"] == str(order)
        assert [message["text"] for message in data["messages_from_them"]] == ["hi"]
        with pytest.raises(CommandError, match="exists"):
            run("export_buyer", "+1 555 010 0555", f"--output={target}")

        assert "Nothing was changed" in run("erase_buyer", "15550100555", "--dry-run")
        assert not WhatsAppContact.objects.filter(erased_at__isnull=False).exists()
        said = run("erase_buyer", "15550100555", "--yes")
        assert "Goes: 1 contacts, 2 messages, 1 payment proofs, texts of 1 orders." in said
        assert f"not to be reached: {order}" in said
        assert WhatsAppContact.objects.filter(erased_at__isnull=False).exists()
        with pytest.raises(CommandError, match="no buyer with this"):
            run("erase_buyer", "15550100555", "--yes")
        open_order = create_order(create_raffle(ended=-9), create_buyer(wa_id="15550100556"))
        with pytest.raises(CommandError, match=rf"not over.*\({open_order}\) Nothing was changed"):
            run("erase_buyer", "15550100556", "--yes")
