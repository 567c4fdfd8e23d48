"""Handlers of taps on buttons and list rows, in any state.

A tap on an old message is carried out if that is still possible, and explained if not.
"""

from typing import Literal, assert_never

from shared.conversation import button_ids
from shared.conversation.button_ids import ButtonAction, ButtonId
from shared.conversation.context import Context
from shared.conversation.facts.values import Facts, OrderFacts, RaffleFacts
from shared.conversation.flow import (
    age,
    commands,
    handover,
    inquiries,
    payment_words,
    proofs,
    reserve,
)
from shared.conversation.flow.numbers import number_changes
from shared.conversation.flow.screens import answer_with, show_menu, show_order, show_raffle_card
from shared.conversation.texts import guidance, orders, raffles, receipts
from shared.conversation.values import (
    AssignProof,
    CancelOwnOrder,
    LookUpNumber,
    LookUpRules,
    PlaceOrder,
    SaveNameConsent,
    Step,
)
from shared.core.enums import OrderStatus, State

type _ChatAction = Literal[
    ButtonAction.MENU, ButtonAction.PERSON, ButtonAction.MINE, ButtonAction.PAGE
]
type _RaffleAction = Literal[
    ButtonAction.RAFFLE,
    ButtonAction.RANDOM,
    ButtonAction.PICK,
    ButtonAction.QUANTITY,
    ButtonAction.NUMBERS,
]
type _OrderAction = Literal[
    ButtonAction.CONFIRM,
    ButtonAction.OTHERS,
    ButtonAction.CANCEL,
    ButtonAction.CANCEL_SURELY,
    ButtonAction.KEEP,
    ButtonAction.GIVE_BACK,
    ButtonAction.PAY,
    ButtonAction.PROOF,
]
type _OrderPageAction = Literal[
    ButtonAction.CANCEL_PAGE,
    ButtonAction.PAY_PAGE,
    ButtonAction.PROOF_PAGE,
]
type _DrawAction = Literal[
    ButtonAction.RULES,
    ButtonAction.RESULTS,
    ButtonAction.VERIFY,
    ButtonAction.ADULT,
    ButtonAction.MINOR,
    ButtonAction.SHOW_NAME,
    ButtonAction.HIDE_NAME,
]


def handle_tap(tap_id: str, state: State, context: Context, facts: Facts) -> Step:
    """Return the step for a tap; an unknown or incomplete id is explained."""
    tap = button_ids.parse_button_id(tap_id)
    if tap is None:
        return show_menu(facts, note=guidance.build_old_button_note())
    match tap.action:
        case ButtonAction.MENU | ButtonAction.PERSON | ButtonAction.MINE | ButtonAction.PAGE:
            return _handle_chat_tap(tap, tap.action, state, context, facts)
        case (
            ButtonAction.RAFFLE
            | ButtonAction.RANDOM
            | ButtonAction.PICK
            | ButtonAction.QUANTITY
            | ButtonAction.NUMBERS
        ):
            return _handle_raffle_tap(tap, tap.action, context, facts)
        case (
            ButtonAction.CONFIRM
            | ButtonAction.OTHERS
            | ButtonAction.CANCEL
            | ButtonAction.CANCEL_SURELY
            | ButtonAction.KEEP
            | ButtonAction.GIVE_BACK
            | ButtonAction.PAY
            | ButtonAction.PROOF
        ):
            return _handle_order_tap(tap, tap.action, state, context, facts)
        case ButtonAction.CANCEL_PAGE | ButtonAction.PAY_PAGE | ButtonAction.PROOF_PAGE:
            return _show_order_page(tap, tap.action, state, context, facts)
        case (
            ButtonAction.RULES
            | ButtonAction.RESULTS
            | ButtonAction.VERIFY
            | ButtonAction.ADULT
            | ButtonAction.MINOR
            | ButtonAction.SHOW_NAME
            | ButtonAction.HIDE_NAME
        ):
            return _handle_draw_tap(tap, tap.action, state, context, facts)
        case _:
            assert_never(tap.action)


def _handle_chat_tap(
    tap: ButtonId, action: _ChatAction, state: State, context: Context, facts: Facts
) -> Step:
    match action:
        case ButtonAction.MENU:
            return commands.reset_to_menu(facts)
        case ButtonAction.PERSON:
            return handover.ask_for_person(state, context, facts)
        case ButtonAction.MINE:
            return commands.show_my_tickets(state, context, facts, page=tap.subject_id or 0)
        case ButtonAction.PAGE:
            return _show_list_page(tap, facts)
        case _:
            assert_never(action)


def _handle_draw_tap(
    tap: ButtonId, action: _DrawAction, state: State, context: Context, facts: Facts
) -> Step:
    understood = age.close_other_questions(context)
    match action:
        case ButtonAction.RULES:
            return Step(state, understood, lookup=LookUpRules(tap.values[0]))
        case ButtonAction.RESULTS:
            return inquiries.look_up_results(state, understood, facts)
        case ButtonAction.VERIFY:
            return Step(state, understood, lookup=LookUpNumber(*tap.values[:2]))
        case ButtonAction.ADULT:
            return age.handle_adult(tap.values[0], state, context, facts)
        case ButtonAction.MINOR:
            return age.handle_minor(tap.values[0], state, context, facts)
        case ButtonAction.SHOW_NAME | ButtonAction.HIDE_NAME:
            consent = action is ButtonAction.SHOW_NAME
            return Step(state, understood, effect=SaveNameConsent(tap.values[0], consent))
        case _:
            assert_never(action)


