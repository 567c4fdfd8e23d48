"""Steps that hold numbers, from taps and from texts such as "5 random" or "07, 13 and 45"."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import assert_never

from shared.conversation.buyer_texts import parsing
from shared.conversation.context import Context
from shared.conversation.facts.values import Facts, OrderFacts, RaffleFacts
from shared.conversation.flow.screens import answer_with
from shared.conversation.texts import number_questions, raffles
from shared.conversation.values import HoldNumbers, HoldRandom, Reply, Step
from shared.core.enums import Mode, State


class BareNumberMeaning(Enum):
    """The meaning of a number alone in a state: a quantity, a ticket number, or unclear."""

    QUANTITY = auto()
    TICKET = auto()
    ASK = auto()


def hold_random(raffle: RaffleFacts, quantity: int, context: Context, facts: Facts) -> Step:
    """Hold random free numbers, or explain a quantity out of bounds."""
    chosen = context.without_open_question().with_changes(
        raffle_id=raffle.id, mode=Mode.RANDOM, qty=quantity, picked_numbers=()
    )
    if not raffle.min_per_order <= quantity <= raffle.max_per_order:
        note = raffles.build_quantity_out_of_bounds_note(raffle, quantity=quantity)
        return answer_with(
            State.ASK_QTY,
            chosen.with_changes(qty=None),
            raffles.build_ask_quantity_message(raffle, note=note),
        )
    effect = HoldRandom(raffle.id, quantity, replacing=_find_draft_id(raffle, facts))
    return Step(State.ASK_QTY, chosen, effect=effect)


def hold_numbers(
    raffle: RaffleFacts, numbers: tuple[int, ...], context: Context, facts: Facts
) -> Step:
    """Hold exactly these numbers, or explain a quantity out of bounds."""
    chosen = context.without_open_question().with_changes(
        raffle_id=raffle.id, mode=Mode.PICK, qty=None
    )
    if not raffle.min_per_order <= len(numbers) <= raffle.max_per_order:
        note = raffles.build_quantity_out_of_bounds_note(raffle, quantity=len(numbers))
        return answer_with(
            State.ASK_PICK_NUMBERS, chosen, raffles.build_ask_numbers_message(raffle, note=note)
        )
    effect = HoldNumbers(raffle.id, numbers, replacing=_find_draft_id(raffle, facts))
    return Step(State.ASK_PICK_NUMBERS, chosen.with_changes(picked_numbers=numbers), effect=effect)


def ask_quantity(raffle: RaffleFacts, context: Context) -> Step:
    """Ask for the quantity of random numbers."""
    chosen = context.with_changes(raffle_id=raffle.id, mode=Mode.RANDOM)
    return answer_with(State.ASK_QTY, chosen, raffles.build_ask_quantity_message(raffle))


def ask_numbers(raffle: RaffleFacts, context: Context, *, note: str = "") -> Step:
    """Ask for the ticket numbers."""
    chosen = context.with_changes(raffle_id=raffle.id, mode=Mode.PICK)
    return answer_with(
        State.ASK_PICK_NUMBERS, chosen, raffles.build_ask_numbers_message(raffle, note=note)
    )


def interpret_words(
    raffle: RaffleFacts,
    text: str,
    state: State,
    context: Context,
    facts: Facts,
    *,
    bare: BareNumberMeaning,
) -> Step | None:
    """Return the step for a text such as "5 random", "five", "07, 13 and 45", "random" or "pick".

    What can be read in two ways is asked about. A text that adds to a hold does not replace it.

    Args:
        raffle: the raffle the buyer chooses from.
        text: the buyer's text.
        state: the buyer's state, which stays when something is asked.
        context: the context.
        facts: the facts about the buyer.
        bare: the meaning of a number alone.

    Returns:
        The step, or None for any other text.

    """
    choice = _Choice(raffle, state, context, facts, adds=parsing.is_addition(text))
    quantity = parsing.parse_random_quantity(text)
    if quantity is None and bare is not BareNumberMeaning.TICKET:
        quantity = parsing.parse_ticket_count(text)
    if quantity is not None:
        return _take_quantity(quantity, choice)
    lucky = parsing.parse_lucky_number(text)
    if lucky is not None:
        return _ask_what_number_is(lucky, choice)
    return _interpret_numbers(text, choice, bare=bare) or _interpret_wish(text, choice)


@dataclass(frozen=True, slots=True)
class _Choice:
    """A buyer's choice of numbers.

    Attributes:
        adds: whether the text adds to what was said before.

    """

    raffle: RaffleFacts
    state: State
    context: Context
    facts: Facts
    adds: bool

    @property
    def hold(self) -> OrderFacts | None:
        """The buyer's hold in the raffle."""
        return self.facts.find_draft(self.raffle.id)


def _interpret_wish(text: str, choice: _Choice) -> Step | None:
    if parsing.wants_random(text):
        return ask_quantity(choice.raffle, choice.context)
    if parsing.wants_pick(text):
        return ask_numbers(choice.raffle, choice.context)
    return None


