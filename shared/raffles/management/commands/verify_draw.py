"""Command `manage verify_draw`: verify the public record of a draw, as anyone can."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from shared.core.commands import OperatorCommand
from shared.raffles.services.draws.records import verify


class Command(OperatorCommand):
    """The command `verify_draw`."""

    help = (
        "Verifies the public record of a draw: recomputes hashes, receipt chain and selections, as "
        "the verify.py in each record does. Exits with 1 if something does not hold, with 2 if "
        "there is no record."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the record and the option `--receipt`."""
        parser.add_argument("record", type=Path, help="ZIP of the record, or a folder with it.")
        parser.add_argument(
            "--receipt", nargs="+", metavar=("ENTRY", "HEAD"), help="As in a buyer's message."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what holds.

        Raises:
            CommandError: something does not hold, or there is no record.

        """
        try:
            receipt = verify.parse_receipt(options["receipt"])
            report = verify.verify_record(options["record"], receipt)
        except verify.Unreadable as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(verify.describe_report(report))
        if report.problems:
            raise CommandError("The record does not hold.")
        self.stdout.write(self.style.SUCCESS("The record holds."))
