"""One step of the conversation; the only function the rest of the product calls."""

from shared.conversation import parsing
from shared.conversation.flow import commands, effect_results, proofs
from shared.conversation.flow.buttons import tapped
from shared.conversation.flow.reconcile import squared
from shared.conversation.flow.screens import not_understood
from shared.conversation.flow.states import WORDS
from shared.conversation.texts import guidance
from shared.conversation.values import (
    CalledOff,
    Context,
    Event,
    Facts,
    Held,
    Outcome,
    Picture,
    Placed,
    ProofTaken,
    ProofUnplaced,
    Refused,
    Step,
    Tapped,
    Unreadable,
    Words,
)
from shared.core.enums import State


def step(state: State, context: Context, event: Event, facts: Facts) -> Step:
    """Decide what an event means for a buyer.

    Args:
        state: where the buyer stood.
        context: what is remembered of their purchase.
        event: what they sent, or what the effect of the last step led to.
        facts: what is so now, gathered after whatever changed last.

    Returns:
        The new state and context with either one effect to carry out, whose outcome is the next
        event, or at most one reply.

    """
    state, context = squared(state, context, facts)
    match event:
        case Words(text):
            return _words(text, state, context, facts)
        case Tapped(tap_id, _):
            return tapped(tap_id, state, context, facts)
        case Picture(order_id):
            return proofs.picture(order_id, state, context, facts)
        case Unreadable(kind):
            return not_understood(state, context, facts, note=guidance.cannot_read(kind))
    return _came_about(event, state, context, facts)


def _came_about(event: Outcome, state: State, context: Context, facts: Facts) -> Step:
    match event:
        case Held(order_id):
            return effect_results.held(order_id, context, facts)
        case Placed(order_id):
            return effect_results.placed(order_id, context, facts)
        case CalledOff(order_id):
            return effect_results.called_off(order_id, facts)
        case ProofTaken():
            return proofs.taken(event, context, facts)
        case ProofUnplaced():
            return proofs.unplaced(event, state, context, facts)
        case Refused():
            return effect_results.refused(event, state, context, facts)


def _words(text: str, state: State, context: Context, facts: Facts) -> Step:
    heard = parsing.command(text)
    if heard is not None:
        return commands.obey(heard, state, context, facts)
    if context.asked:
        if parsing.is_yes(text):
            return tapped(context.asked, state, context, facts)
        answered = commands.answer_to_question(state, context, text, facts)
        if answered is not None:
            return answered
        context = context.but(asked="")
    if parsing.asks_for_tickets(text):
        return commands.mine(state, context, facts)
    return WORDS[state](context, text, facts)
