"""Checks without Meta: database, login, raffle, public address, last webhook.

Import it after `django.setup()`. Every check is a function that returns one result.
"""

from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from gateway.doctor import CheckResult, report_failed, report_open, report_passed
from shared.core.config import Settings
from shared.core.enums import RaffleStatus
from shared.raffles.models import Raffle
from shared.raffles.services import availability
from shared.staff_mail import deliveries
from shared.whatsapp.models import BusinessNumber

LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})

NO_WEBHOOK_REMEDY: Final = (
    "Write to the number. Silence has one of these causes: the webhook is not verified; its field "
    "`messages` is not subscribed; the app is not Live; another callback address goes first "
    "(an override on the account or the number); a proxy rewrites or limits what is posted."
)


def check_installation(settings: Settings, *, now: datetime) -> list[CheckResult]:
    """Run the checks of this machine, in the order in which it is set up."""
    found = [_check_database()]
    if found[-1].has_passed:
        found.append(_check_migrations())
    if found[-1].has_passed:
        found += [_check_staff_login(), _check_raffle_on_sale(settings, now=now)]
    seen = {finding.title for finding in found}
    unseen = [title for title in ("Migrations", "Staff login", "Raffle") if title not in seen]
    found += [report_open(title, "cannot be seen before the database is ready") for title in unseen]
    return [*found, _check_public_url(settings)]


def _check_database() -> CheckResult:
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        return report_failed(
            "Database",
            f"does not answer: {str(error).strip().splitlines()[0]}",
            remedy="Start it, make the folder of the SQLite file, or correct DATABASE_URL.",
        )
    if connection.vendor == "sqlite":
        return report_passed("Database", "SQLite: fine on one machine, PostgreSQL for more")
    return report_passed("Database", f"{connection.display_name} answers")


def _check_migrations() -> CheckResult:
    executor = MigrationExecutor(connection)
    unapplied = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if unapplied:
        return report_failed(
            "Migrations",
            f"{len(unapplied)} are not applied",
            remedy="Run `uv run manage migrate`.",
        )
    return report_passed("Migrations", "all are applied")


def _check_staff_login() -> CheckResult:
    if User.objects.filter(is_staff=True, is_active=True).exists():
        return report_passed("Staff login", "somebody can log in to the back office")
    return report_failed(
        "Staff login",
        "nobody can log in to the back office",
        remedy="Run `uv run manage createsuperuser`.",
    )


def _check_raffle_on_sale(settings: Settings, *, now: datetime) -> CheckResult:
    on_sale = {
        raffle.pk: raffle.title
        for number in settings.phone_number_ids or ("",)
        for raffle in availability.list_raffles_on_sale(number, now=now)
    }
    if on_sale:
        return report_passed("Raffle", "on sale: " + ", ".join(on_sale.values()))
    if Raffle.objects.filter(status=RaffleStatus.OPEN).exists():
        words, remedy = "one is open, but sells nothing now", "its sale dates and business number"
        return report_failed("Raffle", words, remedy=f"Look at {remedy} in the back office.")
    return report_failed(
        "Raffle", "none is open", remedy="Make one in the back office, then open it."
    )


def _check_public_url(settings: Settings) -> CheckResult:
    title = "PUBLIC_URL"
    if settings.is_https:
        return report_passed(title, settings.public_url)
    remedy = "Put a proxy with a certificate in front and set PUBLIC_URL to its https:// address."
    if is_loopback_address(settings.public_url) and is_loopback_address(settings.meta_graph_url):
        return report_open(title, f"{settings.public_url}: this machine only", remedy=remedy)
    return report_failed(title, f"{settings.public_url} is not https", remedy=remedy)


def check_last_webhook(settings: Settings) -> CheckResult:
    """Check whether a webhook has ever arrived; needs a database with all migrations."""
    title = "Webhook"
    numbers = BusinessNumber.objects.filter(phone_number_id__in=settings.phone_number_ids)
    heard = numbers.exclude(last_webhook_at=None).order_by("-last_webhook_at").first()
    if heard is None or heard.last_webhook_at is None:
        return report_open(title, "none has arrived yet", remedy=NO_WEBHOOK_REMEDY)
    return report_passed(
        title, f"the last one arrived at {heard.last_webhook_at:%Y-%m-%d %H:%M:%S} UTC"
    )


def check_staff_mail(settings: Settings) -> CheckResult:
    """Check whether anybody would get e-mails; needs a database with all migrations."""
    title = "E-mails"
    if not settings.sends_mail:
        return report_open(title, "none are sent to staff: EMAIL_HOST is not set")
    recipients = deliveries.count_recipients()
    if not recipients:
        words = f"{settings.email_host} is set, but nobody would get one"
        remedy = "Add an e-mail address to a person, in the back office under People."
        return report_open(title, words, remedy=remedy)
    who = "1 person gets them" if recipients == 1 else f"{recipients} people get them"
    return report_passed(title, f"{who}, through {settings.email_host}")


def is_loopback_address(address: str) -> bool:
    """Whether a URL leads to this machine."""
    return urlsplit(address).hostname in LOOPBACK_HOSTS
