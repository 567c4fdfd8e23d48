"""`manage expire_reservations`: for those who prefer cron over the gateway's own sweeper."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from shared.use_cases import order_endings


class Command(BaseCommand):
    """Expire what is due and tell the buyers."""

    help = "Expires holds and unpaid orders whose time has run out, and tells their buyers."

    def handle(self, *args: Any, **options: Any) -> None:
        """Go on until nothing is due."""
        total = 0
        while expired := order_endings.expire_due_orders(now=timezone.now()):
            total += expired
        self.stdout.write(f"{total} orders expired.")
