"""Tests of the gateway's readiness: waiting messages, migrations and the database."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from gateway.database import Database
from gateway.health import DATABASE_AWAY, Readiness, ReadinessCheck, ReadinessMonitor
from shared.core.enums import OutboxKind
from shared.whatsapp import messages
from shared.whatsapp.models import Alarm, OutboundMessage
from shared.whatsapp.services import business_numbers
from shared.whatsapp.services.outbox import outbox_queue
from tests import builders
from tests.integration.gateway.fake_meta import PHONE_NUMBER_ID, RunGateway
from tests.integration.gateway.sample_data import create_stuck_message

pytestmark = pytest.mark.django_db(transaction=True)


class TestReadiness:
    async def test_is_ready_when_nothing_waits(self, gateway: RunGateway) -> None:
        async with gateway() as meta:
            answer = await meta.get("/readyz")

        assert answer.status_code == 200
        assert answer.json() == {
            "ready": True,
            "reasons": [],
            "warnings": [],
            "database": "ok",
            "unapplied_migrations": 0,
            "oldest_unanswered_seconds": None,
            "oldest_unsent_seconds": None,
        }

    async def test_a_message_that_waits_too_long_is_a_warning(
        self, gateway: RunGateway, database: Database
    ) -> None:
        await database.run_unit(lambda: create_stuck_message(age=timedelta(seconds=90)))

        async with gateway(workers=False) as meta:
            answer = await meta.get("/readyz")

        assert (answer.status_code, answer.json()["reasons"]) == (200, [])
        assert answer.json()["oldest_unanswered_seconds"] in range(90, 100)
        assert "waits for its answer" in answer.json()["warnings"][0]

    async def test_a_reply_that_waits_because_its_number_is_paused_is_a_warning(
        self, gateway: RunGateway, database: Database
    ) -> None:
        await database.run_unit(lambda: create_old_reply(age=timedelta(seconds=150)))
        await database.run_unit(pause_number)

        async with gateway() as meta:
            answer = await meta.get("/readyz")

        assert (answer.status_code, answer.json()["reasons"]) == (200, [])
        assert answer.json()["oldest_unsent_seconds"] in range(150, 160)
        assert "waits to be sent" in answer.json()["warnings"][0]
        assert await database.run_unit(Alarm.objects.count) == 1

    async def test_a_standby_of_postgresql_is_a_reason(
        self, database: Database, vendor: str
    ) -> None:
        if vendor == "postgresql":
            await database.run_unit(make_connection_read_only)

        readiness = await database.run_unit(ReadinessCheck())

        reasons = {"sqlite": [], "postgresql": ["The database is read-only."]}
        assert readiness.reasons == reasons[vendor]

    async def test_missing_migrations_are_a_reason_until_they_are_applied(
        self, database: Database
    ) -> None:
        readiness_check = ReadinessCheck()
        await database.run_unit(hide_a_migration)

        before = await database.run_unit(readiness_check)
        await database.run_unit(restore_migration)
        after = await database.run_unit(readiness_check)

        assert before.unapplied_migrations == 1
        assert "manage migrate" in before.reasons[0]
        assert after.reasons == []

    @pytest.mark.same_everywhere
    async def test_a_check_that_does_not_end_means_the_database_is_away(self) -> None:
        calls = []

        async def endless() -> Readiness:
            calls.append(1)
            await asyncio.sleep(3600)
            return Readiness()

        monitor = ReadinessMonitor(endless)

        results = await asyncio.gather(*(monitor.check_readiness() for _ in range(5)))

        assert results == [DATABASE_AWAY] * 5
        assert len(calls) == 1


def create_old_reply(*, age: timedelta) -> OutboundMessage:
    """Queue a reply as if it had been queued `age` ago."""
    return outbox_queue.enqueue_message(
        builders.create_contact(last_inbound_at=datetime.now(UTC)),
        messages.build_text("hello"),
        key="note",
        kind=OutboxKind.REPLY,
        now=datetime.now(UTC) - age,
    )


def pause_number() -> None:
    """Pause sending, as after Meta refused the token."""
    business_numbers.pause_sending(
        PHONE_NUMBER_ID, code=190, reason="The token expired.", now=datetime.now(UTC)
    )


def make_connection_read_only() -> None:
    """Make this connection refuse to write, as one to a standby does."""
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")


def hide_a_migration() -> None:
    """Make the last migration of the WhatsApp app look as if it were not applied."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE django_migrations SET app = 'elsewhere'"
            " WHERE app = 'whatsapp' AND name ="
            " (SELECT max(name) FROM django_migrations WHERE app = 'whatsapp')"
        )


def restore_migration() -> None:
    """Undo `hide_a_migration`."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_migrations SET app = 'whatsapp' WHERE app = 'elsewhere'")
