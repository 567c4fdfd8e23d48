"""Immutable values of the conversation: events, effects, lookups, replies and steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from shared.conversation.context import Context
from shared.conversation.facts.draw_values import DrawFacts, NumberFacts
from shared.conversation.facts.values import RaffleFacts
from shared.conversation.understanding.number_patterns import NumberPattern
from shared.core.enums import SilenceReason, State, UnplacedReason
from shared.whatsapp import messages
from shared.whatsapp.messages import ListRow, Message, ReplyButton

# ── events: what the buyer sent, and the outcomes of effects ──────────────────────────────────


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

# ── effects: changes that a step asks for ─────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class HoldRandom:
    """Hold `quantity` numbers at random; the order `replacing` is released in the same step.

    Attributes:
        keeping: numbers of the replaced hold that stay and count; only the rest is random.

    """

    raffle_id: int
    quantity: int
    replacing: int | None = None
    keeping: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class HoldNumbers:
    """Hold exactly these numbers; if some are taken, those of `otherwise`, or else none.

    The order `replacing` is released in the same step.
    """

    raffle_id: int
    numbers: tuple[int, ...]
    replacing: int | None = None
    otherwise: tuple[int, ...] = ()


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
    """Store the picture that was just received, for an order or for none yet.

    Attributes:
        order_id: the order; None: none yet.
        also: other orders that the same receipt pays.
        candidates: without an order, those that it may belong to, whose clocks are extended.
        reason: why it has no order.

    """

    order_id: int | None
    also: tuple[int, ...] = ()
    candidates: tuple[int, ...] = ()
    reason: UnplacedReason = UnplacedReason.NO_ORDER


@dataclass(frozen=True, slots=True)
class AssignProof:
    """Assign a picture without an order to the order that the buyer chose, and to others."""

    proof_id: int
    order_id: int
    also: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SaveNameConsent:
    """Save whether a winner may be named; `result_id` is the result of a draw that they won."""

    result_id: int
    consent: bool


type Effect = (
    HoldRandom
    | HoldNumbers
    | PlaceOrder
    | CancelOwnOrder
    | KeepProof
    | AssignProof
    | SaveNameConsent
)

# ── lookups: what a step asks to be read, because few answers need it ─────────────────────────


@dataclass(frozen=True, slots=True)
class LookUpRules:
    """Look up the rules of a raffle's draw."""

    raffle_id: int


@dataclass(frozen=True, slots=True)
class LookUpResults:
    """Look up how raffles were drawn; without any, the latest ones that were drawn."""

    raffle_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class LookUpNumber:
    """Look up a ticket number of a raffle; None: of the latest one that was drawn."""

    raffle_id: int | None
    number: int


@dataclass(frozen=True, slots=True)
class LookUpRaffle:
    """Look up the raffle of a link, which may have ended."""

    raffle_id: int


@dataclass(frozen=True, slots=True)
class LookUpFreeNumbers:
    """Look up free ticket numbers that are like the buyer wants them.

    Attributes:
        quantity: how many the buyer wants; None: they did not say.

    """

    raffle_id: int
    pattern: NumberPattern
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class CheckNumbers:
    """Look up which of some ticket numbers are free; `numbers` ascend."""

    raffle_id: int
    numbers: tuple[int, ...]


type Lookup = (
    LookUpRules | LookUpResults | LookUpNumber | LookUpRaffle | LookUpFreeNumbers | CheckNumbers
)

# ── replies and steps ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Reply:
    """A message to the buyer, before it is converted to WhatsApp's format.

    Attributes:
        key: the name of the text, stored with the message in the outbox.
        buttons: reply buttons; never together with `rows`.
        rows: the rows of a list.
        list_button: the label of the button that opens the list.
        about: the code of the order that the message is about; empty: none.

    """

    key: str
    body: str
    buttons: tuple[ReplyButton, ...] = ()
    rows: tuple[ListRow, ...] = ()
    list_button: str = ""
    about: str = ""

    def with_note_before(self, note: str) -> Self:
        """Return the reply with `note` above its body: one message costs less than two."""
        return replace(self, body=f"{note}\n\n{self.body}") if note else self

    def to_whatsapp_message(self) -> Message:
        """Return the reply as a WhatsApp message, within Meta's limits."""
        if self.rows:
            return messages.build_list(self.body, button=self.list_button, rows=self.rows)
        if self.buttons:
            return messages.build_buttons(self.body, buttons=self.buttons)
        return messages.build_text(self.body)


class ContactChange(StrEnum):
    """A change of what a contact wants from the bot, beside its state and context."""

    ASK_PERSON = "ask_person"  # the bot is paused, and the buyer waits for a person
    WAIT_FOR_PERSON = "wait_for_person"  # they wrote to a person during a pause
    RESUME = "resume"  # the bot answers again
    STOP = "stop"
    START = "start"  # ends STOP, and a pause, because the menu is shown


@dataclass(frozen=True, slots=True)
class Step:
    """One decision of the conversation.

    Attributes:
        state: the buyer's new state.
        context: the new context.
        effect: the change to carry out; its outcome is the next event.
        replies: the messages to send; none while there is an effect or a lookup.
        lookup: what to read; its outcome is the next event.
        confirms_age: whether the buyer just said that they are 18 or older.
        contact_change: what changes for the contact, beside its state and context; None: nothing.
        silence: why there is no reply by intention; None: there is no such reason.

    """

    state: State
    context: Context
    effect: Effect | None = None
    replies: tuple[Reply, ...] = ()
    lookup: Lookup | None = None
    confirms_age: bool = False
    contact_change: ContactChange | None = None
    silence: SilenceReason | None = None
