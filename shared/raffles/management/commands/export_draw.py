"""Command `manage export_draw`: write the record of a draw into a file."""

import os
import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from shared.core.commands import OperatorCommand
from shared.core.errors import DomainError
from shared.raffles.services.draws.records import public_record, winners_file
from shared.raffles.services.queries import raffle_queries


class Command(OperatorCommand):
    """The command `export_draw`."""

    help = (
        "Writes the public record of a raffle's draw into a ZIP; with --winners the part for the "
        "operator alone, with names and phone numbers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the raffle, the file and the option `--winners`."""
        parser.add_argument("raffle", type=int, help="The raffle's id.")
        parser.add_argument("file", type=Path, help="Where to write it; it must not exist.")
        parser.add_argument(
            "--winners", action="store_true", help="The winners' identities, never published."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file, which only its owner can read.

        Raises:
            CommandError: there is no such raffle, it is not sealed, or the file exists.

        """
        file: Path = options["file"]
        build = (
            winners_file.build_winners_file
            if options["winners"]
            else (public_record.build_public_record)
        )
        try:
            with build(raffle_queries.load_raffle(options["raffle"])) as record:
                handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as target:
                    shutil.copyfileobj(record, target)
        except DomainError as refusal:
            raise CommandError(refusal.message()) from refusal
        except FileExistsError as error:
            raise CommandError(f"{file} exists; an export replaces no file.") from error
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(f"{file}: {file.stat().st_size:,} bytes."))
