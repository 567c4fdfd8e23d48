"""Command `manage expire_reservations`, for use with cron instead of the gateway's worker."""

from typing import Any

from django.utils import timezone

from shared.core.commands import OperatorCommand
from shared.use_cases import order_endings, raffle_changes


class Command(OperatorCommand):
    """The command `expire_reservations`."""

    help = "Expires holds and unpaid orders whose time has run out, and tells their buyers."

    def handle(self, *args: Any, **options: Any) -> None:
        """Expire orders in batches until none is due."""
        total = 0
        while expired := order_endings.expire_due_orders(now=timezone.now()):
            total += expired
        self.stdout.write(f"{total} orders expired.")
        followed = 0
        while count := raffle_changes.continue_raffle_changes(now=timezone.now()):
            followed += count
        if followed:
            self.stdout.write(f"{followed} orders followed a change of their raffle.")
