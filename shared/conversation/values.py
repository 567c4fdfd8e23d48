"""Immutable values of the conversation: effects, lookups, replies and steps."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from shared.conversation.context import Context
from shared.conversation.understanding.numbers.number_patterns import NumberPattern
from shared.core.enums import SilenceReason, State, UnplacedReason
from shared.whatsapp import messages
from shared.whatsapp.messages import ListRow, Message, ReplyButton

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
