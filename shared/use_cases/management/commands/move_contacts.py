"""Command `manage move_contacts`: contacts of a business number go on with another one."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from shared.core.commands import OperatorCommand
from shared.core.enums import ActorKind
from shared.raffles.actor import Actor
from shared.use_cases.contacts import contact_moves
from shared.use_cases.contacts.contact_moves import MovePlan, NumberChange
from shared.whatsapp.services import business_numbers

BY_COMMAND = Actor(ActorKind.SWEEPER, label="move_contacts")


class Command(OperatorCommand):
    """The command `move_contacts`."""

    help = (
        "Lets the contacts of a business number that was registered anew go on with the new "
        "number. Without --yes it says what it would do and changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the two numbers and the options."""
        parser.add_argument("old", help="Meta's phone number id that was given up.")
        parser.add_argument("new", help="Meta's phone number id that replaces it.")
        parser.add_argument("--yes", action="store_true", help="Move them.")
        parser.add_argument(
            "--other-portfolio",
            action="store_true",
            help="The new number belongs to another business portfolio, in which Meta gives buyers "
            "other user ids; they are then known by their phone numbers.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Describe what a move would do, or move."""
        change = NumberChange(
            options["old"], options["new"], same_user_ids=not options["other_portfolio"]
        )
        if not (change.old.isdecimal() and change.new.isdecimal()):
            raise CommandError("A phone number id has digits only; it is not the phone number.")
        if change.old == change.new:
            raise CommandError("The two numbers are the same.")
        if not business_numbers.is_ours(change.new):
            raise CommandError(
                f"{change.new} is not in META_PHONE_NUMBER_ID: add it, remove {change.old}, and "
                "restart the gateway first."
            )
        self._describe(contact_moves.plan_move(change), change)
        if not options["yes"]:
            self.stdout.write("Nothing was changed. Add --yes to move them.")
            return
        moved = contact_moves.move_contacts(change, by=BY_COMMAND, now=timezone.now())
        self.stdout.write(
            f"Moved {moved.contacts} contacts and {moved.raffles} raffles, joined {moved.joins}."
        )

    def _describe(self, plan: MovePlan, change: NumberChange) -> None:
        lines = [
            f"{plan.contacts} contacts go on with {change.new}, with their orders and chats.",
            f"{plan.joins} wrote to it already; their two contacts are joined.",
            (
                f"{plan.messages} unsent messages are sent from it. Meta may refuse those until "
                "the buyer writes to it; they wait for that."
            ),
            f"{plan.unanswered} messages wait for an answer, which comes from it.",
            f"{plan.raffles} raffles are sold from it.",
        ]
        if plan.strangers:
            lines.append(
                f"{plan.strangers} contacts stay: their phone number belongs to somebody else "
                f"there. Look at the contacts of {change.old} in the back office."
            )
        if plan.receipts:
            lines.append(
                f"{plan.receipts} payment proofs are still to be fetched with {change.old}; keep "
                "its access until they are."
            )
        self.stdout.write("\n".join(lines))
