"""Steps after an effect: a hold, an order, a cancellation, or a refusal."""

from typing import Final

from shared.conversation.context import Context
from shared.conversation.flow import reserve
from shared.conversation.flow.screens import answer_with, repeat_prompt, show_menu, show_order
from shared.conversation.texts import guidance, orders, raffles
from shared.conversation.values import EffectRefused, Facts, OrderFacts, RaffleFacts, Step
from shared.core.enums import Mode, State


def show_held_numbers(order_id: int, context: Context, facts: Facts) -> Step:
    """Show the held numbers and ask the buyer to confirm."""
    order = facts.find_order(order_id)
    if order is None:
        return show_menu(facts)
    holding = context.without_open_question().with_changes(
        raffle_id=order.raffle.id, draft_order_id=order.id, mode=order.mode
    )
    return answer_with(
        State.CONFIRM_RESERVATION, holding, orders.build_held_message(order, now=facts.now)
    )


def show_payment_instructions(order_id: int, context: Context, facts: Facts) -> Step:
    """Show how to pay the order."""
    order = facts.find_order(order_id)
    paying = context.without_open_question().with_changes(
        draft_order_id=order_id, picked_numbers=(), qty=None
    )
    if order is None:
        return Step(State.WAIT_PROOF, paying)
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
    if refusal.code in _ORDER_REFUSAL_CODES:
        return _explain_order_refusal(refusal, state, understood, facts)
    raffle = facts.find_raffle(understood.raffle_id)
    step = _explain_raffle_refusal(refusal, raffle, understood, facts) if raffle else None
    if step is not None:
        return step
    return repeat_prompt(state, understood, facts, note=orders.build_not_possible_note())


def _explain_raffle_refusal(
    refusal: EffectRefused, raffle: RaffleFacts, context: Context, facts: Facts
) -> Step | None:
    details = refusal.details
    match refusal.code:
        case "raffle_not_selling":
            return show_menu(
                facts,
                note=raffles.build_not_selling_note(raffle.title, str(details.get("reason", ""))),
            )
        case "quantity_out_of_bounds":
            return _explain_quantity_bounds(raffle, context)
        case "numbers_unknown":
            note = raffles.build_unknown_numbers_note(raffle, unknown=details["unknown"])
            return reserve.ask_numbers(raffle, context.with_changes(picked_numbers=()), note=note)
        case "numbers_taken":
            reply = raffles.build_numbers_taken_message(
                raffle,
                taken=details["taken"],
                free=details["free"],
                neighbours=details.get("neighbours", ()),
            )
            return answer_with(State.ASK_PICK_NUMBERS, context, reply)
        case "too_few_left":
            reply = raffles.build_too_few_left_message(raffle, available=details["available"])
            state = State.MENU if reply.key == "sold_out" else State.ASK_QTY
            return answer_with(state, context, reply)
        case "contact_limit_reached":
            limit, remaining = details["limit"], details["remaining"]
            reply = raffles.build_limit_reached_message(raffle, limit=limit, remaining=remaining)
            return answer_with(State.CHOOSE_MODE, context, reply)
        case "cooling_down":
            until = details["until"]
            reply = raffles.build_cooling_down_message(raffle, until=until, now=facts.now)
            return answer_with(State.CHOOSE_MODE, context, reply)
    return None


def _explain_quantity_bounds(raffle: RaffleFacts, context: Context) -> Step:
    is_picking = context.mode is Mode.PICK
    quantity = len(context.picked_numbers) if is_picking else context.qty or 0
    note = raffles.build_quantity_out_of_bounds_note(raffle, quantity=quantity)
    if is_picking:
        return reserve.ask_numbers(raffle, context, note=note)
    return answer_with(
        State.ASK_QTY, context, raffles.build_ask_quantity_message(raffle, note=note)
    )


_ORDER_REFUSAL_CODES: Final = frozenset(
    {
        "order_wants_payment",
        "order_expired",
        "order_not_draft",
        "order_already_paid",
        "order_ended",
        "order_not_found",
    }
)


def _explain_order_refusal(
    refusal: EffectRefused, state: State, context: Context, facts: Facts
) -> Step:
    order_id = refusal.details.get("order_id")
    order = facts.find_order(order_id) or facts.find_order(context.draft_order_id)
    if order is None:
        return show_menu(facts, note=guidance.build_old_button_note())
    if refusal.code == "order_wants_payment":
        return show_order(order, context, facts, note=orders.build_one_at_a_time_note())
    if refusal.code in {"order_expired", "order_not_draft"}:
        return _show_ended_hold(order, context, facts)
    return answer_with(state, context, orders.build_cannot_cancel_message(order))


def _show_ended_hold(order: OrderFacts, context: Context, facts: Facts) -> Step:
    """Show an order that is no hold any more, or a hold that ended before it was confirmed."""
    if order.is_live and order.expires_at is not None and order.expires_at <= facts.now:
        # The expiry worker has not expired it yet, but its time is over.
        return show_menu(facts, note=orders.build_order_ended_note(order))
    return show_order(order, context, facts)
