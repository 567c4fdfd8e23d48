"""Management command that prints or writes the OpenAPI document."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from drf_spectacular.drainage import GENERATOR_STATS

from backoffice.api.views.openapi import render_openapi_document
from shared.core.commands import OperatorCommand
from shared.core.config import PROJECT_ROOT


class Command(OperatorCommand):
    """The command `openapi`."""

    help = "Print the API's OpenAPI document, or write it to openapi.json beside the code."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the option for the file."""
        parser.add_argument(
            "--write",
            type=Path,
            nargs="?",
            const=PROJECT_ROOT / "openapi.json",
            metavar="FILE",
            help="write it there instead; without a name: to the project's openapi.json",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Print or write the document.

        Raises:
            CommandError: drf-spectacular could not describe some of the views.

        """
        document = render_openapi_document()
        if GENERATOR_STATS:
            GENERATOR_STATS.emit_summary()
            raise CommandError("Some of the views could not be described.")
        if options["write"]:
            options["write"].write_bytes(document)
        else:
            self.stdout.write(document.decode())
