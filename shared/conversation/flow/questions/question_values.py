"""A buyer's question, its answer, and the raffles that it may be about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.conversation.context import Context
from shared.conversation.facts.values import Facts, OrderFacts, RaffleFacts
from shared.core.enums import State


@dataclass(frozen=True, slots=True)
class Question:
    """A buyer's question.

    Attributes:
        named: the raffle that it names; None: none.
        quantity: the quantity of numbers that it names; None: none.

    """

    state: State
    context: Context
    facts: Facts
    named: RaffleFacts | None = None
    quantity: int | None = None

    @property
    def order(self) -> OrderFacts | None:
        """The order that the conversation is about."""
        return self.facts.find_order(self.context.draft_order_id)


@dataclass(frozen=True, slots=True)
class Answer:
    """The fact that answers a question.

    Attributes:
        text: the fact.
        raffle: the raffle that it is about; None: none or several.
        orders: the orders that it is about.
        is_covered: whether it says how its order stands and until when, or that nothing is on
            sale, so that the next step need not.
        is_quiet: whether the buyer wants nothing now, so that nothing is asked.

    """

    text: str
    raffle: RaffleFacts | None = None
    orders: tuple[OrderFacts, ...] = ()
    is_covered: bool = False
    is_quiet: bool = False


def find_raffles(question: Question, *, on_sale: bool = False) -> tuple[RaffleFacts, ...]:
    """Return the raffle that is meant, or several that may be.

    It is the named one, else the one that the conversation is about, else those on sale and those
    of the buyer's numbers.

    Args:
        question: the question.
        on_sale: whether it is about buying, so that raffles on sale are meant, if there are any.

    """
    if question.named is not None:
        return (question.named,)
    facts, order = question.facts, question.order
    chosen = facts.find_raffle(question.context.raffle_id) or (order.raffle if order else None)
    if chosen is not None and (chosen.is_on_sale or not (on_sale and facts.raffles)):
        return (chosen,)
    own = [order.raffle for order in reversed(facts.orders) if order.holds_numbers]
    if on_sale and facts.raffles:
        return facts.raffles
    return _drop_repeated([*facts.raffles, *own])


def _drop_repeated(raffles: Iterable[RaffleFacts]) -> tuple[RaffleFacts, ...]:
    return tuple({raffle.id: raffle for raffle in raffles}.values())


def find_seller(question: Question, raffles: Sequence[RaffleFacts]) -> str:
    """Return how to reach the seller of the first raffle that may be meant; may be empty."""
    return raffles[0].seller_contact if raffles else question.facts.seller_contact


def get_only[T](several: Sequence[T]) -> T | None:
    """Return the only one, or None of several or none."""
    return several[0] if len(several) == 1 else None
