"""Tests of the worker that sends e-mails to staff, with a real mail server."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.contrib.auth.models import User
from pytest_django import Settings

from deploy.child_processes import find_free_ports
from gateway import app
from gateway.database import Database
from gateway.workers.loop import StopSignal
from gateway.workers.staff_mail import StaffMailWorker
from shared.core import config
from shared.staff_mail.models import StaffMailbox
from shared.staff_mail.situation import MailRules
from shared.whatsapp.models import Alarm
from shared.whatsapp.services import alarms
from tests.builders import NOON

pytestmark = pytest.mark.django_db(transaction=True)


class MailServer:
    """A mail server that keeps what it accepts; `answer` is what it says to the next e-mails."""

    def __init__(self) -> None:
        self.answer = "250 OK"
        self.kept: list[EmailMessage] = []
        self.recipients: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            from email import message_from_bytes, policy

            parsed = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(parsed, EmailMessage)
            self.kept.append(parsed)
            self.recipients += envelope.rcpt_tos
        return self.answer


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    server, [port] = MailServer(), find_free_ports(0)
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False
    settings.DEFAULT_FROM_EMAIL = "Raffles <raffles@example.com>"
    yield server
    controller.stop()


@pytest.fixture
def worker(database: Database) -> StaffMailWorker:
    return StaffMailWorker(
        database=database,
        rules=MailRules(proof_wait=timedelta(minutes=15), repeat_after=timedelta(hours=4)),
        brand="Club",
        public_url="https://raffles.example",
        stop=StopSignal(),
    )


def create_news() -> None:
    User.objects.create_superuser("olga", "olga@example.com")
    alarms.sound_alarm("paused:1", title="Sending is paused", now=NOON)


def make_due_again() -> None:
    """Let the pause after a failure pass."""
    StaffMailbox.objects.update(next_try_at=datetime.now(UTC))


async def test_sends_what_waits_once_as_text_and_html(
    mail_server: MailServer, worker: StaffMailWorker, database: Database
) -> None:
    await database.run_unit(create_news)

    for _ in range(3):
        assert not await worker.turn()

    [mail] = mail_server.kept
    assert mail_server.recipients == ["olga@example.com"]
    assert mail["From"] == "Raffles <raffles@example.com>"
    assert mail["Subject"] == "Club: alarm: Sending is paused"
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    link = "https://raffles.example/admin/whatsapp/alarm/?open=yes"
    assert link in text.get_content()
    assert f'href="{link}"' in html.get_content()


async def test_a_server_that_refuses_or_is_away_loses_nothing(
    mail_server: MailServer, worker: StaffMailWorker, database: Database, settings: Settings
) -> None:
    await database.run_unit(create_news)
    mail_server.answer = "451 try later olga@example.com"
    await worker.turn()
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, find_free_ports(0)[0]
    await database.run_unit(make_due_again)
    await worker.turn()

    alarm = await database.run_unit(lambda: Alarm.objects.get(key__startswith="staff_mail:"))
    assert alarm.count == 2
    assert alarm.detail.startswith("The mail server cannot be reached (ConnectionRefusedError).")
    mail_server.answer, settings.EMAIL_PORT = "250 OK", port
    await database.run_unit(make_due_again)
    await worker.turn()

    assert [mail["Subject"] for mail in mail_server.kept] == ["Club: alarm: Sending is paused"]
    resolved = await database.run_unit(lambda: Alarm.objects.get(pk=alarm.pk).resolved_by)
    assert resolved == "an e-mail went through"


@pytest.mark.same_everywhere
def test_runs_only_with_a_mail_server() -> None:
    settings = config.get_settings()
    with_server = settings.model_copy(update={"email_host": "mail.example.com"})

    assert app.build_mail_rules(settings) is None
    assert app.build_mail_rules(with_server) == MailRules(
        proof_wait=timedelta(minutes=15), repeat_after=timedelta(hours=4)
    )
