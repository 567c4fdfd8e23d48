"""Events of a conversation: what the buyer sent, and the outcomes of effects and lookups."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.conversation.facts.draw_values import DrawFacts, NumberFacts
from shared.conversation.facts.values import RaffleFacts
from shared.conversation.understanding.numbers.number_patterns import NumberPattern
from shared.core.enums import UnplacedReason


@dataclass(frozen=True, slots=True)
class TextReceived:
    """The buyer wrote a text."""

    text: str


@dataclass(frozen=True, slots=True)
class ButtonTapped:
    """The buyer tapped a button or a list row; `title` is its label."""

    id: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class PictureReceived:
    """The buyer sent an image or a PDF, with what tells its order.

    Attributes:
        order_id: the order that the message is about to which they replied; None: no reply.
        caption: the text below it.
        texts_before: what they wrote in the minutes before, since their last picture; newest first.
        previous_order_id: the order of their last picture in those minutes; None: none.
        is_in_album: whether that picture came right before this one.

    """

    order_id: int | None = None
    caption: str = ""
    texts_before: tuple[str, ...] = ()
    previous_order_id: int | None = None
    is_in_album: bool = False


@dataclass(frozen=True, slots=True)
class UnreadableReceived:
    """The buyer sent something the bot cannot use: audio, a sticker, a location …"""

    kind: str


@dataclass(frozen=True, slots=True)
class LostFileReceived:
    """The buyer sent a picture or document that Meta could not pass on."""


@dataclass(frozen=True, slots=True)
class UnsupportedReceived:
    """WhatsApp does not show us what the buyer sent; `first` if they never wrote before."""

    first: bool


@dataclass(frozen=True, slots=True)
class NumbersHeld:
    """The numbers of an order were held; others that were wanted more may be taken."""

    order_id: int
    taken: tuple[int, ...] = ()


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
    """A proof was stored for an order.

    Attributes:
        first: whether this proof started the review.
        quiet: whether an acknowledgement was sent so recently that no other is needed.
        late: whether the order had already ended.
        secured: whether the order has its numbers, possibly again.
        also: other orders for which the same receipt was named.

    """

    order_id: int
    first: bool = True
    quiet: bool = False
    late: bool = False
    secured: bool = True
    also: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ProofWithoutOrder:
    """A picture was stored that belongs to no order yet.

    Attributes:
        reason: why it belongs to none.
        order_ids: the orders that it may belong to.
        quiet: whether the buyer was told so recently that no other message is needed.

    """

    proof_id: int
    reason: UnplacedReason = UnplacedReason.NO_ORDER
    order_ids: tuple[int, ...] = ()
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class NameConsentSaved:
    """A winner allowed or forbade to be named; `shown_as` is how they are published."""

    consent: bool
    shown_as: str


@dataclass(frozen=True, slots=True)
class RulesFound:
    """The rules of a raffle's draw.

    Attributes:
        raffle: the raffle; None: there is none whose rules may be shown.
        text: the frozen rules, or those that the first sale would freeze; empty if a person has
            still to choose them, because numbers were sold before.
        url: the address of a page with the full rules; may be empty.

    """

    raffle: RaffleFacts | None
    text: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ResultsFound:
    """Raffles that are sealed or drawn, the latest first."""

    draws: tuple[DrawFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class NumberFound:
    """What is known of a ticket number; None: there is no raffle to look into."""

    found: NumberFacts | None


@dataclass(frozen=True, slots=True)
class RaffleFound:
    """The raffle of a link; None: the business number has none with that id, or it is a draft."""

    raffle: RaffleFacts | None


@dataclass(frozen=True, slots=True)
class FreeNumbersFound:
    """Free ticket numbers that are like the buyer wants them.

    Attributes:
        raffle: the raffle; None: there is none to look into.
        pattern: what the buyer asked for.
        numbers: the numbers, ascending; a few more than are shown, or than are wanted.
        quantity: how many the buyer wants; None: they did not say.
        near_pattern: a looser pattern that was tried because no number was found; None: none was.
        near: numbers like that.

    """

    raffle: RaffleFacts | None
    pattern: NumberPattern
    numbers: tuple[int, ...] = ()
    quantity: int | None = None
    near_pattern: NumberPattern | None = None
    near: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NumbersChecked:
    """Which of some ticket numbers are free.

    Attributes:
        raffle: the raffle; None: there is none to look into.
        free: the free ones, ascending.
        taken: those that are held or sold.
        unknown: those that the raffle does not have.
        neighbours: free numbers close to the taken ones.

    """

    raffle: RaffleFacts | None
    free: tuple[int, ...] = ()
    taken: tuple[int, ...] = ()
    unknown: tuple[int, ...] = ()
    neighbours: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class EffectRefused:
    """The domain refused the effect; `code` and `details` are those of its error."""

    code: str
    details: Mapping[str, Any] = field(default_factory=dict)


type BuyerInput = (
    TextReceived
    | ButtonTapped
    | PictureReceived
    | LostFileReceived
    | UnreadableReceived
    | UnsupportedReceived
)


type EffectOutcome = (
    NumbersHeld
    | OrderPlaced
    | OrderCancelled
    | ProofAddedToOrder
    | ProofWithoutOrder
    | NameConsentSaved
    | EffectRefused
)


type LookupOutcome = (
    RulesFound | ResultsFound | NumberFound | RaffleFound | FreeNumbersFound | NumbersChecked
)


type ConversationEvent = BuyerInput | EffectOutcome | LookupOutcome
