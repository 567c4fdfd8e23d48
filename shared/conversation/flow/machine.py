"""One step of the conversation; the entry point of this package."""

from typing import assert_never

from shared.conversation.context import Context
from shared.conversation.conversation_events import (
    ButtonTapped,
    ConversationEvent,
    EffectOutcome,
    EffectRefused,
    FreeNumbersFound,
    LookupOutcome,
    LostFileReceived,
    NameConsentSaved,
    NumberFound,
    NumbersChecked,
    NumbersHeld,
    OrderCancelled,
    OrderPlaced,
    PictureReceived,
    ProofAddedToOrder,
    ProofWithoutOrder,
    RaffleFound,
    ResultsFound,
    RulesFound,
    TextReceived,
    UnreadableReceived,
    UnsupportedReceived,
)
from shared.conversation.facts.values import Facts
from shared.conversation.flow import (
    age,
    commands,
    decisions,
    doubts,
    effect_results,
    handover,
    inquiries,
    open_questions,
    orders_by_code,
    proofs,
    raffle_links,
)
from shared.conversation.flow.buttons import handle_tap
from shared.conversation.flow.numbers import free_numbers
from shared.conversation.flow.reconcile import reconcile_state
from shared.conversation.flow.screens import ask_to_rephrase, repeat_prompt
from shared.conversation.flow.turn import Turn
from shared.conversation.texts import guidance, order_status
from shared.conversation.understanding import order_names
from shared.conversation.values import Step
from shared.core.enums import State


def step(state: State, context: Context, event: ConversationEvent, facts: Facts) -> Step:
    """Return the decision on an event.

    Args:
        state: the buyer's state before the event.
        context: the buyer's purchase under way.
        event: the message from the buyer, or the outcome of the last step's effect or lookup.
        facts: the current facts about the buyer, gathered after that.

    Returns:
        The new state and context, with either one effect to carry out or one lookup, whose outcome
        is the next event, or at most one reply.

    """
    return age.ask_before_hold(_decide(state, context, event, facts), facts)


def _decide(state: State, context: Context, event: ConversationEvent, facts: Facts) -> Step:
    state, context = reconcile_state(state, context, facts)
    handed_over = handover.handle_event(event, state, context, facts)
    return handed_over or _handle_event(event, state, context, facts)


def _handle_event(event: ConversationEvent, state: State, context: Context, facts: Facts) -> Step:
    match event:
        case TextReceived(text):
            return _handle_text(text, state, context, facts)
        case ButtonTapped(tap_id, _):
            return handle_tap(tap_id, state, context.with_changes(misses=0), facts)
        case PictureReceived():
            return proofs.handle_picture(event, state, context, facts)
        case LostFileReceived():
            return repeat_prompt(state, context, facts, note=guidance.build_lost_file_note())
        case UnreadableReceived(kind):
            return ask_to_rephrase(
                state, context, facts, note=guidance.build_cannot_read_note(kind)
            )
        case UnsupportedReceived(first):
            return _handle_unsupported(state, context, facts, first=first)
        case (
            NumbersHeld()
            | OrderPlaced()
            | OrderCancelled()
            | ProofAddedToOrder()
            | ProofWithoutOrder()
            | NameConsentSaved()
            | EffectRefused()
        ):
            return _handle_outcome(event, state, context, facts)
        case (
            RulesFound()
            | ResultsFound()
            | NumberFound()
            | RaffleFound()
            | FreeNumbersFound()
            | NumbersChecked()
        ):
            return _show_lookup(event, state, context, facts)
        case _:
            assert_never(event)


def _handle_unsupported(state: State, context: Context, facts: Facts, *, first: bool) -> Step:
    """Explain how to send it, but only to a buyer who waits for something; change nothing."""
    awaits_receipt = bool(facts.orders_wanting_receipt)
    if not (awaits_receipt or first):
        return Step(state, context)
    reply = guidance.build_send_normally_message(receipt=awaits_receipt)
    return Step(state, context, replies=(reply,))


def _handle_outcome(outcome: EffectOutcome, state: State, context: Context, facts: Facts) -> Step:
    match outcome:
        case NumbersHeld(order_id, taken):
            return effect_results.show_held_numbers(order_id, context, facts, taken=taken)
        case OrderPlaced(order_id):
            return effect_results.show_payment_instructions(order_id, context, facts)
        case OrderCancelled(order_id):
            return effect_results.show_cancellation(order_id, facts)
        case ProofAddedToOrder():
            return proofs.acknowledge_proof(outcome, context, facts)
        case ProofWithoutOrder():
            return proofs.handle_proof_without_order(outcome, state, context, facts)
        case NameConsentSaved():
            return inquiries.acknowledge_name_consent(outcome, state, context)
        case EffectRefused():
            return effect_results.explain_refusal(outcome, state, context, facts)
        case _:
            assert_never(outcome)


def _show_lookup(outcome: LookupOutcome, state: State, context: Context, facts: Facts) -> Step:
    match outcome:
        case RulesFound() | ResultsFound() | NumberFound():
            return inquiries.show_lookup(outcome, state, context, facts)
        case RaffleFound():
            return raffle_links.show_found_raffle(outcome, facts)
        case FreeNumbersFound():
            return free_numbers.show_free_numbers(outcome, state, context, facts)
        case NumbersChecked():
            return free_numbers.show_checked_numbers(outcome, state, context, facts)
        case _:
            assert_never(outcome)


def _handle_text(text: str, state: State, context: Context, facts: Facts) -> Step:
    """Return the step for a text: an answer to the open question, or what is meant by it."""
    linked = raffle_links.handle_raffle_link(text, state, context, facts)
    if linked is not None:
        return linked
    text = raffle_links.remove_mark(text)
    named = facts.find_orders_by_code(order_names.find_order_codes(text))
    words = order_names.remove_order_codes(text, {order.code for order in named})
    if not named and order_names.is_order_code(text):
        note = order_status.build_unknown_code_note()
        return commands.show_my_tickets(state, context, facts, note=note)
    turn = Turn.read(words, state, context, facts)
    step = (
        (orders_by_code.handle_order_code(named, turn) if named else None)
        or open_questions.handle_answer(turn)
        or decisions.decide(open_questions.close_question(turn))
    )
    return doubts.ask_instead_of_acting(step, turn)
