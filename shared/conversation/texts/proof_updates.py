"""Texts for decisions of staff about single payment proofs; pure functions."""

from datetime import datetime
from decimal import Decimal

from shared.conversation.facts.values import OrderFacts
from shared.conversation.formatting import format_money
from shared.conversation.texts.parts import (
    MENU_BUTTON,
    MY_TICKETS_BUTTON,
    build_note_sentence,
    build_stay_yours_phrase,
    describe_end,
    format_order_deadline_for_notice,
)
from shared.conversation.values import Reply


def build_proof_moved_message(order: OrderFacts, *, to: str, now: datetime) -> Reply:
    """Return the message that a proof of this order was moved to another one.

    Args:
        order: the order that the proof left.
        to: the code of the order that it pays, if that is an order of the same buyer; empty if it
            is somebody else's, whose code is nobody's business.
        now: the current time.

    """
    where = f"order *{to}*, which we are checking now" if to else "another order"
    moved = f"The receipt we had for order *{order.code}* belongs to {where}."
    if order.is_live and not order.under_review:
        left = (
            f"Order *{order.code}* still waits for its own receipt: "
            f"{format_money(order.total, order.currency)} by "
            f"{format_order_deadline_for_notice(order, now=now)}."
        )
    elif order.is_live:
        left = f"{build_stay_yours_phrase(order)} while we check the rest."
    else:
        left = f"{describe_end(order)}, and there is nothing left to do for it."
    return Reply(
        "proof_moved",
        f"{moved} {left}\nQuestions? {order.raffle.seller_contact}.",
        about=order.code,
    )


def build_second_proof_dismissed_message(order: OrderFacts, *, note: str) -> Reply:
    """Return the message that a further proof of the order was dismissed; `note` may be empty."""
    return Reply(
        "proof_dismissed",
        f"We looked at the other picture you sent for order *{order.code}*: it changes nothing "
        f"about the order.{build_note_sentence(note)}\nQuestions? {order.raffle.seller_contact}.",
        buttons=(MENU_BUTTON, MY_TICKETS_BUTTON),
        about=order.code,
    )


def build_second_payment_refunded_message(
    order: OrderFacts, *, amount: Decimal, note: str
) -> Reply:
    """Return the message that a second payment of a paid order goes back."""
    return Reply(
        "second_refunded",
        f"Order *{order.code}* (*{order.raffle.title}*) was paid already, so you get your second "
        f"payment of {format_money(amount, order.currency)} back.{build_note_sentence(note)} The "
        f"order stays as it is.\nQuestions? {order.raffle.seller_contact}.",
        buttons=(MENU_BUTTON, MY_TICKETS_BUTTON),
        about=order.code,
    )
