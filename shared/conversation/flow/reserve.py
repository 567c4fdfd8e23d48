"""Steps that hold numbers, from taps and from texts such as "5 random" or "07, 13 and 45"."""

from enum import Enum, auto
from typing import assert_never

from shared.conversation import parsing
from shared.conversation.context import Context
from shared.conversation.flow.screens import answer_with
from shared.conversation.texts import raffles
from shared.conversation.values import Facts, HoldNumbers, HoldRandom, RaffleFacts, Step
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
    raffle: RaffleFacts, text: str, context: Context, facts: Facts, *, bare: BareNumberMeaning
) -> Step | None:
    """Return the step for a text such as "5 random", "five", "07, 13 and 45", "random" or "pick".

    Args:
        raffle: the raffle the buyer chooses from.
        text: the buyer's text.
        context: the context.
        facts: the facts about the buyer.
        bare: the meaning of a number alone.

    Returns:
        The step, or None for any other text.

    """
    quantity = parsing.parse_random_quantity(text)
    if quantity is None and bare is not BareNumberMeaning.TICKET:
        quantity = parsing.parse_ticket_count(text)
    if quantity is not None:
        return hold_random(raffle, quantity, context, facts)
    parsed = parsing.parse_ticket_numbers(text)
    if parsed is not None and parsed.is_certain:
        return hold_numbers(raffle, parsed.values, context, facts)
    number = parsed.values[0] if parsed is not None else parsing.parse_quantity(text)
    if number is not None:
        if parsed is None and bare is BareNumberMeaning.TICKET:
            bare = BareNumberMeaning.ASK  # a number in words is rather a quantity
        return _interpret_bare_number(raffle, number, context, facts, bare=bare)
    if parsing.wants_random(text):
        return ask_quantity(raffle, context)
    if parsing.wants_pick(text):
        return ask_numbers(raffle, context)
    return None


def _interpret_bare_number(
    raffle: RaffleFacts,
    number: int,
    context: Context,
    facts: Facts,
    *,
    bare: BareNumberMeaning,
) -> Step:
    """Return the step for a number alone."""
    match bare:
        case BareNumberMeaning.QUANTITY:
            return hold_random(raffle, number, context, facts)
        case BareNumberMeaning.TICKET:
            return hold_numbers(raffle, (number,), context, facts)
        case BareNumberMeaning.ASK:
            return _ask_where_unclear(raffle, number, context, facts)
        case _:
            assert_never(bare)


def _ask_where_unclear(raffle: RaffleFacts, number: int, context: Context, facts: Facts) -> Step:
    """Take a number as a quantity or a ticket number; ask if both are possible."""
    may_be_quantity = raffle.min_per_order <= number <= raffle.max_per_order
    if not may_be_quantity:
        return hold_numbers(raffle, (number,), context, facts)
    if not raffle.has_ticket_number(number):
        return hold_random(raffle, number, context, facts)
    asking = context.without_open_question().with_changes(raffle_id=raffle.id)
    return answer_with(
        State.CHOOSE_MODE, asking, raffles.build_quantity_or_number_message(raffle, number)
    )


def _find_draft_id(raffle: RaffleFacts, facts: Facts) -> int | None:
    draft = facts.find_draft(raffle.id)
    return draft.id if draft else None
