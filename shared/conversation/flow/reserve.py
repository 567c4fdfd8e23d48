"""From words or taps to held numbers: quantities, picks, and the shortcuts that skip a question."""

from enum import Enum, auto

from shared.conversation import parsing
from shared.conversation.flow.screens import answer_with
from shared.conversation.texts import raffles
from shared.conversation.values import (
    Context,
    Facts,
    HoldNumbers,
    HoldRandom,
    RaffleFacts,
    Step,
)
from shared.core.enums import Mode, State


class BareNumberMeaning(Enum):
    """What a number alone means where the buyer stands."""

    QUANTITY = auto()
    TICKET = auto()
    ASK = auto()


def hold_random(raffle: RaffleFacts, quantity: int, context: Context, facts: Facts) -> Step:
    """Hold so many free numbers, or say why not that many."""
    chosen = context.understood().but(
        raffle_id=raffle.id, mode=Mode.RANDOM, qty=quantity, picked_numbers=()
    )
    if not raffle.minimum <= quantity <= raffle.maximum:
        note = raffles.build_quantity_out_of_bounds_note(raffle, quantity=quantity)
        return answer_with(
            State.ASK_QTY,
            chosen.but(qty=None),
            raffles.build_ask_quantity_message(raffle, note=note),
        )
    effect = HoldRandom(raffle.id, quantity, replacing=_find_draft_id(raffle, facts))
    return Step(State.ASK_QTY, chosen, effect=effect)


def hold_numbers(
    raffle: RaffleFacts, numbers: tuple[int, ...], context: Context, facts: Facts
) -> Step:
    """Hold exactly these numbers, or say why not."""
    chosen = context.understood().but(raffle_id=raffle.id, mode=Mode.PICK, qty=None)
    if not raffle.minimum <= len(numbers) <= raffle.maximum:
        note = raffles.build_quantity_out_of_bounds_note(raffle, quantity=len(numbers))
        return answer_with(
            State.ASK_PICK_NUMBERS, chosen, raffles.build_ask_numbers_message(raffle, note=note)
        )
    effect = HoldNumbers(raffle.id, numbers, replacing=_find_draft_id(raffle, facts))
    return Step(State.ASK_PICK_NUMBERS, chosen.but(picked_numbers=numbers), effect=effect)


def ask_quantity(raffle: RaffleFacts, context: Context) -> Step:
    """Ask how many random numbers."""
    chosen = context.but(raffle_id=raffle.id, mode=Mode.RANDOM)
    return answer_with(State.ASK_QTY, chosen, raffles.build_ask_quantity_message(raffle))


def ask_numbers(raffle: RaffleFacts, context: Context, *, note: str = "") -> Step:
    """Ask which numbers."""
    chosen = context.but(raffle_id=raffle.id, mode=Mode.PICK)
    return answer_with(
        State.ASK_PICK_NUMBERS, chosen, raffles.build_ask_numbers_message(raffle, note=note)
    )


def interpret_words(
    raffle: RaffleFacts, text: str, context: Context, facts: Facts, *, bare: BareNumberMeaning
) -> Step | None:
    """Understand "5 random", "five", "07, 13 and 45", "random" or "pick"; None for the rest."""
    quantity = parsing.parse_random_quantity(text)
    if quantity is None and bare is not BareNumberMeaning.TICKET:
        quantity = parsing.parse_ticket_count(text)
    if quantity is not None:
        return hold_random(raffle, quantity, context, facts)
    named = parsing.parse_ticket_numbers(text)
    if named is not None and named.surely:
        return hold_numbers(raffle, named.values, context, facts)
    number = named.values[0] if named is not None else parsing.parse_quantity(text)
    if number is not None:
        spelled = named is None
        return _interpret_bare_number(raffle, number, context, facts, bare=bare, spelled=spelled)
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
    spelled: bool,
) -> Step:
    """Decide between a quantity and a ticket number where that is clear, else ask."""
    if bare is BareNumberMeaning.QUANTITY:
        return hold_random(raffle, number, context, facts)
    if bare is BareNumberMeaning.TICKET and not spelled:
        return hold_numbers(raffle, (number,), context, facts)
    as_quantity = raffle.minimum <= number <= raffle.maximum
    if as_quantity and raffle.has(number):
        asking = context.understood().but(raffle_id=raffle.id)
        return answer_with(
            State.CHOOSE_MODE, asking, raffles.build_quantity_or_number_message(raffle, number)
        )
    if as_quantity:
        return hold_random(raffle, number, context, facts)
    return hold_numbers(raffle, (number,), context, facts)


def _find_draft_id(raffle: RaffleFacts, facts: Facts) -> int | None:
    draft = facts.draft(raffle.id)
    return draft.id if draft else None
