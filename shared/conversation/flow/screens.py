"""Replies of a state: the menu, a raffle, an order, and the answer to unclear messages."""

from dataclasses import replace
from typing import Final, assert_never

from shared.conversation.context import Context
from shared.conversation.facts.values import Facts, OrderFacts, RaffleFacts
from shared.conversation.flow.reconcile import derive_order_state
from shared.conversation.texts import (
    choosing,
    guidance,
    order_status,
    order_updates,
    orders,
    parts,
    raffle_updates,
    raffles,
    receipts,
)
from shared.conversation.values import Reply, Step
from shared.core.enums import OrderStatus, State

MISSES_BEFORE_PERSON: Final = 3
"""Messages in a row that were not understood, after which the buyer is referred to a person.

Later ones get no answer: it may be another bot.
"""


def answer_with(state: State, context: Context, reply: Reply) -> Step:
    """Return a step with one reply to a message that was understood."""
    return Step(state, context.without_open_question(), replies=(reply,))


def show_menu(facts: Facts, *, note: str = "", misses: int = 0) -> Step:
    """Start over with the list of raffles, or with the card if there is only one.

    Args:
        facts: the facts about the buyer.
        note: a text to put above the reply.
        misses: the count of messages in a row that were not understood.

    """
    context = Context(misses=misses)
    if not facts.raffles:
        over = any(order.raffle.is_sealed or order.raffle.is_drawn for order in facts.orders)
        reply = raffles.build_no_raffles_message(
            facts.seller_contact, orders=facts.orders, has_results=over, now=facts.now, note=note
        )
        return Step(State.MENU, context, replies=(reply,))
    if len(facts.raffles) > 1:
        reply = raffles.build_raffle_list_message(
            facts.raffles, orders=facts.orders, now=facts.now, note=note
        )
        return Step(State.MENU, context, replies=(reply,))
    return show_raffle_card(facts.raffles[0], context, facts, note=note)


def show_raffle_card(
    raffle: RaffleFacts, context: Context, facts: Facts, *, note: str = ""
) -> Step:
    """Show one raffle and ask for the way to choose the numbers."""
    reply = raffles.build_raffle_card_message(raffle, orders=facts.orders, now=facts.now, note=note)
    chosen = context.with_changes(
        raffle_id=raffle.id, mode=None, qty=None, draft_order_id=None, picked_numbers=()
    )
    return Step(State.CHOOSE_MODE, chosen, replies=(reply,))


def repeat_prompt(state: State, context: Context, facts: Facts, *, note: str = "") -> Step:
    """Repeat the last question of a state, as the facts are now."""
    asked_about = [order for order in map(facts.find_order, context.proof_order_ids) if order]
    if context.proof_id is not None and asked_about:
        question = receipts.build_which_order_message(context.proof_id, asked_about)
        return Step(state, context, replies=(question.with_note_before(note),))
    raffle = facts.find_raffle(context.raffle_id)
    match state:
        case State.CHOOSE_MODE if raffle is not None:
            return show_raffle_card(raffle, context, facts, note=note)
        case State.ASK_QTY if raffle is not None:
            reply = choosing.build_ask_quantity_message(raffle, note=note)
            return Step(state, context, replies=(reply,))
        case State.ASK_PICK_NUMBERS if raffle is not None:
            reply = choosing.build_ask_numbers_message(raffle, note=note)
            return Step(state, context, replies=(reply,))
        case State.MENU:
            return show_menu(facts, note=note, misses=context.misses)
        case (
            State.CHOOSE_MODE
            | State.ASK_QTY
            | State.ASK_PICK_NUMBERS
            | State.CONFIRM_RESERVATION
            | State.WAIT_PROOF
            | State.DONE
        ):
            return _repeat_order_prompt(context, facts, note=note)
        case _:
            assert_never(state)


def _repeat_order_prompt(context: Context, facts: Facts, *, note: str) -> Step:
    order = facts.find_order(context.draft_order_id)
    if order is None:
        return show_menu(facts, note=note, misses=context.misses)
    return show_order(order, context, facts, note=note)


def show_order(
    order: OrderFacts, context: Context, facts: Facts, *, note: str = "", pay: bool = False
) -> Step:
    """Show an order in its current status.

    Args:
        order: the order.
        context: the context; it is about this order afterwards.
        facts: the facts about the buyer.
        note: a text to put above the reply.
        pay: whether to show the full payment instructions instead of a reminder.

    """
    if order.has_lapsed:
        return _show_ended_order(order, context, facts, note=note)
    state = derive_order_state(order)
    match state:
        case State.DONE if order.raffle.is_called_off:
            reply = raffle_updates.build_called_off_message(order, note="")
        case State.DONE if order.needs_decision:
            reply = order_updates.build_late_payment_message(order, is_notice=False)
        case State.CONFIRM_RESERVATION:
            reply = orders.build_held_message(order, now=facts.now)
        case State.WAIT_PROOF if pay:
            reply = orders.build_how_to_pay_message(order, now=facts.now)
        case State.WAIT_PROOF:
            reply = orders.build_still_to_pay_message(order, now=facts.now)
        case State.DONE if order.status is OrderStatus.PAID:
            reply = order_status.build_all_done_message(order)
        case State.DONE:
            reply = order_status.build_under_review_message(order)
        case State.MENU | State.CHOOSE_MODE | State.ASK_QTY | State.ASK_PICK_NUMBERS:
            return _show_ended_order(order, context, facts, note=note)
        case _:
            assert_never(state)
    about_order = context.with_changes(raffle_id=order.raffle.id, draft_order_id=order.id)
    return Step(state, about_order, replies=(reply.with_note_before(note),))


def _show_ended_order(order: OrderFacts, context: Context, facts: Facts, *, note: str) -> Step:
    """Tell the buyer that an order has ended, and show its raffle or the menu."""
    ended = order_status.build_order_ended_note(order)
    note = f"{note}\n\n{ended}" if note else ended
    if order.raffle.is_on_sale and facts.find_raffle(order.raffle.id) in facts.raffles:
        return show_raffle_card(order.raffle, context.without_open_question(), facts, note=note)
    return show_menu(facts, note=note)


def ask_to_rephrase(state: State, context: Context, facts: Facts, *, note: str = "") -> Step:
    """Repeat the question, the second time with a short help; the third time name a person.

    After that, say nothing until the buyer is understood, taps or sends a receipt.
    """
    misses = context.misses + 1
    counted = context.with_changes(misses=misses)
    if misses > MISSES_BEFORE_PERSON:
        return Step(state, counted)
    if misses == MISSES_BEFORE_PERSON:
        seller_contact = facts.find_seller_contact(context.raffle_id)
        reply = guidance.build_ask_a_person_message(seller_contact)
        return Step(state, counted, replies=(reply,))
    note = note or (
        guidance.build_not_understood_note() if misses == 1 else guidance.build_short_help_note()
    )
    prompt = repeat_prompt(state, counted, facts, note=note)
    return prompt if misses == 1 else offer_person(prompt, facts)


def offer_person(step: Step, facts: Facts) -> Step:
    """Return a step whose last reply also offers to talk to a person, if there is room for it."""
    if facts.is_paused or not step.replies:
        return step
    *before, last = step.replies
    return replace(step, replies=(*before, parts.add_choice(last, parts.PERSON_BUTTON)))
