"""Results of a hold, of confirming, undoing or refunding a payment, and of receiving a proof."""

from dataclasses import dataclass
from datetime import datetime

from shared.core.enums import UnplacedReason
from shared.raffles.models import Order, PaymentProof


@dataclass(frozen=True, slots=True)
class ChoiceHeld:
    """One of several choices of ticket numbers is held.

    Attributes:
        order: the hold, a draft.
        taken: ticket numbers of the better choices that belong to other orders, ascending.

    """

    order: Order
    taken: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """The ticket numbers are sold; `late` if they had to be taken back or replaced first."""

    order: Order
    late: bool


@dataclass(frozen=True, slots=True)
class AlreadySettled:
    """The payment was confirmed before, by `by` at `at`; nothing changed."""

    order: Order
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NeedsDecision:
    """The order was paid too late and nothing is sold: a person must decide.

    The order is flagged for it, so the transaction must be committed.

    Attributes:
        order: the ended order.
        taken: its ticket numbers that belong to other orders.
        free: its ticket numbers that are free.

    """

    order: Order
    taken: tuple[int, ...]
    free: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reversed:
    """A confirmation was undone or refunded by `by` at `at`; `repeated` if that was before."""

    order: Order
    by: str
    at: datetime
    repeated: bool


@dataclass(frozen=True, slots=True)
class ProofSource:
    """The WhatsApp message that a proof came with.

    Attributes:
        phone_number_id: Meta's id of the business number it was sent to.
        wa_message_id: Meta's id of the message.
        media_id: Meta's id of the file, for the download.
        media_sha256: SHA-256 of the file as Meta announced it, in hex; may be empty.
        caption: the buyer's text below the file.
        arrived_at: time at which the buyer sent it.

    """

    phone_number_id: str
    wa_message_id: str
    media_id: str
    media_sha256: str
    caption: str
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class ProofKept:
    """The proof belongs to a placed order; `first` if it put the order under review."""

    proof: PaymentProof
    order: Order
    first: bool


@dataclass(frozen=True, slots=True)
class ProofLate:
    """The proof's order had ended.

    `taken_back` if the order got its ticket numbers back and is under review.
    """

    proof: PaymentProof
    order: Order
    taken_back: bool


@dataclass(frozen=True, slots=True)
class ProofOrphan:
    """The proof is kept without an order for `reason`; the seller sees it in a list of its own."""

    proof: PaymentProof
    reason: UnplacedReason = UnplacedReason.NO_ORDER


@dataclass(frozen=True, slots=True)
class ProofRepeated:
    """The same message had come before; nothing was written."""

    proof: PaymentProof
