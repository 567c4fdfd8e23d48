"""Steps after an effect: a hold, an order, a cancellation, or a refusal."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from shared.conversation.context import Context
from shared.conversation.conversation_events import EffectRefused
from shared.conversation.facts.values import Facts, OrderFacts, RaffleFacts
from shared.conversation.flow import reserve
from shared.conversation.flow.screens import answer_with, repeat_prompt, show_menu, show_order
from shared.conversation.texts import (
    choosing,
    guidance,
    order_status,
    order_updates,
    orders,
    raffle_updates,
    raffles,
)
from shared.conversation.values import Step
from shared.core.enums import Mode, OrderStatus, State
from shared.raffles import errors, proof_errors


def show_held_numbers(
    order_id: int, context: Context, facts: Facts, *, taken: Sequence[int] = ()
) -> Step:
    """Show the held numbers and ask the buyer to confirm.

    Args:
        order_id: the hold.
        context: the context.
        facts: the facts about the buyer.
        taken: numbers that the buyer wanted more, and that are taken.

    """
    order = facts.find_order(order_id)
    if order is None:
        return show_menu(facts)
    holding = context.without_open_question().with_changes(
        raffle_id=order.raffle.id, draft_order_id=order.id, mode=order.mode
    )
    note = ""
    if taken:
        holding = holding.with_changes(picked_numbers=order.numbers)
        note = choosing.build_held_otherwise_note(order, taken=taken)
    reply = orders.build_held_message(order, now=facts.now, note=note)
    return answer_with(State.CONFIRM_RESERVATION, holding, reply)


def show_payment_instructions(order_id: int, context: Context, facts: Facts) -> Step:
    """Show how to pay the order, or that it is complete because it is free."""
    order = facts.find_order(order_id)
    paying = context.without_open_question().with_changes(
        draft_order_id=order_id, picked_numbers=(), qty=None
    )
    if order is None:
        return Step(State.WAIT_PROOF, paying)
    if order.status is OrderStatus.PAID:
        return answer_with(State.DONE, paying, order_updates.build_paid_message(order))
    return answer_with(
        State.WAIT_PROOF, paying, orders.build_how_to_pay_message(order, now=facts.now)
    )


def show_cancellation(order_id: int, facts: Facts) -> Step:
    """Show that the order is cancelled."""
    order = facts.find_order(order_id)
    return (
        answer_with(State.MENU, Context(), orders.build_cancelled_message(order))
        if order
        else show_menu(facts)
    )


def explain_refusal(refusal: EffectRefused, state: State, context: Context, facts: Facts) -> Step:
    """Explain a refusal and show what is possible instead.

    A code without a text of its own is answered with a general note.
    """
    understood = context.without_open_question()
    if refusal.code in ORDER_REFUSALS:
        return _explain_order_refusal(refusal, state, understood, facts)
    if refusal.code in raffle_updates.NO_CHANGE_NOTES:
        return show_menu(facts, note=raffle_updates.build_no_change_note(refusal.code))
    raffle = facts.find_raffle(understood.raffle_id)
    if raffle is not None and refusal.code in RAFFLE_REFUSALS:
        return RAFFLE_REFUSALS[refusal.code](refusal.details, raffle, understood, facts)
    return repeat_prompt(state, understood, facts, note=order_status.build_not_possible_note())


# ── about a raffle ────────────────────────────────────────────────────────────────────────────

type _Details = Mapping[str, Any]


def _explain_not_selling(
    details: _Details, raffle: RaffleFacts, _context: Context, facts: Facts
) -> Step:
    reason = str(details.get("reason", ""))
    return show_menu(facts, note=raffles.build_not_selling_note(raffle.title, reason))


def _explain_quantity_bounds(
    _details: _Details, raffle: RaffleFacts, context: Context, _facts: Facts
) -> Step:
    is_picking = context.mode is Mode.PICK
    quantity = len(context.picked_numbers) if is_picking else context.qty or 0
    note = choosing.build_quantity_out_of_bounds_note(raffle, quantity=quantity)
    if is_picking:
        return reserve.ask_numbers(raffle, context, note=note)
    return answer_with(
        State.ASK_QTY, context, choosing.build_ask_quantity_message(raffle, note=note)
    )


def _explain_unknown_numbers(
    details: _Details, raffle: RaffleFacts, context: Context, _facts: Facts
) -> Step:
    note = choosing.build_unknown_numbers_note(raffle, unknown=details["unknown"])
    return reserve.ask_numbers(raffle, context.with_changes(picked_numbers=()), note=note)


def _explain_taken_numbers(
    details: _Details, raffle: RaffleFacts, context: Context, _facts: Facts
) -> Step:
    reply = choosing.build_numbers_taken_message(
        raffle,
        taken=details["taken"],
        free=details["free"],
        neighbours=details.get("neighbours", ()),
    )
    return answer_with(State.ASK_PICK_NUMBERS, context, reply)


def _explain_too_few_left(
    details: _Details, raffle: RaffleFacts, context: Context, facts: Facts
) -> Step:
    hold = facts.find_draft(raffle.id)
    if hold is not None and details.get("kept"):
        note = choosing.build_few_more_left_note(available=details["available"] - details["kept"])
        return show_order(hold, context, facts, note=note)
    reply = choosing.build_too_few_left_message(raffle, available=details["available"])
    state = State.MENU if reply.key == "sold_out" else State.ASK_QTY
    return answer_with(state, context, reply)


def _explain_contact_limit(
    details: _Details, raffle: RaffleFacts, context: Context, _facts: Facts
) -> Step:
    reply = choosing.build_limit_reached_message(
        raffle, limit=details["limit"], remaining=details["remaining"]
    )
    return answer_with(State.CHOOSE_MODE, context, reply)


def _explain_cooling_down(
    details: _Details, raffle: RaffleFacts, context: Context, facts: Facts
) -> Step:
    reply = choosing.build_cooling_down_message(raffle, until=details["until"], now=facts.now)
    return answer_with(State.CHOOSE_MODE, context, reply)


RAFFLE_REFUSALS: Final[Mapping[str, Callable[[_Details, RaffleFacts, Context, Facts], Step]]] = {
    errors.RaffleNotSelling.code: _explain_not_selling,
    errors.QuantityOutOfBounds.code: _explain_quantity_bounds,
    errors.NumbersUnknown.code: _explain_unknown_numbers,
    errors.NumbersTaken.code: _explain_taken_numbers,
    errors.TooFewLeft.code: _explain_too_few_left,
    errors.ContactLimitReached.code: _explain_contact_limit,
    errors.CoolingDown.code: _explain_cooling_down,
}
"""Explanations of refused holds, by the code of the error."""

# ── about an order ────────────────────────────────────────────────────────────────────────────


def _explain_order_refusal(
    refusal: EffectRefused, state: State, context: Context, facts: Facts
) -> Step:
    order_id = refusal.details.get("order_id")
    order = facts.find_order(order_id) or facts.find_order(context.draft_order_id)
    if order is None:
        return show_menu(facts, note=guidance.build_old_button_note())
    return ORDER_REFUSALS[refusal.code](order, state, context, facts)


def _show_unpaid_order(order: OrderFacts, _state: State, context: Context, facts: Facts) -> Step:
    return show_order(order, context, facts, note=order_status.build_one_at_a_time_note())


def _show_ended_hold(order: OrderFacts, _state: State, context: Context, facts: Facts) -> Step:
    """Show an order that is no hold any more, or a hold that ended before it was confirmed."""
    if order.is_live and order.expires_at is not None and order.expires_at <= facts.now:
        # The expiry worker has not expired it yet, but its time is over.
        return show_menu(facts, note=order_status.build_order_ended_note(order))
    return show_order(order, context, facts)


def _explain_cannot_cancel(
    order: OrderFacts, state: State, context: Context, _facts: Facts
) -> Step:
    return answer_with(state, context, orders.build_cannot_cancel_message(order))


def _ask_for_file_again(order: OrderFacts, _state: State, context: Context, facts: Facts) -> Step:
    return show_order(order, context, facts, note=order_status.build_file_lost_note())


ORDER_REFUSALS: Final[Mapping[str, Callable[[OrderFacts, State, Context, Facts], Step]]] = {
    errors.OrderWantsPayment.code: _show_unpaid_order,
    errors.OrderExpired.code: _show_ended_hold,
    errors.OrderNotDraft.code: _show_ended_hold,
    errors.OrderAlreadyPaid.code: _explain_cannot_cancel,
    errors.OrderEnded.code: _explain_cannot_cancel,
    errors.OrderNotFound.code: _explain_cannot_cancel,
    proof_errors.ProofFileLost.code: _ask_for_file_again,
}
"""Explanations of refused changes of an order, by the code of the error."""
