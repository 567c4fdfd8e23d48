"""Handlers of MENU, HELP and CANCEL, and of "my tickets"."""

from dataclasses import replace
from typing import assert_never

from shared.conversation import button_ids
from shared.conversation.button_ids import ButtonAction
from shared.conversation.context import Context
from shared.conversation.facts.values import Facts, OrderFacts
from shared.conversation.flow.questions import question_topics
from shared.conversation.flow.screens import answer_with, offer_person, repeat_prompt, show_menu
from shared.conversation.flow.turn import Turn
from shared.conversation.texts import guidance, my_tickets, order_status, orders
from shared.conversation.understanding.intents import Intent
from shared.conversation.values import CancelOwnOrder, Step
from shared.core.enums import OrderStatus, State


def reset_to_menu(facts: Facts) -> Step:
    """Start over in MENU, where one raffle's card is understood as in CHOOSE_MODE."""
    return replace(show_menu(facts), state=State.MENU, context=Context())


def handle_help(state: State, context: Context, facts: Facts) -> Step:
    """Show how buying works and the words that always work, with the menu."""
    seller = facts.find_seller_contact(context.raffle_id)
    note = guidance.build_help_note(seller, is_paused=facts.is_paused)
    menu = offer_person(show_menu(facts, note=note), facts)
    match state:
        case State.MENU | State.CHOOSE_MODE | State.DONE:
            return menu
        case State.ASK_QTY | State.ASK_PICK_NUMBERS | State.CONFIRM_RESERVATION | State.WAIT_PROOF:
            # The buyer still has a question to answer, so the state stays.
            return Step(state, context.without_open_question(), replies=menu.replies)
        case _:
            assert_never(state)


def handle_cancel(turn: Turn) -> Step:
    """Cancel the live order; ask which one if there are several, and whether it is in doubt."""
    live = turn.facts.live_orders
    if not live and any(order.status is OrderStatus.PAID for order in turn.facts.orders):
        return question_topics.answer_question(
            Intent.CAN_CANCEL, turn.state, turn.context, turn.facts
        )
    if not live:
        return show_menu(turn.facts, note=orders.build_nothing_to_cancel_note())
    if len(live) > 1:
        return answer_with(turn.state, turn.context, orders.build_cancel_which_message(live))
    is_certain = not turn.reading.doubts
    return cancel_or_ask_first(live[0], turn.state, turn.context, is_certain=is_certain)


def cancel_or_ask_first(
    order: OrderFacts, state: State, context: Context, *, is_certain: bool
) -> Step:
    """Cancel a live order, or ask for confirmation.

    Args:
        order: the order.
        state: the buyer's state, which stays.
        context: the context.
        is_certain: whether the buyer surely asked to cancel; false for a misspelt command. An order
            under review is confirmed all the same, because its payment may be under way.

    """
    if is_certain and not order.under_review:
        return Step(state, context.without_open_question(), effect=CancelOwnOrder(order.id))
    asking = context.without_open_question().with_changes(
        yes_button_id=button_ids.build_button_id(ButtonAction.CANCEL_SURELY, order.id)
    )
    reply = orders.build_cancel_surely_message(order, is_certain=is_certain)
    return Step(state, asking, replies=(reply,))


def show_my_tickets(
    state: State, context: Context, facts: Facts, *, page: int = 0, note: str = ""
) -> Step:
    """Show one page of the buyer's orders, from 0, below a note."""
    reply = my_tickets.build_my_tickets_message(facts.orders, now=facts.now, page=page)
    return answer_with(state, context, reply.with_note_before(note))


def keep_order(order: OrderFacts, state: State, context: Context, facts: Facts) -> Step:
    """Keep an order unchanged and repeat the last question."""
    return repeat_prompt(
        state,
        context.without_open_question(),
        facts,
        note=order_status.build_order_kept_note(order),
    )