def _interpret_numbers(text: str, choice: _Choice, *, bare: BareNumberMeaning) -> Step | None:
    """Return the step for ticket numbers or for a number alone."""
    last_number = choice.raffle.last_number
    doubtful = parsing.parse_doubtful_numbers(text, last_number=last_number)
    if doubtful:
        return _ask_whether_numbers(doubtful, choice)
    parsed = parsing.parse_ticket_numbers(text, last_number=last_number)
    if parsed is not None and parsed.is_certain:
        if bare is BareNumberMeaning.QUANTITY and parsed.is_plain:
            return _ask_instead_of_quantity(parsed.values, choice)
        return _take_numbers(parsed.values, choice, bare=bare)
    number = parsed.values[0] if parsed is not None else parsing.parse_quantity(text)
    if number is None:
        return None
    counts = parsing.parse_ticket_count(text) is not None
    if bare is BareNumberMeaning.QUANTITY and not counts and parsing.may_name_number(text):
        return _ask_what_number_is(number, choice)
    if bare is not BareNumberMeaning.QUANTITY and (parsed is None or counts):
        bare = BareNumberMeaning.ASK  # a number in words or of tickets is rather a quantity
        if not _may_be_quantity(number, choice.raffle):
            if counts or not choice.raffle.has_ticket_number(number):
                return _take_quantity(number, choice)  # which says how many may be taken
            return _ask_whether_numbers((number,), choice)
    return _interpret_bare_number(number, choice, bare=bare)


def _interpret_bare_number(number: int, choice: _Choice, *, bare: BareNumberMeaning) -> Step:
    """Return the step for a number alone."""
    match bare:
        case BareNumberMeaning.QUANTITY:
            return _take_quantity(number, choice)
        case BareNumberMeaning.TICKET:
            return _take_numbers((number,), choice, bare=bare)
        case BareNumberMeaning.ASK:
            return _ask_where_unclear(number, choice)
        case _:
            assert_never(bare)


def _ask_where_unclear(number: int, choice: _Choice) -> Step:
    """Take a number as a quantity or a ticket number; ask if both are possible."""
    if choice.adds and choice.hold is not None:
        return _take_numbers((number,), choice, bare=BareNumberMeaning.ASK)
    if not _may_be_quantity(number, choice.raffle):
        return _take_numbers((number,), choice, bare=BareNumberMeaning.ASK)
    if choice.raffle.has_ticket_number(number):
        return _ask_what_number_is(number, choice)
    return _take_quantity(number, choice, is_certain=False)


def _ask_instead_of_quantity(numbers: tuple[int, ...], choice: _Choice) -> Step:
    """Ask about numbers, such as "5 10" or "05", where a quantity was asked for."""
    if len(numbers) == 1:
        return _ask_what_number_is(numbers[0], choice)
    return _ask_whether_numbers(numbers, choice)


def _ask_what_number_is(number: int, choice: _Choice) -> Step:
    """Ask whether a number is a quantity or a ticket number."""
    raffle = choice.raffle
    if not _may_be_quantity(number, raffle):
        return _ask_whether_numbers((number,), choice)
    if not raffle.has_ticket_number(number):
        return ask_quantity(raffle, choice.context)
    asking = choice.context.without_open_question().with_changes(raffle_id=raffle.id)
    reply = number_questions.build_quantity_or_number_message(raffle, number, hold=choice.hold)
    return answer_with(State.CHOOSE_MODE, asking, reply)


def _take_quantity(quantity: int, choice: _Choice, *, is_certain: bool = True) -> Step:
    """Hold random numbers; ask first if a hold would be given away that was not spoken of."""
    hold = choice.hold
    if hold is None or not _may_be_quantity(quantity, choice.raffle):
        return hold_random(choice.raffle, quantity, choice.context, choice.facts)
    if is_certain and not choice.adds:
        return hold_random(choice.raffle, quantity, choice.context, choice.facts)
    return _ask_with_question(number_questions.build_replace_hold_message(hold, quantity), choice)


def _take_numbers(numbers: tuple[int, ...], choice: _Choice, *, bare: BareNumberMeaning) -> Step:
    """Hold numbers; ask first whether they come instead of a hold or are added to it."""
    is_lone = len(numbers) == 1 and bare is BareNumberMeaning.ASK
    if choice.hold is not None and (choice.adds or is_lone):
        return _ask_about_hold(numbers, choice.hold, choice)
    return hold_numbers(choice.raffle, numbers, choice.context, choice.facts)


def _ask_whether_numbers(numbers: tuple[int, ...], choice: _Choice) -> Step:
    """Ask whether numbers are meant as ticket numbers."""
    if not _may_be_quantity(len(numbers), choice.raffle):
        return hold_numbers(choice.raffle, numbers, choice.context, choice.facts)
    if choice.hold is not None:
        return _ask_about_hold(numbers, choice.hold, choice)
    return _ask_with_question(
        number_questions.build_these_numbers_message(choice.raffle, numbers), choice
    )


def _ask_about_hold(numbers: tuple[int, ...], hold: OrderFacts, choice: _Choice) -> Step:
    if not _may_be_quantity(len(numbers), choice.raffle):
        return hold_numbers(choice.raffle, numbers, choice.context, choice.facts)
    return _ask_with_question(number_questions.build_add_or_replace_message(hold, numbers), choice)


def _ask_with_question(reply: Reply, choice: _Choice) -> Step:
    """Ask; a plain yes stands for the first button."""
    match choice.state:
        case State.MENU | State.DONE | State.WAIT_PROOF:
            state = State.CHOOSE_MODE
        case State.CHOOSE_MODE | State.ASK_QTY | State.ASK_PICK_NUMBERS | State.CONFIRM_RESERVATION:
            state = choice.state
        case _:
            assert_never(choice.state)
    asking = choice.context.with_changes(
        raffle_id=choice.raffle.id, misses=0, yes_button_id=reply.buttons[0].id
    )
    return Step(state, asking, replies=(reply,))


def _may_be_quantity(number: int, raffle: RaffleFacts) -> bool:
    return raffle.min_per_order <= number <= raffle.max_per_order


def _find_draft_id(raffle: RaffleFacts, facts: Facts) -> int | None:
    draft = facts.find_draft(raffle.id)
    return draft.id if draft else None
