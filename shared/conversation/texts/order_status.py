"""Texts about the state of a buyer's orders.

A note is put above another reply.
"""

from typing import assert_never

from shared.conversation.facts.values import OrderFacts
from shared.conversation.texts.draws import build_due_draw_sentence
from shared.conversation.texts.parts import (
    BUY_MORE_BUTTON,
    MY_TICKETS_BUTTON,
    WHO_WON_BUTTON,
    build_numbers_are,
    build_open_decision_sentence,
    build_stay_yours_phrase,
    choose_is_or_are,
    describe_end,
    format_order_numbers,
)
from shared.conversation.values import Reply
from shared.core.enums import OrderStatus


def build_under_review_message(order: OrderFacts) -> Reply:
    """Return the message that a payment is checked, or that a better proof is needed."""
    if order.asked_again:
        body = (
            f"For order *{order.code}* we need one more photo or PDF of your receipt: please send "
            f"it here. {build_stay_yours_phrase(order)} meanwhile."
        )
        return Reply(
            "under_review", body, buttons=(BUY_MORE_BUTTON, MY_TICKETS_BUTTON), about=order.code
        )
    what = "order" if order.is_free else "the payment of order"
    return Reply(
        "under_review",
        f"We are checking {what} *{order.code}*. "
        f"{build_stay_yours_phrase(order)} meanwhile; we will write here.",
        buttons=(BUY_MORE_BUTTON, MY_TICKETS_BUTTON),
        about=order.code,
    )


def build_all_done_message(order: OrderFacts) -> Reply:
    """Return the message that an order is paid, for a buyer who writes afterwards."""
    raffle = order.raffle
    luck, first = "Good luck!", BUY_MORE_BUTTON
    if raffle.is_drawn:
        luck, first = f"*{raffle.title}* has been drawn.", WHO_WON_BUTTON
    elif raffle.is_sealed:
        due = build_due_draw_sentence(raffle)
        luck, first = f"The list of *{raffle.title}* is sealed. {due}", WHO_WON_BUTTON
    return Reply(
        "all_done",
        f"Order *{order.code}* is {'complete' if order.is_free else 'paid'}: "
        f"*{format_order_numbers(order)}* {choose_is_or_are(order)} yours. {luck}",
        buttons=(first, MY_TICKETS_BUTTON),
        about=order.code,
    )


def build_order_ended_note(order: OrderFacts) -> str:
    """Return the note that an order has ended, or that its time is over."""
    if order.raffle.is_called_off or order.has_lapsed:
        end = f"{describe_end(order)}: order {order.code} is over."
        return f"{end}{build_open_decision_sentence(order)}"
    after = "not held for you any more" if order.raffle.is_over else "free again"
    match order.status:
        case OrderStatus.PAID:
            return f"Order {order.code} is complete."
        case OrderStatus.EXPIRED if order.raffle.is_over:
            why = f"{describe_end(order)}: order {order.code} is over"
        case OrderStatus.CANCELLED:
            why = f"Order {order.code} has been cancelled"
        case OrderStatus.DRAFT | OrderStatus.PENDING_PAYMENT | OrderStatus.EXPIRED:
            why = f"The time for {order.code} ran out"
        case _:
            assert_never(order.status)
    return f"{why}; {build_numbers_are(order)} {after}.{build_open_decision_sentence(order)}"


def build_one_at_a_time_note() -> str:
    """Return the note for a hold that is refused because an order waits for payment."""
    return "One order at a time: this one still waits for its payment."


def build_unknown_code_note() -> str:
    """Return the note for an order code that is not of one of the buyer's orders."""
    return "I know no order of yours with that code."


def build_paid_without_proof_note() -> str:
    """Return the note for a buyer who claims to have paid, without a proof."""
    return "Thank you! Now I only need the receipt."


def build_file_lost_note() -> str:
    """Return the note for a receipt whose file could not be opened."""
    return "I could not open that picture. Please send the receipt again, as a photo or PDF."


def build_not_possible_note() -> str:
    """Return the note for a refusal without a text of its own."""
    return "That is not possible any more."


def build_order_kept_note(order: OrderFacts) -> str:
    """Return the note that an order was not cancelled."""
    return f"Order {order.code} stays as it is."
