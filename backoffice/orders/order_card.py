"""Card of an order in a worklist."""

from dataclasses import dataclass
from datetime import datetime

from backoffice.orders.proofs import proof_cards
from backoffice.ui import display
from shared.raffles.models import Order, PaymentProof


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCard:
    """An order in a worklist.

    Attributes:
        order: The order, with its raffle and contact.
        page: The address of its page.
        proof: The proof that the card shows, if there is any.
        waiting_since: The time since which it has been in the worklist.
        now: The current time.

    """

    order: Order
    page: str
    proof: PaymentProof | None
    waiting_since: datetime
    now: datetime

    @property
    def shown(self) -> str:
        """The way the proof is shown; empty if there is none."""
        return proof_cards.choose_proof_display(self.proof) if self.proof else ""

    @property
    def thumbnail(self) -> str:
        """The address of the proof's thumbnail; empty if there is none."""
        return proof_cards.build_thumbnail_url(self.proof) if self.proof else ""

    @property
    def buyer(self) -> str:
        """The name and phone number of the buyer."""
        return display.format_contact(self.order.contact)

    @property
    def amount(self) -> str:
        """The total with its currency."""
        return display.format_order_total(self.order)

    @property
    def since(self) -> str:
        """The time since which it has been in the worklist, in the zone of the raffle."""
        return display.format_time(self.waiting_since, zone=self.order.raffle.time_zone)

    @property
    def ago(self) -> str:
        """How long it has been in the worklist, in one unit."""
        return display.format_time_since(self.waiting_since, now=self.now)
