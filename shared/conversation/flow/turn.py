"""One turn of a conversation as its handlers see it."""

from dataclasses import dataclass, replace
from typing import Self

from shared.conversation.context import Context
from shared.conversation.facts.values import Facts, OrderFacts, RaffleFacts
from shared.conversation.understanding.raffle_names import Surroundings
from shared.conversation.understanding.reader import read_text
from shared.conversation.understanding.text_readings import TextReading
from shared.core.enums import State


@dataclass(frozen=True, slots=True)
class Turn:
    """A text, where the buyer is, and what is known of them.

    Attributes:
        text: the text as it was written, without the codes of the buyer's orders.
        reading: what it means.
        state: the buyer's state.
        context: the purchase under way.
        facts: the facts about the buyer.

    """

    text: str
    reading: TextReading
    state: State
    context: Context
    facts: Facts

    @classmethod
    def read(cls, text: str, state: State, context: Context, facts: Facts) -> Self:
        """Return the turn for a text."""
        raffle = find_meant_raffle(state, context, facts)
        surroundings = Surroundings(
            tuple(each.title for each in facts.raffles),
            tuple(each.prize for each in facts.raffles),
            tuple(
                dict.fromkeys([facts.seller_contact, *(r.seller_contact for r in facts.raffles)])
            ),
            raffle.last_number if raffle is not None else None,
        )
        return cls(text, read_text(text, surroundings), state, context, facts)

    def without_question(self) -> Self:
        """Return the turn with the open yes-or-no question closed: the text was no answer to it."""
        return replace(self, context=self.context.with_changes(yes_button_id=""))

    @property
    def understood(self) -> Context:
        """The context of a buyer who was understood."""
        return self.context.without_open_question()

    @property
    def named_raffle(self) -> RaffleFacts | None:
        """The raffle on sale that the text names."""
        at = self.reading.raffle
        return self.facts.raffles[at] if at is not None else None

    @property
    def raffle(self) -> RaffleFacts | None:
        """The raffle that is named or meant; None: several may be, or none is on sale."""
        return self.named_raffle or find_meant_raffle(self.state, self.context, self.facts)

    @property
    def order(self) -> OrderFacts | None:
        """The order that the conversation is about."""
        return self.facts.find_order(self.context.draft_order_id)


def find_meant_raffle(state: State, context: Context, facts: Facts) -> RaffleFacts | None:
    """Return the raffle on sale that numbers without a name are for."""
    if state is not State.MENU:
        chosen = next((each for each in facts.raffles if each.id == context.raffle_id), None)
        if chosen is not None:
            return chosen
    return facts.raffles[0] if len(facts.raffles) == 1 else None
