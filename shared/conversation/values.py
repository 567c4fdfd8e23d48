"""The frozen values the conversation is decided with: facts, events, effects and steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from shared.core.enums import Mode, OrderStatus, State
from shared.whatsapp import messages
from shared.whatsapp.messages import ListRow, Message, ReplyButton

# ── what is so ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class RaffleFacts:
    """A raffle as the conversation needs it; `why_not` says why it does not sell just now."""

    id: int
    title: str
    prize: str
    price: Decimal
    currency: str
    available: int
    total: int
    first: int
    last: int
    width: int
    minimum: int
    maximum: int
    seller: str
    payment: str = ""
    description: str = ""
    time_zone: str = "UTC"
    draw_at: datetime | None = None
    left_for_buyer: int | None = None
    examples: tuple[int, ...] = ()
    why_not: str | None = None

    @property
    def on_sale(self) -> bool:
        """Whether a number can be held now."""
        return self.why_not is None

    @property
    def most(self) -> int:
        """How many numbers this buyer may take at once now."""
        own = self.maximum if self.left_for_buyer is None else self.left_for_buyer
        return max(0, min(self.maximum, self.available, own))

    def written(self, number: int) -> str:
        """Write a number with its leading zeros."""
        return f"{number:0{self.width}d}"

    def has(self, number: int) -> bool:
        """Whether the raffle has such a number, free or not."""
        return self.first <= number <= self.last


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """One of the buyer's orders."""

    id: int
    code: str
    raffle: RaffleFacts
    status: OrderStatus
    mode: Mode
    numbers: tuple[int, ...]
    total: Decimal
    currency: str
    expires_at: datetime | None = None
    under_review: bool = False
    needs_decision: bool = False
    asked_again: bool = False

    @property
    def live(self) -> bool:
        """Whether it keeps numbers for a while: a hold or an order to be paid."""
        return self.status in {OrderStatus.DRAFT, OrderStatus.PENDING_PAYMENT}

    @property
    def wants_payment(self) -> bool:
        """Whether its buyer should pay and send a proof."""
        return self.status is OrderStatus.PENDING_PAYMENT and not self.under_review

    @property
    def wants_proof(self) -> bool:
        """Whether its buyer owes a proof: the first, or the better one they were asked for."""
        return self.wants_payment or self.asked_again


@dataclass(frozen=True, slots=True)
class Facts:
    """What is so at this moment, for one buyer; gathered anew before every decision."""

    now: datetime
    raffles: tuple[RaffleFacts, ...] = ()
    orders: tuple[OrderFacts, ...] = ()
    seller: str = ""

    def raffle(self, raffle_id: int | None) -> RaffleFacts | None:
        """Find a raffle that is on sale, or that one of the buyer's orders belongs to."""
        known = (*self.raffles, *(order.raffle for order in self.orders))
        return next((raffle for raffle in known if raffle.id == raffle_id), None)

    def order(self, order_id: int | None) -> OrderFacts | None:
        """Find one of the buyer's own orders."""
        return next((order for order in self.orders if order.id == order_id), None)

    @property
    def live_orders(self) -> tuple[OrderFacts, ...]:
        """Holds and orders to be paid, oldest first."""
        return tuple(order for order in self.orders if order.live)

    @property
    def wanting_payment(self) -> tuple[OrderFacts, ...]:
        """Orders that wait for money and a proof."""
        return tuple(order for order in self.orders if order.wants_payment)

    @property
    def wanting_proof(self) -> tuple[OrderFacts, ...]:
        """Orders that wait for a proof, or for a better one."""
        return tuple(order for order in self.orders if order.wants_proof)

    def draft(self, raffle_id: int | None) -> OrderFacts | None:
        """The hold the buyer has not confirmed yet in a raffle."""
        return next(
            (
                order
                for order in self.orders
                if order.status is OrderStatus.DRAFT and order.raffle.id == raffle_id
            ),
            None,
        )


