"""Results of confirming a payment and of receiving a proof, as frozen values."""

from dataclasses import dataclass
from datetime import datetime

from shared.raffles.models import Order, PaymentProof


@dataclass(frozen=True, slots=True)
class Settled:
    """The numbers are sold; `late` if they had to be taken back first."""

    order: Order
    late: bool


@dataclass(frozen=True, slots=True)
class AlreadySettled:
    """It was confirmed before: by whom and when. Nothing changed."""

    order: Order
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NeedsDecision:
    """It was paid too late and nothing is sold: a person must decide. To be committed."""

    order: Order
    taken: tuple[int, ...]
    free: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ProofSource:
    """The message a proof came with.

    Attributes:
        phone_number_id: the business number it was sent to.
        wa_message_id: Meta's id of the message.
        media_id: what the file is asked for by.
        media_sha256: of the file as announced, in hex; may be empty.
        caption: what the buyer wrote below it.
        arrived_at: when the buyer sent it.

    """

    phone_number_id: str
    wa_message_id: str
    media_id: str
    media_sha256: str
    caption: str
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class ProofKept:
    """It belongs to a placed order; `first` if it put the order under review."""

    proof: PaymentProof
    order: Order
    first: bool


@dataclass(frozen=True, slots=True)
class ProofLate:
    """Its order had ended; `taken_back` if the order has its numbers again and is under review."""

    proof: PaymentProof
    order: Order
    taken_back: bool


@dataclass(frozen=True, slots=True)
class ProofOrphan:
    """It fits no order; the seller sees it."""

    proof: PaymentProof


@dataclass(frozen=True, slots=True)
class ProofRepeated:
    """The same message was a proof before; nothing was written."""

    proof: PaymentProof
