"""One step of the conversation; the only function the rest of the product calls."""

from shared.conversation import parsing
from shared.conversation.flow import commands, effect_results, proofs
from shared.conversation.flow.buttons import handle_tap
from shared.conversation.flow.reconcile import reconcile_state
from shared.conversation.flow.screens import ask_to_rephrase
from shared.conversation.flow.states import TEXT_HANDLERS
from shared.conversation.texts import guidance
from shared.conversation.values import (
    ButtonTapped,
    Context,
    ConversationEvent,
    EffectOutcome,
    EffectRefused,
    Facts,
    NumbersHeld,
    OrderCancelled,
    OrderPlaced,
    PictureReceived,
    ProofAddedToOrder,
    ProofWithoutOrder,
    Step,
    TextReceived,
    UnreadableReceived,
)
from shared.core.enums import State


def step(state: State, context: Context, event: ConversationEvent, facts: Facts) -> Step:
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
    state, context = reconcile_state(state, context, facts)
    match event:
        case TextReceived(text):
            return _handle_text(text, state, context, facts)
        case ButtonTapped(tap_id, _):
            return handle_tap(tap_id, state, context, facts)
        case PictureReceived(order_id):
            return proofs.handle_picture(order_id, state, context, facts)
        case UnreadableReceived(kind):
            return ask_to_rephrase(
                state, context, facts, note=guidance.build_cannot_read_note(kind)
            )
    return _handle_outcome(event, state, context, facts)


def _handle_outcome(event: EffectOutcome, state: State, context: Context, facts: Facts) -> Step:
    match event:
        case NumbersHeld(order_id):
            return effect_results.show_held_numbers(order_id, context, facts)
        case OrderPlaced(order_id):
            return effect_results.show_payment_instructions(order_id, context, facts)
        case OrderCancelled(order_id):
            return effect_results.show_cancellation(order_id, facts)
        case ProofAddedToOrder():
            return proofs.acknowledge_proof(event, context, facts)
        case ProofWithoutOrder():
            return proofs.handle_proof_without_order(event, state, context, facts)
        case EffectRefused():
            return effect_results.explain_refusal(event, state, context, facts)


def _handle_text(text: str, state: State, context: Context, facts: Facts) -> Step:
    heard = parsing.parse_command(text)
    if heard is not None:
        return commands.handle_command(heard, state, context, facts)
    if context.asked:
        if parsing.is_yes(text):
            return handle_tap(context.asked, state, context, facts)
        answered = commands.handle_answer_to_question(state, context, text, facts)
        if answered is not None:
            return answered
        context = context.but(asked="")
    if parsing.asks_for_tickets(text):
        return commands.show_my_tickets(state, context, facts)
    return TEXT_HANDLERS[state](context, text, facts)