# ── what is remembered between two messages ───────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Context:
    """What the contact row keeps of the purchase under way.

    Attributes:
        asked: the tap a plain "yes" stands for, while a yes-or-no question is open.
        misses: how many messages in a row were not understood.

    """

    raffle_id: int | None = None
    mode: Mode | None = None
    qty: int | None = None
    draft_order_id: int | None = None
    picked_numbers: tuple[int, ...] = ()
    asked: str = ""
    misses: int = 0

    def but(self, **changes: Any) -> Self:
        """Give the same context with some values changed."""
        return replace(self, **changes)

    def understood(self) -> Self:
        """Forget that anything was not understood, and any open question."""
        return replace(self, misses=0, asked="")

    def as_json(self) -> dict[str, Any]:
        """Give what is stored; empty values are left out."""
        values = {
            "raffle_id": self.raffle_id,
            "mode": self.mode.value if self.mode else None,
            "qty": self.qty,
            "draft_order_id": self.draft_order_id,
            "picked_numbers": list(self.picked_numbers),
            "asked": self.asked,
            "misses": self.misses,
        }
        return {name: value for name, value in values.items() if value}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read what was stored; unknown or malformed values count as absent."""
        mode = stored.get("mode")
        return cls(
            raffle_id=_int_or_none(stored.get("raffle_id")),
            mode=Mode(mode) if mode in set(Mode) else None,
            qty=_int_or_none(stored.get("qty")),
            draft_order_id=_int_or_none(stored.get("draft_order_id")),
            picked_numbers=tuple(
                n for n in map(_int_or_none, stored.get("picked_numbers") or ()) if n is not None
            ),
            asked=str(stored.get("asked") or ""),
            misses=_int_or_none(stored.get("misses")) or 0,
        )


def _int_or_none(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


# ── what happens ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class TextReceived:
    """The buyer wrote a text."""

    text: str


@dataclass(frozen=True, slots=True)
class ButtonTapped:
    """The buyer tapped a button or a row; `title` is what they saw."""

    id: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class PictureReceived:
    """The buyer sent an image or a PDF; `order_id` is the order they replied to, if any."""

    order_id: int | None = None


@dataclass(frozen=True, slots=True)
class UnreadableReceived:
    """The buyer sent something the bot has no use for: audio, a sticker, a location …"""

    kind: str


@dataclass(frozen=True, slots=True)
class NumbersHeld:
    """The numbers of an order were held."""

    order_id: int


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """A hold became an order to be paid."""

    order_id: int


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """An order was cancelled and its numbers are free again."""

    order_id: int


@dataclass(frozen=True, slots=True)
class ProofAddedToOrder:
    """A proof was kept for an order.

    Attributes:
        first: whether it is the one that started the review.
        quiet: whether an acknowledgement went out so recently that another is noise.
        late: whether the order had ended before.
        secured: whether the order has its numbers (again).

    """

    order_id: int
    first: bool = True
    quiet: bool = False
    late: bool = False
    secured: bool = True


@dataclass(frozen=True, slots=True)
class ProofWithoutOrder:
    """A picture was kept that fits no order yet."""

    proof_id: int
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class EffectRefused:
    """What was asked for could not be done; `code` and `details` are the domain error's."""

    code: str
    details: Mapping[str, Any] = field(default_factory=dict)


type BuyerInput = TextReceived | ButtonTapped | PictureReceived | UnreadableReceived
type EffectOutcome = (
    NumbersHeld
    | OrderPlaced
    | OrderCancelled
    | ProofAddedToOrder
    | ProofWithoutOrder
    | EffectRefused
)
type ConversationEvent = BuyerInput | EffectOutcome

# ── what is to be done ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class HoldRandom:
    """Hold so many free numbers, whichever; `replacing` is given back in the same step."""

    raffle_id: int
    quantity: int
    replacing: int | None = None


@dataclass(frozen=True, slots=True)
class HoldNumbers:
    """Hold exactly these numbers or none."""

    raffle_id: int
    numbers: tuple[int, ...]
    replacing: int | None = None


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Turn a hold into an order to be paid."""

    order_id: int


@dataclass(frozen=True, slots=True)
class CancelOwnOrder:
    """Cancel an order and free its numbers."""

    order_id: int


@dataclass(frozen=True, slots=True)
class KeepProof:
    """Keep the picture that just came, for an order or for none yet."""

    order_id: int | None


@dataclass(frozen=True, slots=True)
class AssignProof:
    """Give a picture that was kept for no order to the one the buyer named."""

    proof_id: int
    order_id: int


type Effect = HoldRandom | HoldNumbers | PlaceOrder | CancelOwnOrder | KeepProof | AssignProof

# ── what is said ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Reply:
    """One message to the buyer before it takes WhatsApp's form; buttons or rows, never both."""

    key: str
    body: str
    buttons: tuple[ReplyButton, ...] = ()
    rows: tuple[ListRow, ...] = ()
    list_button: str = ""
    about: str = ""

    def after(self, note: str) -> Self:
        """Say `note` first, in the same message: messages cost money and patience."""
        return replace(self, body=f"{note}\n\n{self.body}") if note else self

    def message(self) -> Message:
        """Give it WhatsApp's form, within Meta's limits."""
        if self.rows:
            return messages.build_list(self.body, button=self.list_button, rows=self.rows)
        if self.buttons:
            return messages.build_buttons(self.body, buttons=self.buttons)
        return messages.build_text(self.body)


@dataclass(frozen=True, slots=True)
class Step:
    """One decision: where the buyer stands now, what is to be done, what is said.

    With an effect nothing is said yet: what it leads to comes back as the next event.
    """

    state: State
    context: Context
    effect: Effect | None = None
    replies: tuple[Reply, ...] = ()
