"""Command `manage erase_buyer`: erase the personal data of one buyer on request."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from shared.core import config
from shared.core.commands import OperatorCommand
from shared.core.enums import ActorKind
from shared.core.errors import DomainError
from shared.raffles.actor import Actor
from shared.use_cases.contacts import buyer_erasure, buyers
from shared.use_cases.contacts.buyer_erasure import ErasurePlan

BY_COMMAND = Actor(ActorKind.SWEEPER, label="erase_buyer")


class Command(OperatorCommand):
    """The command `erase_buyer`."""

    help = (
        "Erases the personal data of one buyer: ids, names, messages, payment proofs. Orders, "
        "numbers and money stay. Without --yes it asks first."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the buyer and the options."""
        parser.add_argument(
            "buyer", help="Phone number with its country code, user id at Meta, or an order's code."
        )
        parser.add_argument("--dry-run", action="store_true", help="Say what it would erase.")
        parser.add_argument("--yes", action="store_true", help="Erase without asking.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Describe what goes and what stays, ask, and erase.

        Raises:
            CommandError: there is no such buyer, or they cannot be erased yet.

        """
        try:
            buyer = buyers.find_buyer(options["buyer"])
            plan = buyer_erasure.plan_erasure(buyer, now=timezone.now())
            self._describe(plan)
            if plan.refusals:
                raise plan.refusals[0]
            if options["dry_run"]:
                self.stdout.write("Nothing was changed.")
                return
            if not options["yes"] and input("It cannot be undone. Type yes to erase: ") != "yes":
                raise CommandError("Nothing was changed.")
            buyer_erasure.erase_buyer(buyer, by=BY_COMMAND, now=timezone.now())
        except DomainError as refusal:
            raise CommandError(f"{_describe_refusal(refusal)} Nothing was changed.") from refusal
        self.stdout.write(self.style.SUCCESS("Erased. Backups and exports still have the data."))

    def _describe(self, plan: ErasurePlan) -> None:
        self.stdout.write(
            f"Goes: {plan.contacts} contacts, {plan.messages} messages, {plan.proofs} payment "
            f"proofs, texts of {plan.orders} orders.\n"
            f"Stays: {plan.orders} orders with numbers, amounts and times, and their money."
        )
        if plan.drawn:
            self.stdout.write(f"In raffles that are over, not to be reached: {_join(plan.drawn)}.")
        if plan.won:
            years = config.get_settings().draw_record_years
            self.stdout.write(
                f"Won a prize: {_join(plan.won)}. The record of the draw names the winner for "
                f"{years} years, a duty of whoever holds a raffle; tell the buyer."
            )


def _describe_refusal(refusal: DomainError) -> str:
    codes = refusal.details.get("orders")
    return f"{refusal.message()} ({_join(codes)})" if codes else refusal.message()


def _join(codes: Any) -> str:
    return ", ".join(codes)
