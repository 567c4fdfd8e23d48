"""Completion of what processes of version 0.2 wrote beside this one, during an update.

Version 0.2 knows no ledger, search columns or receipts; its deadlines may lie beyond the draw.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.core import search_columns
from shared.raffles.models import Order
from shared.raffles.services import former_version
from shared.raffles.services.draws import receipt_chain
from shared.whatsapp.models import WhatsAppContact


@dataclass(frozen=True, slots=True)
class CompletedWrites:
    """What was completed.

    Attributes:
        orders: count of deadlines that were capped and ledger entries that were added.
        search: count of contacts and orders that can be found again by what they are called now.
        receipts: count of paid orders that entered the receipt chain of a raffle with rules.

    """

    orders: int
    search: int
    receipts: int


def complete_former_writes(*, now: datetime) -> CompletedWrites:
    """Complete all that is left; run it once the last process of version 0.2 has ended.

    A raffle that sold numbers before it had rules gets no receipts until a person chooses them. It
    works in small transactions while others write, and a repeat changes nothing.
    """
    return CompletedWrites(
        orders=former_version.complete_orders(),
        search=search_columns.refresh_search_columns(WhatsAppContact.objects.all())
        + search_columns.refresh_search_columns(Order.objects.filter(contact=None)),
        receipts=receipt_chain.complete_chains(now=now),
    )


def count_payments_without_entry() -> int:
    """Return how many payments of version 0.2 are in no sum yet."""
    return former_version.count_payments_without_entry()
