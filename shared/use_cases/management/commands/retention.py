"""Command `manage retention`, for a daily timer: erase what the retention period has ended for."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from shared.core import config
from shared.core.commands import OperatorCommand
from shared.raffles.services.retention import erasable_orders
from shared.use_cases import retention
from shared.use_cases.retention import RetentionCounts


class Command(OperatorCommand):
    """The command `retention`."""

    help = (
        "Erases the payment proofs and personal data of raffles that ended RETENTION_DAYS ago, "
        "and buyers without any other order. Orders, numbers and money stay, and the records of "
        "draws, which name the winners for DRAW_RECORD_YEARS."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options `--dry-run` and `--days`."""
        parser.add_argument("--dry-run", action="store_true", help="Say what it would erase.")
        parser.add_argument(
            "--days", type=int, help="With --dry-run only: another period than RETENTION_DAYS."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Erase, or say what would be erased.

        Raises:
            CommandError: no period is set, or `--days` is used to erase.

        """
        if options["days"] is not None and not options["dry_run"]:
            raise CommandError("--days is for --dry-run; what is erased is up to RETENTION_DAYS.")
        if options["days"] is not None and options["days"] < 1:
            raise CommandError("--days must be at least 1.")
        settings = config.get_settings()
        days = options["days"] or settings.retention_days
        if days is None:
            raise CommandError("RETENTION_DAYS is not set, so everything is kept for ever.")
        now, years = timezone.now(), settings.draw_record_years
        if options["dry_run"]:
            planned = retention.plan_retention(days=days, now=now, record_years=years)
            self._describe(planned, "Would erase")
        else:
            erased = retention.enforce_retention(days=days, now=now, record_years=years)
            self._describe(erased, "Erased")
        before = now - timedelta(days=days)
        if unclosed := erasable_orders.count_unclosed_raffles(before=before):
            self.stdout.write(
                f"Raffles that nobody closed after their draw: {unclosed}. Their data is kept "
                "until they are closed."
            )

    def _describe(self, counts: RetentionCounts, verb: str) -> None:
        self.stdout.write(
            f"{verb} after the end of {counts.raffles} raffles:\n"
            f"  orders (texts, cash buyers)     {counts.orders}\n"
            f"  payment proofs (picture, texts) {counts.proofs}\n"
            f"  buyers with their chats         {counts.contacts}\n"
            f"  old messages of other buyers    {counts.messages}\n"
            f"  files left by an earlier run    {counts.files}\n"
            f"  winners named by old draws      {counts.winners}"
        )
