"""The question whether a buyer is 18 or older, asked once before numbers of a raffle are held.

What the buyer asked for waits in the context, and is done with the yes.
"""

import re
from dataclasses import replace
from typing import Final

from shared.conversation import button_ids
from shared.conversation.button_ids import ButtonAction
from shared.conversation.context import Context
from shared.conversation.facts.values import Facts, RaffleFacts
from shared.conversation.flow import reserve
from shared.conversation.flow.screens import repeat_prompt, show_menu, show_order, show_raffle_card
from shared.conversation.flow.turn import Turn
from shared.conversation.texts import age, guidance, raffles
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.text_normalization import fold_digits
from shared.conversation.understanding.vocabulary import Doubt
from shared.conversation.values import Effect, HoldNumbers, HoldRandom, PlaceOrder, Step
from shared.core.enums import Mode, State

ADULT_AGE: Final = 18
YOUNGEST_BUYER: Final = 10
OLDEST_BUYER: Final = 120
FIRST_BIRTH_YEAR: Final = 1900
"""Bounds of a number that is read as an age in years, or as the year of a birth."""

_WITH_AGE: Final = frozenset({
    Intent.TAKE, Intent.ADULT, Intent.MINOR, Intent.YES, Intent.NO, Intent.UNKNOWN,
})  # fmt: skip
_NUMBER: Final = re.compile(r"(?<!\d)\d{1,4}(?!\d)")


def ask_before_hold(step: Step, facts: Facts) -> Step:
    """Return a step, or the question instead if it takes numbers and the age is not known.

    Numbers may have been held before the seller said that the raffle is for adults only; then the
    question comes before the order, and the yes shows the numbers again.
    """
    if step.confirms_age or facts.is_adult:
        return step
    raffle = _find_raffle_of_effect(step.effect, facts)
    if raffle is None or not raffle.adults_only:
        return step
    question = age.build_age_question(raffle)
    asking = step.context.with_changes(yes_button_id=question.buttons[0].id)
    if isinstance(step.effect, PlaceOrder):  # the held numbers are wanted, and no others
        asking = asking.with_changes(qty=None, picked_numbers=())
    return Step(step.state, asking, replies=(question,))


def _find_raffle_of_effect(effect: Effect | None, facts: Facts) -> RaffleFacts | None:
    """Return the raffle whose numbers an effect takes."""
    match effect:
        case HoldRandom() | HoldNumbers():
            return facts.find_raffle(effect.raffle_id)
        case PlaceOrder():
            order = facts.find_order(effect.order_id)
            return order.raffle if order is not None else None
        case _:
            return None


def close_other_questions(context: Context) -> Context:
    """Return the context of a buyer who was understood; only the question for the age stays open.

    So a buyer may read the rules before the answer.
    """
    closed = context.without_open_question()
    if not _is_open(context):
        return closed
    return closed.with_changes(yes_button_id=context.yes_button_id)


def _is_open(context: Context) -> bool:
    tap = button_ids.parse_button_id(context.yes_button_id)
    return tap is not None and tap.action is ButtonAction.ADULT


def handle_answer(turn: Turn, *, raffle_id: int) -> Step | None:
    """Return the step for an answer to the question for the age, or None for another text."""
    is_adult = _read_age(turn)
    if is_adult is None and turn.reading.wish is not None:
        return _ask_again(raffle_id, turn)
    if is_adult is None:
        return None
    if is_adult and not _is_plain(turn):
        return _ask_again(raffle_id, turn)
    handle = handle_adult if is_adult else handle_minor
    return handle(raffle_id, turn.state, turn.context, turn.facts)


def _ask_again(raffle_id: int, turn: Turn) -> Step | None:
    """Repeat the question: a number must not be taken for something else while it is open."""
    raffle = turn.facts.find_raffle(raffle_id)
    if raffle is None:
        return None
    return Step(turn.state, turn.context, replies=(age.build_age_question(raffle),))


def _read_age(turn: Turn) -> bool | None:
    """Return whether a text says that the buyer is 18 or older; None: it does not say."""
    intent = turn.reading.intent
    numbers = [int(found) for found in _NUMBER.findall(fold_digits(turn.text))]
    if not numbers:
        numbers = [number for group in turn.reading.numbers for number in group]
    says_no = turn.reading.has(Intent.NO, Intent.MINOR)
    if len(numbers) == 1 and intent in _WITH_AGE and _is_plain_number(turn):
        [number] = numbers
        if says_no and number >= ADULT_AGE:
            return False if turn.reading.has(Intent.MINOR) else None
        if FIRST_BIRTH_YEAR <= number <= turn.facts.now.year:
            age = turn.facts.now.year - number
            return None if age == ADULT_AGE else age > ADULT_AGE  # the birthday may be ahead
        if YOUNGEST_BUYER <= number <= OLDEST_BUYER:
            return number >= ADULT_AGE
        return None
    if says_no:
        return None if turn.reading.has(Intent.YES, Intent.ADULT) else False
    return True if intent in {Intent.YES, Intent.ADULT} else None


def _is_plain(turn: Turn) -> bool:
    """Return whether a text says no more than that the buyer is an adult.

    Other words are overlooked beside "I am 34 years old" only.
    """
    harmless = [Doubt.MISSPELT]
    if turn.reading.numbers and turn.reading.has(Intent.ADULT):
        harmless.append(Doubt.UNREAD_WORDS)
    return not (turn.reading.is_question or turn.reading.has_doubts_but(*harmless))


def _is_plain_number(turn: Turn) -> bool:
    """Return whether the only number of a text may be an age: not "20 tickets" or "#18"."""
    wish = turn.reading.wish
    group = wish.take if wish is not None else None
    if wish is not None and (wish.drop is not None or wish.is_random):
        return False
    return group is None or not (group.is_counted or group.is_marked or group.may_be_named)


def handle_adult(raffle_id: int, state: State, context: Context, facts: Facts) -> Step:
    """Note that the buyer is 18 or older, and go on with what they asked for."""
    understood = context.without_open_question()
    if facts.is_adult:
        return repeat_prompt(state, understood, facts)
    raffle = facts.find_raffle(raffle_id)
    if raffle is None or not raffle.is_on_sale:
        note = (
            raffles.build_not_selling_note(raffle.title, raffle.not_selling_reason or "")
            if raffle is not None
            else age.build_thanks_note()
        )
        step = show_menu(facts, note=note)
    else:
        step = _go_on(raffle, understood, facts)
    return replace(step, confirms_age=True)


def _go_on(raffle: RaffleFacts, context: Context, facts: Facts) -> Step:
    if context.raffle_id == raffle.id:
        if context.mode is Mode.RANDOM and context.qty is not None:
            return reserve.hold_random(raffle, context.qty, context, facts)
        if context.mode is Mode.PICK and context.picked_numbers:
            return reserve.hold_numbers(raffle, context.picked_numbers, context, facts)
        draft = facts.find_draft(raffle.id)
        if draft is not None and draft.id == context.draft_order_id:
            return show_order(draft, context, facts, note=age.build_thanks_note())
    return show_raffle_card(raffle, Context(), facts, note=age.build_thanks_note())


def handle_minor(raffle_id: int, state: State, context: Context, facts: Facts) -> Step:
    """Refuse kindly; nothing is remembered, so a buyer who comes back is asked again."""
    raffle = facts.find_raffle(raffle_id)
    if raffle is None or facts.is_adult:
        note = guidance.build_old_button_note()
        return repeat_prompt(state, context.without_open_question(), facts, note=note)
    return Step(State.MENU, Context(), replies=(age.build_age_refused_message(raffle),))
