"""Command `manage generate_numbers`: create the ticket numbers of a raffle."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from rich.console import Console
from rich.progress import Progress

from shared.core.commands import OperatorCommand
from shared.raffles.models import Raffle
from shared.raffles.services.ticket_numbers import number_generation


class Command(OperatorCommand):
    """The command `generate_numbers`."""

    help = "Create the numbers a raffle still lacks. Broken off, it goes on where it ended."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the argument `raffle`."""
        parser.add_argument("raffle", type=int, help="the raffle's id")

    def handle(self, *_: Any, raffle: int, **__: Any) -> None:
        """Create the ticket numbers and show the progress on the terminal.

        Raises:
            CommandError: there is no such raffle.

        """
        try:
            found = Raffle.objects.get(pk=raffle)
        except Raffle.DoesNotExist:
            known = ", ".join(f"{each.pk} ({each})" for each in Raffle.objects.all()[:10])
            raise CommandError(
                f"There is no raffle {raffle}. "
                + (f"There are: {known}." if known else "Create one in the back office first.")
            ) from None
        with Progress(console=Console(stderr=True)) as shown:
            task = shown.add_task(f"Numbers of {found}", total=found.number_count)
            created = number_generation.generate_numbers(
                raffle, progress=lambda done: shown.update(task, completed=done)
            )
        self.stdout.write(
            f"{found}: numbers {found.format_ticket_number(found.first_number)} to "
            f"{found.format_ticket_number(found.last_number)} exist, "
            f"{created:,} of them created now."
        )
