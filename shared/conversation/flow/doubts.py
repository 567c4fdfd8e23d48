"""The rule that nothing is held, ordered or cancelled while a text may mean something else.

A negation, an "if", a number or a word that was not read: whatever step the rest of the text leads
to, the bot asks first. A yes, or a tap, then does it.
"""

from typing import Final

from shared.conversation.flow import commands, reserve
from shared.conversation.flow.screens import repeat_prompt
from shared.conversation.flow.turn import Turn
from shared.conversation.texts import number_questions
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.vocabulary import Doubt
from shared.conversation.values import (
    AssignProof,
    CancelOwnOrder,
    HoldNumbers,
    HoldRandom,
    PlaceOrder,
    Step,
)
from shared.core.enums import State

MAX_HARMLESS_WORDS: Final = 3
"""Unread words that are overlooked where what was asked for is plain to see."""

_CHANGES: Final = frozenset({Intent.ADD, Intent.DROP, Intent.SWAP})
"""Intents that name the change of a hold, so that the bot needs not ask which one is meant."""


def ask_instead_of_acting(step: Step, turn: Turn) -> Step:
    """Return a step, or the question whether it is meant if the text is in doubt."""
    if not turn.reading.doubts or _is_plain(step, turn):
        return step
    match step.effect:
        case HoldRandom() | HoldNumbers():
            return _ask_about_numbers(step.effect, turn)
        case CancelOwnOrder(order_id):
            return _ask_whether_to_cancel(order_id, turn)
        case PlaceOrder():
            return repeat_prompt(turn.state, turn.understood, turn.facts)
        case AssignProof() if turn.reading.doubts & {Doubt.NEGATION, Doubt.CONDITION}:
            return repeat_prompt(turn.state, turn.context, turn.facts)
        case _:
            return step


def _ask_about_numbers(effect: HoldRandom | HoldNumbers, turn: Turn) -> Step:
    raffle = turn.facts.find_raffle(effect.raffle_id)
    if raffle is None:
        return repeat_prompt(turn.state, turn.understood, turn.facts)
    hold = turn.facts.find_draft(effect.raffle_id)
    if isinstance(effect, HoldRandom) and effect.keeping:
        return repeat_prompt(turn.state, turn.understood, turn.facts)
    if isinstance(effect, HoldRandom):
        reply = number_questions.build_random_surely_message(raffle, effect.quantity, hold=hold)
    elif hold is not None and turn.reading.intent not in _CHANGES:
        reply = number_questions.build_add_or_replace_message(hold, effect.numbers)
    else:
        reply = number_questions.build_these_numbers_message(raffle, effect.numbers)
    return reserve.ask_with_question(reply, raffle, turn.state, turn.context)


def _ask_whether_to_cancel(order_id: int, turn: Turn) -> Step:
    order = turn.facts.find_order(order_id)
    if order is None:
        return repeat_prompt(turn.state, turn.understood, turn.facts)
    return commands.cancel_or_ask_first(order, turn.state, turn.context, is_certain=False)


def _is_plain(step: Step, turn: Turn) -> bool:
    """Return whether only a few unknown words are in doubt beside a plain wish for numbers.

    A yes or a cancellation is never plain with a word that was not read.
    """
    reading = turn.reading
    if reading.has_doubts_but(Doubt.UNREAD_WORDS) or len(reading.unread) > MAX_HARMLESS_WORDS:
        return False
    wish = reading.wish
    match step.effect:
        case HoldRandom():
            return turn.state is State.ASK_QTY or (wish is not None and wish.counts_numbers)
        case HoldNumbers():
            return turn.state is State.ASK_PICK_NUMBERS or reading.intent in _CHANGES
        case _:
            return False
