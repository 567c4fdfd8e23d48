"""Answers to questions about money: what is owed, how it is paid, receipts and refunds.

Each topic has a text about one order, and a general one for a buyer with several orders or none.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from shared.conversation.facts.values import OrderFacts, RaffleFacts
from shared.conversation.formatting import format_money
from shared.conversation.texts.answers.order_phrases import (
    add_contact,
    count_numbers,
    describe_over,
    describe_paid,
    describe_settled,
    format_seller,
    format_total,
)
from shared.conversation.texts.parts import choose_is_or_are, format_order_deadline
from shared.conversation.texts.raffles import build_not_selling_note
from shared.core.enums import OrderStatus

# ── money ─────────────────────────────────────────────────────────────────────────────────────────


def build_total_answer(order: OrderFacts) -> str:
    """Return what an order costs, and whether that is still to be paid."""
    if order.has_lapsed or order.raffle.is_called_off:
        return describe_over(order)
    name = "" if order.status is OrderStatus.DRAFT else f"Order *{order.code}*: "
    what = f"{name}{count_numbers(order)}"
    if order.is_free:
        return f"{what}, free. There is nothing to pay."
    total = f"{what}, *{format_total(order)}* in all"
    if order.status is OrderStatus.PAID:
        return f"{total}. It is paid, so you owe nothing."
    if order.under_review:
        return f"{total}. The payment is being checked."
    return f"{total}."


def build_total_rule(several: Sequence[OrderFacts]) -> str:
    """Return the sum of orders that wait for payment, if they have one currency."""
    currencies = {order.currency for order in several}
    total = sum((order.total for order in several), Decimal(0))
    if len(currencies) != 1 or not total:
        return ""
    return f"Together *{format_money(total, currencies.pop())}*."


def build_nothing_owed_note() -> str:
    """Return the note for a buyer without an order that has a total."""
    return "You have no open order, so you owe nothing."


def build_how_to_pay_answer(order: OrderFacts, *, now: datetime) -> str:
    """Return how an order is paid."""
    if not order.has_clock and not order.under_review:
        return describe_settled(order)
    if order.under_review:
        return f"Order *{order.code}* is being checked: there is nothing to pay now."
    if order.is_free:
        return "These numbers are free: there is nothing to pay."
    if order.status is OrderStatus.DRAFT:
        return (
            f"{count_numbers(order)} for *{format_total(order)}*. Once you confirm, I send you "
            "the account, and you send the receipt here."
        )
    until = format_order_deadline(order, now=now)
    return (
        f"Please pay *{format_total(order)}* by {until}:\n"
        f"{order.raffle.payment_instructions.strip()}\n"
        f"Write *{order.code}* as the reference, then send a photo or PDF of the receipt here."
    )


def build_how_to_pay_rule(raffle: RaffleFacts | None) -> str:
    """Return how one pays, before there is an order."""
    if raffle is not None and not raffle.is_on_sale:
        return build_not_selling_note(raffle.title, raffle.not_selling_reason or "")
    if raffle is not None and raffle.is_free:
        return f"The numbers of *{raffle.title}* are free: there is nothing to pay."
    if raffle is None or not raffle.payment_instructions.strip():
        return (
            "First choose your numbers: with your order come the account and a code as the "
            "reference. Then send a photo or PDF of the receipt here."
        )
    return (
        f"You pay to:\n{raffle.payment_instructions.strip()}\n"
        "First choose your numbers: your order has a code as the reference. Then send a photo or "
        "PDF of the receipt here."
    )


def build_several_to_pay_rule() -> str:
    """Return what is to be minded with several orders to pay."""
    return "Each has its own code as the reference."


# ── receipt ───────────────────────────────────────────────────────────────────────────────────────


def build_receipt_answer(order: OrderFacts, *, now: datetime) -> str:
    """Return whether the receipt of an order arrived, and what became of it."""
    code = f"order *{order.code}*"
    if order.asked_again:
        return f"Your receipt for {code} needs one more photo or PDF: please send it here."
    if order.under_review and (order.is_free or not order.has_receipt):
        return f"Yes, {code} is being checked. I will write here."
    if order.under_review:
        return f"Yes, your receipt for {code} is here and is being checked. I will write here."
    if order.status is OrderStatus.PAID and not order.raffle.is_called_off:
        own = f"its {count_numbers(order)} {choose_is_or_are(order)} yours"
        return f"Yes: {code} is {describe_paid(order)}, and {own}."
    if not order.has_clock:
        return describe_over(order)
    return _describe_missing_receipt(order, now=now)


def _describe_missing_receipt(order: OrderFacts, *, now: datetime) -> str:
    if order.is_free:
        return f"Order *{order.code}* is free, so no receipt is needed."
    if order.status is OrderStatus.DRAFT:
        return "Nothing is to be paid yet. After you confirm and pay, send the receipt here."
    until = format_order_deadline(order, now=now)
    return (
        f"I have no receipt for order *{order.code}* to check. Please send a photo, screenshot "
        f"or PDF of it here by {until}."
    )


def build_receipt_rule() -> str:
    """Return how receipts are sent."""
    return (
        "After you pay, send a photo, screenshot or PDF of the receipt here. The seller checks it, "
        "and I write here."
    )


def build_no_receipt_note() -> str:
    """Return the note for a buyer without an order."""
    return "You have no order that waits for a receipt."


# ── refund ────────────────────────────────────────────────────────────────────────────────────────


def build_refund_answer(order: OrderFacts) -> str:
    """Return whether and how the money of an order can come back."""
    raffle = order.raffle
    if order.is_free:
        return f"Order *{order.code}* is free, so there is no money to give back."
    if raffle.is_called_off or order.has_lapsed:
        return describe_over(order)
    match order.status:
        case OrderStatus.PAID:
            return _describe_refund_of_paid(order)
        case OrderStatus.DRAFT | OrderStatus.PENDING_PAYMENT if order.under_review:
            return (
                f"Your payment for order *{order.code}* is being checked. To get the money back "
                f"instead, please ask {format_seller(order)}."
            )
        case OrderStatus.DRAFT | OrderStatus.PENDING_PAYMENT:
            return (
                "As long as you have not paid, *CANCEL* costs nothing. After that the seller can "
                f"refund until the draw: {format_seller(order)}."
            )
        case OrderStatus.CANCELLED | OrderStatus.EXPIRED:
            return describe_over(order)
        case _:
            assert_never(order.status)


def _describe_refund_of_paid(order: OrderFacts) -> str:
    raffle = order.raffle
    if raffle.draw_time_reached:
        return (
            "Refunds are possible until the draw, and the time of the draw of "
            f"*{raffle.title}* has come. Questions about money: {format_seller(order)}."
        )
    many = len(order.numbers) != 1
    return (
        f"Until the draw the seller can refund order *{order.code}*: please ask "
        f"{format_seller(order)}. Its {'numbers are' if many else 'number is'} then free again."
    )


def build_refund_rule(raffle: RaffleFacts | None, *, seller: str) -> str:
    """Return when money comes back."""
    if raffle is not None and raffle.is_free:
        return f"The numbers of *{raffle.title}* are free, so there is no money to give back."
    return (
        "Before you pay, *CANCEL* costs nothing. After that the seller can refund until the "
        f"draw{add_contact(seller)}. If a raffle is called off, the money goes back."
    )
