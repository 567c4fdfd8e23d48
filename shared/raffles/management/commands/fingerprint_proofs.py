"""Command `manage fingerprint_proofs`: store missing fingerprints of pictures."""

from typing import Any

from shared.core.commands import OperatorCommand
from shared.raffles.services.payment_proofs import similar_proofs


class Command(OperatorCommand):
    """The command `fingerprint_proofs`."""

    help = "Look at kept pictures that were never compared, so that their copies are found too."

    def handle(self, *_: Any, **__: Any) -> None:
        """Store them in small batches, so the database stays available to others."""
        looked_at = 0
        for count in similar_proofs.store_missing_fingerprints():
            looked_at += count
            self.stdout.write(f"{looked_at:,} pictures", ending="\r")
        self.stdout.write(self.style.SUCCESS(f"{looked_at:,} pictures were looked at."))
