"""Steps for pictures: their order, the question which it is, and the acknowledgement."""

from collections.abc import Sequence
from typing import assert_never

from shared.conversation.context import Context
from shared.conversation.conversation_events import (
    PictureReceived,
    ProofAddedToOrder,
    ProofWithoutOrder,
)
from shared.conversation.facts.values import Facts, OrderFacts
from shared.conversation.flow.receipt_evidence import choose_order_for_picture
from shared.conversation.flow.reconcile import derive_order_state
from shared.conversation.flow.screens import answer_with
from shared.conversation.texts import orders, receipts
from shared.conversation.values import Step
from shared.core.enums import State, UnplacedReason


def handle_picture(picture: PictureReceived, state: State, context: Context, facts: Facts) -> Step:
    """Store a picture for the order that the evidence shows, or for none and ask."""
    # A question about an earlier picture stays open.
    understood = context.with_changes(misses=0, yes_button_id="")
    return Step(state, understood, effect=choose_order_for_picture(picture, facts))


def acknowledge_proof(added: ProofAddedToOrder, context: Context, facts: Facts) -> Step:
    """Acknowledge a proof that was stored for an order."""
    order = facts.find_order(added.order_id)
    about_order = context.without_open_question().with_changes(draft_order_id=added.order_id)
    if order is None:
        return Step(State.DONE, about_order)
    about_order = about_order.with_changes(raffle_id=order.raffle.id)
    others = [other for other in map(facts.find_order, added.also) if other]
    if others and (added.first or not added.quiet):
        reply = receipts.build_proof_for_several_message([order, *others])
        return answer_with(derive_order_state(order), about_order, reply)
    if added.late:
        state = State.DONE if added.secured else derive_order_state(order)
        if added.quiet and not added.secured:
            return Step(state, about_order)
        reply = orders.build_late_proof_message(order, secured=added.secured)
        return answer_with(state, about_order, reply)
    if added.first:
        return answer_with(State.DONE, about_order, orders.build_proof_received_message(order))
    if added.quiet:
        return Step(State.DONE, about_order)
    return answer_with(State.DONE, about_order, orders.build_proof_added_message(order))


def handle_proof_without_order(
    stored: ProofWithoutOrder, state: State, context: Context, facts: Facts
) -> Step:
    """Ask which order a picture is for, or say that the seller looks at it."""
    candidates = [order for order in map(facts.find_order, stored.order_ids) if order]
    is_question = bool(candidates) and stored.reason is not UnplacedReason.REVIEW_LIMIT
    if stored.quiet and (context.proof_id is not None or not is_question):
        return Step(state, context)
    seller = facts.find_seller_contact(context.raffle_id)
    match stored.reason:
        case UnplacedReason.SEVERAL_ORDERS | UnplacedReason.UNKNOWN_CODE if candidates:
            return ask_which_order(stored.proof_id, candidates, state, context)
        case UnplacedReason.REVIEW_LIMIT if candidates:
            reply = receipts.build_review_limit_message(candidates[0])
        case (
            UnplacedReason.NO_ORDER
            | UnplacedReason.SEVERAL_ORDERS
            | UnplacedReason.UNKNOWN_CODE
            | UnplacedReason.REVIEW_LIMIT
        ):
            reply = receipts.build_orphan_proof_message(seller)
        case _:
            assert_never(stored.reason)
    return answer_with(state, context, reply)


def ask_which_order(
    proof_id: int,
    candidates: Sequence[OrderFacts],
    state: State,
    context: Context,
    *,
    page: int = 0,
) -> Step:
    """Ask for which order a picture is; the question stays open for a written answer."""
    asking = context.without_open_question().with_changes(
        proof_id=proof_id, proof_order_ids=tuple(order.id for order in candidates)
    )
    reply = receipts.build_which_order_message(proof_id, candidates, page=page)
    return Step(state, asking, replies=(reply,))