def _show_list_page(tap: ButtonId, facts: Facts) -> Step:
    if len(facts.raffles) < 2:  # noqa: PLR2004 - no list without two
        return show_menu(facts)
    reply = raffles.build_raffle_list_message(
        facts.raffles, page=tap.values[0], orders=facts.orders, now=facts.now
    )
    return answer_with(State.MENU, Context(), reply)


def _show_order_page(
    tap: ButtonId, action: _OrderPageAction, state: State, context: Context, facts: Facts
) -> Step:
    """Show a page of a question which order is meant, with the orders that it may be now."""
    page = tap.values[-1]
    match action:
        case ButtonAction.CANCEL_PAGE if facts.live_orders:
            reply = orders.build_cancel_which_message(facts.live_orders, page=page)
            return answer_with(state, context, reply)
        case ButtonAction.PAY_PAGE if payment_words.list_orders_in_payment(facts):
            payable = payment_words.list_orders_in_payment(facts)
            return answer_with(state, context, receipts.build_pay_which_message(payable, page=page))
        case ButtonAction.PROOF_PAGE:
            asked = [order for order in map(facts.find_order, context.proof_order_ids) if order]
            if asked and context.proof_id == tap.values[0]:
                return proofs.ask_which_order(tap.values[0], asked, state, context, page=page)
        case ButtonAction.CANCEL_PAGE | ButtonAction.PAY_PAGE:
            pass
        case _:
            assert_never(action)
    return show_menu(facts, note=guidance.build_old_button_note())


def _handle_raffle_tap(
    tap: ButtonId, action: _RaffleAction, context: Context, facts: Facts
) -> Step:
    raffle = facts.find_raffle(tap.subject_id)
    if raffle is None or not raffle.is_on_sale:
        return show_menu(facts, note=_explain_raffle_not_on_sale(raffle))
    return _apply_raffle_action(tap, action, raffle, context.without_open_question(), facts)


def _explain_raffle_not_on_sale(raffle: RaffleFacts | None) -> str:
    if raffle is None:
        return guidance.build_old_button_note()
    return raffles.build_not_selling_note(raffle.title, raffle.not_selling_reason or "")


def _apply_raffle_action(
    tap: ButtonId, action: _RaffleAction, raffle: RaffleFacts, context: Context, facts: Facts
) -> Step:
    match action:
        case ButtonAction.RAFFLE:
            return show_raffle_card(raffle, Context(), facts)
        case ButtonAction.RANDOM:
            return reserve.ask_quantity(raffle, context)
        case ButtonAction.PICK:
            return reserve.ask_numbers(raffle, context)
        case ButtonAction.QUANTITY:
            return reserve.hold_random(raffle, tap.values[1], context, facts)
        case ButtonAction.NUMBERS:
            return reserve.hold_numbers(raffle, tuple(sorted(set(tap.values[1:]))), context, facts)
        case _:
            assert_never(action)


def _handle_order_tap(
    tap: ButtonId, action: _OrderAction, state: State, context: Context, facts: Facts
) -> Step:
    order = facts.find_order(tap.values[1] if action is ButtonAction.PROOF else tap.subject_id)
    if order is None:
        return show_menu(facts, note=guidance.build_old_button_note())
    understood = context.without_open_question()
    match action:
        case ButtonAction.PROOF:
            return Step(state, understood, effect=AssignProof(tap.values[0], order.id))
        case ButtonAction.KEEP:
            return commands.keep_order(order, state, context, facts)
        case ButtonAction.GIVE_BACK:
            return number_changes.ask_which_to_drop(order, understood, facts)
        case ButtonAction.CANCEL | ButtonAction.CANCEL_SURELY:
            is_confirmed = action is ButtonAction.CANCEL_SURELY
            return _cancel(order, state, understood, is_confirmed=is_confirmed)
        case ButtonAction.CONFIRM if order.status is OrderStatus.DRAFT:
            placing = understood.with_changes(draft_order_id=order.id)
            return Step(state, placing, effect=PlaceOrder(order.id))
        case ButtonAction.OTHERS if order.status is OrderStatus.DRAFT:
            return reserve.offer_other_numbers(order, understood)
        case ButtonAction.CONFIRM | ButtonAction.OTHERS | ButtonAction.PAY:
            return show_order(order, understood, facts, pay=True)
        case _:
            assert_never(action)


def _cancel(order: OrderFacts, state: State, context: Context, *, is_confirmed: bool) -> Step:
    if not order.is_live:
        return answer_with(state, context, orders.build_cannot_cancel_message(order))
    if is_confirmed:
        return Step(state, context, effect=CancelOwnOrder(order.id))
    return commands.cancel_or_ask_first(order, state, context, is_certain=True)
