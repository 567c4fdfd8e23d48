"""Checks without Meta: database, login, raffle, public address, last webhook.

Import it after `django.setup()`. Every check is a function that returns one result.
"""

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.db import DatabaseError, connection

from gateway.doctor import CheckResult, report_failed, report_open, report_passed
from shared.core import migration_state
from shared.core.config import Settings
from shared.core.enums import RaffleStatus
from shared.raffles.models import Raffle
from shared.raffles.services import availability
from shared.staff_mail import deliveries
from shared.use_cases import former_version, retention
from shared.whatsapp.models import BusinessNumber

LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})

MEGABYTE: Final = 1_000_000
MIN_FREE_MEGABYTES: Final = 200
"""A dozen of the largest files that a buyer may send, and room for the database."""

RETENTION_DELAY: Final = timedelta(days=2)
"""How much longer than `RETENTION_DAYS` data may be kept: the command runs once a day."""

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
        found += [
            *_check_former_payments(),
            _check_staff_login(),
            _check_raffle_on_sale(settings, now=now),
        ]
    seen = {finding.title for finding in found}
    unseen = [title for title in ("Migrations", "Staff login", "Raffle") if title not in seen]
    found += [
        report_open(title, "This cannot be checked before the database is ready.")
        for title in unseen
    ]
    return [*found, _check_disk_space(settings), _check_public_url(settings)]


def _check_database() -> CheckResult:
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        return report_failed(
            "Database",
            f"It does not answer: {str(error).strip().splitlines()[0]}. Nothing works without it.",
            remedy="Start it, correct DATABASE_URL or, if it is new, run `uv run manage migrate`.",
        )
    if connection.vendor == "sqlite":
        return report_passed(
            "Database", "SQLite answers: fine on one machine; take PostgreSQL for more."
        )
    return report_passed("Database", f"{connection.display_name} answers.")


def _check_migrations() -> CheckResult:
    unapplied = migration_state.count_unapplied_migrations()
    if unapplied:
        return report_failed(
            "Migrations",
            f"{unapplied} are not applied, so tables that the program needs are not there.",
            remedy="Run `uv run manage migrate`.",
        )
    return report_passed("Migrations", "All are applied.")


def _check_former_payments() -> list[CheckResult]:
    """Return a failed result if processes of a former version left payments without an entry."""
    count = former_version.count_payments_without_entry()
    if not count:
        return []
    words = f"{count} payments that a former version confirmed after the update are in no sum."
    remedy = "Run `uv run rafflebot upgrade` once the last process of that version has ended."
    return [report_failed("Update", words, remedy=remedy)]


def _check_staff_login() -> CheckResult:
    if User.objects.filter(is_staff=True, is_active=True).exists():
        return report_passed("Staff login", "Somebody can log in to the back office.")
    return report_failed(
        "Staff login",
        "Nobody can log in to the back office, so no payment can be confirmed there.",
        remedy="Run `uv run manage createsuperuser`.",
    )


def _check_raffle_on_sale(settings: Settings, *, now: datetime) -> CheckResult:
    on_sale = {
        raffle.pk: raffle.title
        for number in settings.phone_number_ids or ("",)
        for raffle in availability.list_raffles_on_sale(number, now=now)
    }
    if on_sale:
        return report_passed("Raffle", "On sale: " + ", ".join(on_sale.values()) + ".")
    if Raffle.objects.filter(status=RaffleStatus.OPEN).exists():
        words = "One is open but sells nothing now: buyers are told that nothing is on sale."
        remedy = "Look at its sale dates and business number in the back office."
        return report_failed("Raffle", words, remedy=remedy)
    return report_failed(
        "Raffle",
        "No raffle is open: buyers are told that nothing is on sale.",
        remedy="Make one in the back office, then open it.",
    )


def _check_disk_space(settings: Settings) -> CheckResult:
    folders = [settings.media_folder]
    if connection.vendor == "sqlite":
        folders.append(Path(str(connection.settings_dict["NAME"])).absolute().parent)
    free, folder = min(
        (shutil.disk_usage(existing).free // MEGABYTE, existing)
        for existing in map(_find_existing, folders)
    )
    words = f"{free:,} MB are free in {folder}."
    if free >= MIN_FREE_MEGABYTES:
        return report_passed("Disk", words)
    return report_failed(
        "Disk",
        f"Only {words} On a full disk no webhook and no payment proof can be stored.",
        remedy="Make room there; the folder `renditions` of MEDIA_ROOT may be emptied.",
    )


def _find_existing(folder: Path) -> Path:
    """Return a folder or, as long as it is not made, the one it will be made in."""
    return next(each for each in (folder, *folder.parents) if each.exists())


def _check_public_url(settings: Settings) -> CheckResult:
    title = "PUBLIC_URL"
    if settings.is_https:
        return report_passed(title, f"It is {settings.public_url}.")
    remedy = "Put a proxy with a certificate in front and set PUBLIC_URL to its https:// address."
    if is_loopback_address(settings.public_url) and is_loopback_address(settings.meta_graph_url):
        return report_open(
            title, f"It is {settings.public_url}: only this machine reaches it.", remedy=remedy
        )
    words = f"{settings.public_url} is not https: Meta sends webhooks to https alone."
    return report_failed(title, words, remedy=remedy)


def check_last_webhook(settings: Settings, *, now: datetime) -> CheckResult:
    """Check whether webhooks have arrived lately; needs a database with all migrations."""
    title = "Webhook"
    numbers = BusinessNumber.objects.filter(phone_number_id__in=settings.phone_number_ids)
    heard = numbers.exclude(last_webhook_at=None).order_by("-last_webhook_at").first()
    if heard is None or heard.last_webhook_at is None:
        return report_open(
            title, "None has arrived yet, so no buyer has been answered.", remedy=NO_WEBHOOK_REMEDY
        )
    words = f"The last one arrived at {heard.last_webhook_at:%Y-%m-%d %H:%M:%S} UTC."
    limit = settings.webhook_silence_limit
    if limit is not None and now - heard.last_webhook_at > limit:
        hours = settings.webhook_silence_hours
        return report_open(
            title, f"{words} That is more than {hours} hours ago.", remedy=NO_WEBHOOK_REMEDY
        )
    return report_passed(title, words)


def check_retention(settings: Settings, *, now: datetime) -> list[CheckResult]:
    """Check that `manage retention` runs; needs a database with all migrations.

    No run is recorded: data that should have been erased before is what matters.
    """
    if settings.retention_days is None:
        return []
    title, days = "Retention", settings.retention_days
    due = retention.plan_retention(
        days=days, now=now - RETENTION_DELAY, record_years=settings.draw_record_years
    )
    if due.orders or due.proofs or due.contacts or due.messages or due.winners:
        words = (
            f"Data is kept for longer than RETENTION_DAYS={days}: {due.orders} orders, "
            f"{due.proofs} payment proofs, {due.contacts} buyers and {due.messages} messages; or "
            f"{due.winners} winners for longer than DRAW_RECORD_YEARS={settings.draw_record_years}."
        )
        remedy = "Let raffle-retention.timer or cron run `manage retention` once a day."
        return [report_failed(title, words, remedy=remedy)]
    return [report_passed(title, f"Nothing is kept for longer than {days} days.")]


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
