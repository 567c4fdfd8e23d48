"""Command `manage export_buyer`: write everything that is stored about one buyer into a file."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from shared.core.commands import OperatorCommand
from shared.core.errors import DomainError
from shared.use_cases.contacts import buyer_export, buyers


class Command(OperatorCommand):
    """The command `export_buyer`."""

    help = "Writes everything that is stored about one buyer into a ZIP: JSON and their files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the buyer and the option `--output`."""
        parser.add_argument(
            "buyer", help="Phone number with its country code, user id at Meta, or an order's code."
        )
        parser.add_argument(
            "--output", type=Path, default=Path("buyer.zip"), help="Where to write it: buyer.zip"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the archive, which only its owner can read.

        Raises:
            CommandError: there is no such buyer, or the file exists.

        """
        output: Path = options["output"]
        try:
            buyer = buyers.find_buyer(options["buyer"])
            handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except DomainError as refusal:
            raise CommandError(refusal.message()) from refusal
        except FileExistsError as error:
            raise CommandError(f"{output} exists; an export replaces no file.") from error
        except OSError as error:
            raise CommandError(str(error)) from error
        with os.fdopen(handle, "wb") as target:
            files = buyer_export.write_buyer_archive(buyer, target, now=timezone.now())
        self.stdout.write(
            self.style.SUCCESS(
                f"{output}: {len(buyer.contact_ids)} contacts, {len(buyer.order_ids)} orders and "
                f"{files} files."
            )
        )
