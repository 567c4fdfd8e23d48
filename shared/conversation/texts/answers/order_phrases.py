"""Phrases about a buyer's own orders in answers to their questions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, assert_never

from shared.conversation.facts.values import OrderFacts
from shared.conversation.formatting import format_money
from shared.conversation.texts.parts import (
    build_money_back_sentence,
    choose_is_or_are,
    describe_end,
    format_order_deadline,
    pluralize_number,
)
from shared.core.enums import OrderStatus

MAX_LISTED: Final = 5
"""Most orders, or raffles, that one answer lists."""

_MAX_NAMED_NUMBERS: Final = 6
"""Ticket numbers of an order that an answer names; of more it says how many they are."""

_UNKNOWN_SELLER: Final = "the seller"


def name_seller(contact: str) -> str:
    """Return how to reach the seller, for the end of a sentence."""
    return contact or _UNKNOWN_SELLER


def add_contact(contact: str) -> str:
    """Return a colon and how to reach the seller, who was just spoken of; empty if unknown."""
    return f": {contact}" if contact else ""


def format_seller(order: OrderFacts) -> str:
    """Return how to reach the seller of an order, for the end of a sentence."""
    return name_seller(order.raffle.seller_contact)


def format_total(order: OrderFacts) -> str:
    """Return the amount of an order with its currency."""
    return format_money(order.total, order.currency)


def count_numbers(order: OrderFacts) -> str:
    """Return how many ticket numbers an order has: "3 numbers"."""
    return f"{len(order.numbers)} {pluralize_number(len(order.numbers))}"


def name_numbers(order: OrderFacts) -> str:
    """Return "Your numbers *007 · 213*", or how many they are."""
    count = len(order.numbers)
    if count > _MAX_NAMED_NUMBERS:
        return f"Your {count} numbers"
    listed = " · ".join(map(order.raffle.format_ticket_number, sorted(order.numbers)))
    return f"Your {pluralize_number(count)} *{listed}*"


def _stay_yours(order: OrderFacts) -> str:
    return f"{name_numbers(order)} {'stays' if len(order.numbers) == 1 else 'stay'} yours"


def describe_paid(order: OrderFacts) -> str:
    """Return "paid", or "confirmed" for an order that costs nothing."""
    return "confirmed" if order.is_free else "paid"


def build_held_sentence(order: OrderFacts, *, now: datetime) -> str:
    """Return until when numbers are held: "Your numbers *007 · 213* are held until 15:42."."""
    until = format_order_deadline(order, now=now)
    return f"{name_numbers(order)} {choose_is_or_are(order)} held until {until}."


# ── several orders ────────────────────────────────────────────────────────────────────────────────


def build_order_lines(several: Sequence[OrderFacts], *, rule: str, now: datetime) -> str:
    """Return several orders, a line for each, above what is true of all of them."""
    lines = [
        f"*{order.code}* ({order.raffle.title}): {_describe_briefly(order, now=now)}"
        for order in several[-MAX_LISTED:]
    ]
    more = len(several) - MAX_LISTED
    if more > 0:
        lines.append(f"… and {more} more: write *my tickets*.")
    return "\n".join([*lines, *([rule] if rule else [])])


def _describe_briefly(order: OrderFacts, *, now: datetime) -> str:
    if order.needs_decision:
        return "the seller decides about your payment"
    if order.has_lapsed or order.raffle.is_called_off:
        return "over"
    match order.status:
        case OrderStatus.DRAFT:
            return f"held until {format_order_deadline(order, now=now)}"
        case OrderStatus.PENDING_PAYMENT:
            return _describe_open_briefly(order, now=now)
        case OrderStatus.PAID:
            return "yours" if order.is_free else "paid"
        case OrderStatus.CANCELLED | OrderStatus.EXPIRED:
            return "being checked" if order.under_review else "over"
        case _:
            assert_never(order.status)


def _describe_open_briefly(order: OrderFacts, *, now: datetime) -> str:
    if order.asked_again:
        return "one more receipt, please"
    if order.under_review:
        return "being checked"
    if order.is_free:
        return "free, not confirmed yet"
    return f"{format_total(order)} by {format_order_deadline(order, now=now)}"


# ── orders without a clock ────────────────────────────────────────────────────────────────────────


def describe_settled(order: OrderFacts) -> str:
    """Return the state of an order whose time does not run: under review, paid or ended."""
    if order.has_lapsed or order.raffle.is_called_off:
        return describe_over(order)
    match order.status:
        case OrderStatus.PAID:
            return f"Order *{order.code}* is {describe_paid(order)}: there is no deadline any more."
        case OrderStatus.CANCELLED | OrderStatus.EXPIRED if order.under_review:
            return f"Order *{order.code}* is being checked: the clock has stopped."
        case OrderStatus.CANCELLED | OrderStatus.EXPIRED:
            return describe_over(order)
        case OrderStatus.DRAFT | OrderStatus.PENDING_PAYMENT if order.asked_again:
            return (
                f"The clock has stopped: {lower_first(_stay_yours(order))}. Please send one more "
                "photo or PDF of the receipt here."
            )
        case OrderStatus.DRAFT | OrderStatus.PENDING_PAYMENT:
            return f"The clock has stopped while we check. {_stay_yours(order)} meanwhile."
        case _:
            assert_never(order.status)


def lower_first(text: str) -> str:
    """Return a sentence without its capital, to stand after other words."""
    return text[0].lower() + text[1:]


def describe_over(order: OrderFacts) -> str:
    """Return why an order is over, and what becomes of its numbers and of money."""
    if order.raffle.is_called_off and order.status is OrderStatus.PAID:
        if order.is_free:
            return f"{describe_end(order)}."
        seller, money = format_seller(order), format_total(order)
        return f"{describe_end(order)}. {seller} will send your {money} back."
    money = _describe_late_money(order)
    if order.raffle.is_over:
        return f"{describe_end(order)}: order *{order.code}* is over.{money}"
    gone = f"its {pluralize_number(len(order.numbers))} {choose_is_or_are(order)} not held any more"
    if order.status is OrderStatus.CANCELLED:
        return f"Order *{order.code}* was cancelled, so {gone}.{money}"
    return f"The time of order *{order.code}* is over, so {gone}.{money}"


def _describe_late_money(order: OrderFacts) -> str:
    if order.is_free:
        return ""
    if order.raffle.is_over:
        return build_money_back_sentence(order)
    if order.needs_decision or order.has_receipt:
        return f" You sent a receipt: {format_seller(order)} will decide with you what to do."
    return " If you have paid, send the receipt here: it is checked all the same."
