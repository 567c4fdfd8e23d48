"""The choice of what a buyer can do next after an answer, in every state."""

from dataclasses import replace
from typing import assert_never

from shared.conversation import button_ids
from shared.conversation.button_ids import ButtonAction
from shared.conversation.context import Context
from shared.conversation.facts.values import Facts, OrderFacts, RaffleFacts
from shared.conversation.flow.reconcile import derive_order_state
from shared.conversation.texts.answers import next_steps
from shared.conversation.texts.answers.next_steps import AnswerEnding
from shared.core.enums import OrderStatus, State


def choose_next_step(
    state: State,
    context: Context,
    facts: Facts,
    *,
    raffle: RaffleFacts | None = None,
    orders: tuple[OrderFacts, ...] = (),
    is_covered: bool = False,
    is_quiet: bool = False,
) -> AnswerEnding:
    """Return the next step that fits a state.

    Where nothing is asked, it is about what the answer was about.

    Args:
        state: the buyer's state.
        context: the context, with the questions that stay open.
        facts: the facts about the buyer.
        raffle: the raffle that the answer is about; None: none or several.
        orders: the orders that the answer is about.
        is_covered: whether the answer says already how its order stands, and until when, or that
            nothing is on sale.
        is_quiet: whether the buttons alone are enough, because the buyer wants nothing now.

    """
    question = _find_open_question(context, facts)
    if question is not None:
        return question
    end = _choose_by_state(
        state, context, facts, raffle=raffle, orders=orders, is_covered=is_covered
    )
    return replace(end, sentence="") if is_quiet else end


def _choose_by_state(
    state: State,
    context: Context,
    facts: Facts,
    *,
    raffle: RaffleFacts | None,
    orders: tuple[OrderFacts, ...],
    is_covered: bool,
) -> AnswerEnding:
    order = facts.find_order(context.draft_order_id)
    chosen = facts.find_raffle(context.raffle_id)
    covered = is_covered and order in orders
    match state:
        case State.MENU:
            waiting = orders or _find_waiting(facts, raffle)
            return _choose_freely(facts, raffle, waiting, is_covered=is_covered)
        case State.CHOOSE_MODE:
            return _choose_freely(facts, raffle or chosen, orders, is_covered=is_covered)
        case State.ASK_QTY if chosen is not None and _can_buy(chosen):
            return next_steps.build_quantity_step(chosen)
        case State.ASK_PICK_NUMBERS if chosen is not None and _can_buy(chosen):
            return next_steps.build_numbers_step(chosen)
        case State.CONFIRM_RESERVATION | State.WAIT_PROOF if order is not None:
            return _continue_order(order, facts, is_covered=covered)
        case State.DONE if order is not None and not _list_open(orders):
            return _continue_order(order, facts, is_covered=covered)
        case (
            State.ASK_QTY
            | State.ASK_PICK_NUMBERS
            | State.CONFIRM_RESERVATION
            | State.WAIT_PROOF
            | State.DONE
        ):
            return _choose_freely(facts, raffle, orders, is_covered=is_covered)
        case _:
            assert_never(state)


def _find_open_question(context: Context, facts: Facts) -> AnswerEnding | None:
    """Return the question about a receipt or the age that waits for its answer."""
    asked_about = [order for order in map(facts.find_order, context.proof_order_ids) if order]
    if context.proof_id is not None and asked_about:
        return next_steps.build_which_receipt_step(context.proof_id, asked_about)
    tap = button_ids.parse_button_id(context.yes_button_id)
    if tap is None or tap.action is not ButtonAction.ADULT:
        return None
    raffle = facts.find_raffle(tap.subject_id)
    return None if raffle is None else next_steps.build_age_step(raffle)


def _can_buy(raffle: RaffleFacts) -> bool:
    return raffle.is_on_sale and raffle.max_quantity >= raffle.min_per_order


def _list_open(orders: tuple[OrderFacts, ...]) -> list[OrderFacts]:
    """Return the orders that are lost if nothing happens."""
    return [order for order in orders if order.has_clock]


def _find_waiting(facts: Facts, raffle: RaffleFacts | None) -> tuple[OrderFacts, ...]:
    """Return the buyer's open orders in a raffle; None: in the only one on sale."""
    meant = raffle or (facts.raffles[0] if len(facts.raffles) == 1 else None)
    if meant is None:
        return ()
    return tuple(each for each in facts.orders if each.has_clock and each.raffle.id == meant.id)


def _choose_freely(
    facts: Facts, raffle: RaffleFacts | None, orders: tuple[OrderFacts, ...], *, is_covered: bool
) -> AnswerEnding:
    """Return the step where nothing is asked: an open order, the raffle, or what is on sale."""
    opened = _list_open(orders)
    if len(opened) == 1:
        return _continue_order(opened[0], facts, is_covered=is_covered and len(orders) == 1)
    if opened:
        return next_steps.build_which_order_step(opened)
    if len(orders) == 1 and orders[0].asked_again:
        return _continue_order(orders[0], facts, is_covered=is_covered)
    if raffle is not None and raffle.is_on_sale:
        return next_steps.build_choose_step(raffle, now=facts.now)
    return _choose_raffle(facts, is_covered=is_covered or bool(orders))


def _choose_raffle(facts: Facts, *, is_covered: bool) -> AnswerEnding:
    match facts.raffles:
        case ():
            over = any(order.raffle.is_sealed or order.raffle.is_drawn for order in facts.orders)
            return next_steps.build_no_raffles_step(has_results=over, is_said=is_covered)
        case (raffle,):
            return next_steps.build_choose_step(raffle, now=facts.now)
        case several:
            return next_steps.build_which_raffle_step(several, now=facts.now)


def _continue_order(order: OrderFacts, facts: Facts, *, is_covered: bool) -> AnswerEnding:
    if order.has_lapsed or order.raffle.is_called_off:
        return next_steps.build_ended_step(order)
    match derive_order_state(order):
        case State.CONFIRM_RESERVATION:
            return next_steps.build_hold_step(order, is_covered=is_covered, now=facts.now)
        case State.WAIT_PROOF:
            return next_steps.build_payment_step(order, is_covered=is_covered, now=facts.now)
        case State.DONE if order.status is OrderStatus.PAID:
            return next_steps.build_paid_step(order)
        case State.DONE:
            return next_steps.build_review_step(order, is_covered=is_covered)
        case State.MENU | State.CHOOSE_MODE | State.ASK_QTY | State.ASK_PICK_NUMBERS:
            return next_steps.build_ended_step(order)
        case _ as unknown:
            assert_never(unknown)
