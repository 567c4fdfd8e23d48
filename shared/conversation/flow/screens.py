"""What a state shows, and what a buyer hears who was not understood."""

from typing import assert_never

from shared.conversation.flow.reconcile import derive_order_state
from shared.conversation.texts import guidance, orders, raffles
from shared.conversation.values import Context, Facts, OrderFacts, RaffleFacts, Reply, Step
from shared.core.enums import OrderStatus, State

MISSES_BEFORE_PERSON = 3


def answer_with(state: State, context: Context, reply: Reply) -> Step:
    """Answer something that was understood."""
    return Step(state, context.understood(), replies=(reply,))


def show_menu(facts: Facts, *, note: str = "", misses: int = 0) -> Step:
    """Start over: the list of raffles, or the card when there is just one."""
    context = Context(misses=misses)
    if not facts.raffles:
        reply = raffles.build_no_raffles_message(facts.seller)
        return Step(State.MENU, context, replies=(reply.after(note),))
    if len(facts.raffles) > 1:
        live = [o for o in facts.live_orders if o.wants_proof or not o.under_review]
        reminder = raffles.build_reminders_note(live, now=facts.now)
        reply = raffles.build_raffle_list_message(facts.raffles, note=reminder)
        return Step(State.MENU, context, replies=(reply.after(note),))
    return show_raffle_card(facts.raffles[0], context, facts, note=note)


def show_raffle_card(
    raffle: RaffleFacts, context: Context, facts: Facts, *, note: str = ""
) -> Step:
    """Show one raffle; the buyer chooses how."""
    reply = raffles.build_raffle_card_message(raffle, live=facts.live_orders, now=facts.now)
    chosen = context.but(
        raffle_id=raffle.id, mode=None, qty=None, draft_order_id=None, picked_numbers=()
    )
    return Step(State.CHOOSE_MODE, chosen, replies=(reply.after(note),))


def repeat_prompt(state: State, context: Context, facts: Facts, *, note: str = "") -> Step:
    """Show again what the buyer was asked last, in its present form."""
    raffle = facts.raffle(context.raffle_id)
    order = facts.order(context.draft_order_id)
    match state:
        case State.CHOOSE_MODE if raffle is not None:
            return show_raffle_card(raffle, context, facts, note=note)
        case State.ASK_QTY if raffle is not None:
            reply = raffles.build_ask_quantity_message(raffle, note=note)
            return Step(state, context, replies=(reply,))
        case State.ASK_PICK_NUMBERS if raffle is not None:
            reply = raffles.build_ask_numbers_message(raffle, note=note)
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
            if order is None:
                return show_menu(facts, note=note, misses=context.misses)
            return show_order(order, context, facts, note=note)
        case _:
            assert_never(state)


def show_order(
    order: OrderFacts, context: Context, facts: Facts, *, note: str = "", pay: bool = False
) -> Step:
    """Show an order as it stands; with `pay` the full payment instructions."""
    state = derive_order_state(order)
    if state is State.MENU:
        return _show_ended_order(order, context, facts, note=note)
    known = context.but(raffle_id=order.raffle.id, draft_order_id=order.id)
    if state is State.CONFIRM_RESERVATION:
        reply = orders.build_held_message(order, now=facts.now)
    elif state is State.WAIT_PROOF:
        shown = orders.build_how_to_pay_message if pay else orders.build_still_to_pay_message
        reply = shown(order, now=facts.now)
    elif order.status is OrderStatus.PAID:
        reply = orders.build_all_done_message(order)
    else:
        reply = orders.build_under_review_message(order)
    return Step(state, known, replies=(reply.after(note),))


def _show_ended_order(order: OrderFacts, context: Context, facts: Facts, *, note: str) -> Step:
    """An order that is over: say so and show where to begin anew."""
    told = (
        f"{note}\n\n{orders.build_order_ended_note(order)}"
        if note
        else orders.build_order_ended_note(order)
    )
    if order.raffle.on_sale and facts.raffle(order.raffle.id) in facts.raffles:
        return show_raffle_card(order.raffle, context.understood(), facts, note=told)
    return show_menu(facts, note=told)


def ask_to_rephrase(state: State, context: Context, facts: Facts, *, note: str = "") -> Step:
    """Ask again; the second time with a short help, the third time name a person."""
    misses = context.misses + 1
    counted = context.but(misses=misses)
    if misses >= MISSES_BEFORE_PERSON:
        raffle = facts.raffle(context.raffle_id)
        reply = guidance.build_ask_a_person_message(raffle.seller if raffle else facts.seller)
        return Step(state, counted, replies=(reply,))
    said = note or (
        guidance.build_not_understood_note() if misses == 1 else guidance.build_short_help_note()
    )
    return repeat_prompt(state, counted, facts, note=said)
