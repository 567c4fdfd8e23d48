"""Tests of `manage move_to_postgres`, with the rows of an installation of every kind."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from sqlite3 import OperationalError, connect

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import DjangoDbBlocker

from backoffice.maintenance import postgres_move
from shared.raffles.models import Order, Raffle
from shared.whatsapp.models import InboundMessage
from tests import builders, old_installation
from tests.databases import DatabaseFactory, use_database

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module", autouse=True)
def on_postgresql_only(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Allow connections to databases of the test's own, which `django_db` does not know."""
    if connection.vendor == "sqlite":
        pytest.skip("moves to PostgreSQL")
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module")
def upgraded_file(run_folder: Path, on_postgresql_only: None) -> Iterator[Path]:
    """Return a SQLite installation of the present version, which no test changes."""
    with old_installation.copy_upgraded_database("sqlite", run_folder) as address:
        yield Path(address.removeprefix("sqlite:///"))


@pytest.fixture
def sqlite_file(tmp_path: Path, upgraded_file: Path) -> Path:
    """Return a copy of the installation."""
    return Path(shutil.copy(upgraded_file, tmp_path / "raffle.sqlite3"))


@pytest.fixture
def sqlite_address(sqlite_file: Path) -> str:
    return f"sqlite:///{sqlite_file}"


@pytest.fixture
def empty_postgres(run_folder: Path) -> Iterator[None]:
    """Use a PostgreSQL database without a single table."""
    factory = DatabaseFactory("postgresql", run_folder)
    with factory.restored("") as address, use_database(address):
        yield


@pytest.fixture
def migrated_postgres(run_folder: Path) -> Iterator[None]:
    """Use a PostgreSQL database with all tables and no row."""
    factory = DatabaseFactory("postgresql", run_folder)
    with factory.fresh() as address, use_database(address):
        yield


def run_command(file: Path) -> str:
    """Run the command and return what it printed."""
    out = StringIO()
    call_command("move_to_postgres", str(file), stdout=out)
    return out.getvalue()


class TestMove:
    @pytest.mark.usefixtures("empty_postgres")
    def test_copies_every_row_once_and_goes_on_with_the_ids(
        self, sqlite_address: str, sqlite_file: Path
    ) -> None:
        models = postgres_move.list_tables_to_move()
        with use_database(sqlite_address):
            before = {
                model: postgres_move.compute_table_digest(model, using="default")
                for model in models
            }
            codes = list(Order.objects.order_by("pk").values_list("code", flat=True))

        assert "counts, checksums and the inventory agree" in run_command(sqlite_file)

        assert connection.vendor == "postgresql"
        for model in models:
            after = postgres_move.compute_table_digest(model, using="default")
            assert after == before[model], model
        assert sum(count for count, _ in before.values()) > 300
        assert list(Order.objects.order_by("pk").values_list("code", flat=True)) == codes
        assert InboundMessage.objects.exists()

        with pytest.raises(CommandError, match="it must be empty"):
            run_command(sqlite_file)
        last = Raffle.objects.latest("pk").pk
        assert builders.create_raffle(numbers=10).pk == last + 1

    @pytest.mark.usefixtures("migrated_postgres")
    def test_keeps_writers_out_of_the_old_database(
        self, sqlite_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refused: list[str] = []
        copy_table = postgres_move._copy_table

        def write_to_sqlite() -> None:
            with closing(connect(sqlite_file, timeout=0)) as sqlite:
                try:
                    sqlite.execute("UPDATE raffles_raffle SET title = 'late'")
                except OperationalError as error:
                    refused.append(str(error))

        def write_and_copy(model: type[Raffle]) -> int:
            if model is Raffle:
                thread = threading.Thread(target=write_to_sqlite)
                thread.start()
                thread.join()
            return copy_table(model)

        monkeypatch.setattr(postgres_move, "_copy_table", write_and_copy)
        run_command(sqlite_file)

        assert refused == ["database is locked"]

    @pytest.mark.usefixtures("migrated_postgres")
    def test_can_be_started_again_after_it_was_cut_off(
        self, sqlite_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        copy_table = postgres_move._copy_table

        def stop_at_orders(model: type[Order]) -> int:
            if model is Order:
                raise KeyboardInterrupt
            return copy_table(model)

        with monkeypatch.context() as patched:
            patched.setattr(postgres_move, "_copy_table", stop_at_orders)
            with pytest.raises(KeyboardInterrupt):
                run_command(sqlite_file)
        assert not Raffle.objects.exists()

        run_command(sqlite_file)
        assert Order.objects.exists()

    @pytest.mark.usefixtures("migrated_postgres")
    def test_names_the_table_with_a_row_that_postgresql_does_not_take(
        self, sqlite_file: Path
    ) -> None:
        for title, reason in (("a\0b", "NUL"), ("x" * 900, "too long")):
            with closing(connect(sqlite_file)) as sqlite, sqlite:
                sqlite.execute("UPDATE raffles_raffle SET title = ?", [title])

            refusal = f"a row of raffles_raffle, so nothing was moved: .*{reason}"
            with pytest.raises(CommandError, match=refusal):
                run_command(sqlite_file)
        assert not Raffle.objects.exists()

    @pytest.mark.usefixtures("migrated_postgres")
    def test_takes_an_installation_that_was_migrated_before_its_migrations_were_squashed(
        self, sqlite_address: str, sqlite_file: Path
    ) -> None:
        with use_database(sqlite_address):
            rows = MigrationRecorder.Migration.objects.filter(name__contains="_squashed_")
            assert rows.delete()[0] > 1

        run_command(sqlite_file)

        assert Order.objects.exists()

    @pytest.mark.usefixtures("migrated_postgres")
    def test_refuses_another_version_and_what_is_no_installation(
        self, sqlite_address: str, sqlite_file: Path, tmp_path: Path
    ) -> None:
        with use_database(sqlite_address):
            last = MigrationRecorder.Migration.objects.filter(app="raffles").latest("name")
            MigrationRecorder(connection).record_unapplied("raffles", last.name)
        (other := tmp_path / "other.sqlite3").touch()

        for file, refusal in (
            (sqlite_file, "is of another version"),
            (other, "is not the database of an installation"),
            (tmp_path / "nothing", "There is no file"),
        ):
            with pytest.raises(CommandError, match=refusal):
                run_command(file)


def test_wants_the_new_database_in_the_settings(sqlite_address: str, sqlite_file: Path) -> None:
    with (
        use_database(sqlite_address),
        pytest.raises(CommandError, match="Set DATABASE_URL to the new PostgreSQL"),
    ):
        run_command(sqlite_file)
