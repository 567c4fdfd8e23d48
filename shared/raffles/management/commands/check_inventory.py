"""Command `manage check_inventory`: check that orders, ticket numbers and the ledger agree."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from shared.core.commands import OperatorCommand
from shared.raffles.services.ticket_numbers import inventory


class Command(OperatorCommand):
    """The command `check_inventory`."""

    help = "Check that numbers, orders and the ledger agree; exits with 1 where they do not."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the optional argument `raffle`."""
        parser.add_argument("raffle", type=int, nargs="?", help="only this raffle, by its id")

    def handle(self, *_: Any, raffle: int | None = None, **__: Any) -> None:
        """Print every problem.

        Raises:
            CommandError: there is a problem.

        """
        problems = inventory.find_inventory_problems(raffle)
        for problem in problems:
            self.stderr.write(f"raffle {problem.raffle_id}: {problem.description} [{problem.code}]")
        if problems:
            raise CommandError(f"The inventory does not add up: {len(problems)} problems.")
        self.stdout.write(
            self.style.SUCCESS(
                "Every number is free, held or sold exactly once; the money adds up."
            )
        )
