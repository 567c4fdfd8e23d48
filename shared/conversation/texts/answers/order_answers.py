"""Answers to questions about the buyer's own orders: time, changes and giving numbers back.

Each topic has a text about one order, and a general one for a buyer with several orders or none.
"""

from datetime import datetime

from shared.conversation.facts.values import OrderFacts, RaffleFacts
from shared.conversation.texts.answers.order_phrases import (
    add_contact,
    build_held_sentence,
    describe_over,
    describe_paid,
    describe_settled,
    format_seller,
    format_total,
)
from shared.conversation.texts.parts import (
    choose_is_or_are,
    format_order_deadline,
    pluralize_number,
)
from shared.core.enums import OrderStatus

# ── time ──────────────────────────────────────────────────────────────────────────────────────────


def build_more_time_answer(order: OrderFacts, *, now: datetime) -> str:
    """Return until when numbers are held, what stops the clock, and who can give more time."""
    if not order.has_clock:
        return describe_settled(order)
    held = build_held_sentence(order, now=now)
    longer = f"The seller can give more time{add_contact(order.raffle.seller_contact)}."
    if order.status is OrderStatus.DRAFT and not order.is_free:
        pay = _format_minutes(order.raffle.hold_minutes)
        return f"{held} Once you confirm, you have {pay} to pay. {longer}"
    if order.is_free:
        return f"{held} {longer}"
    return f"{held} A receipt stops the clock. {longer}"


def build_more_time_rule(raffle: RaffleFacts | None, *, seller: str) -> str:
    """Return how long numbers are held."""
    span = " for a while" if raffle is None else f" for {_format_minutes(raffle.hold_minutes)}"
    again = "" if raffle is not None and raffle.is_free else ", and as long again for the payment"
    stops = "" if raffle is not None and raffle.is_free else " A receipt stops the clock."
    return (
        f"I hold the numbers you choose{span}{again}.{stops} The seller can give more "
        f"time{add_contact(seller)}."
    )


def build_several_clocks_rule(*, seller: str) -> str:
    """Return what is true of the deadlines of several orders."""
    return f"A receipt stops the clock. The seller can give more time{add_contact(seller)}."


def build_late_answer(order: OrderFacts, *, now: datetime) -> str:
    """Return the deadline of an order, and what happens after it."""
    if not order.has_clock:
        return describe_settled(order)
    many = len(order.numbers) != 1
    free = f"your {pluralize_number(len(order.numbers))} {choose_is_or_are(order)} free for others"
    until = format_order_deadline(order, now=now)
    if order.status is OrderStatus.DRAFT or order.is_free:
        return f"You have until {until} to confirm. After that {free}, and you owe nothing."
    back = "them back if they are" if many else "it back if it is"
    return (
        f"You have until {until} to send the receipt. After that {free}, and you owe nothing. A "
        f"late receipt is checked all the same: you get {back} still free."
    )


def build_late_rule(raffle: RaffleFacts | None) -> str:
    """Return what happens to numbers that are not paid, or not confirmed, in time."""
    if raffle is not None and raffle.is_free:
        return "Numbers that you do not confirm in time are free for others again."
    return (
        "Numbers that are not paid in time are free again, and nothing is owed. A late receipt is "
        "checked all the same: you get them back if they are still free."
    )


def _format_minutes(minutes: int) -> str:
    """Return a length of time: "30 minutes", "2 hours", "3 days"."""
    for size, unit in ((24 * 60, "day"), (60, "hour")):
        if minutes % size == 0:
            count = minutes // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


# ── changing and cancelling ───────────────────────────────────────────────────────────────────────


def build_change_answer(order: OrderFacts) -> str:
    """Return how the numbers of an order can be changed."""
    if not order.is_live and order.status is not OrderStatus.PAID:
        return describe_over(order)
    if order.has_lapsed or order.raffle.is_called_off:
        return describe_over(order)
    if order.raffle.draw_time_reached:
        return f"The time of the draw has come: the numbers of order *{order.code}* are final."
    if order.status is OrderStatus.DRAFT:
        return f"Yes: write what to change, e.g. *{_build_change_example(order)}*."
    if order.status is OrderStatus.PAID or order.under_review:
        what = describe_paid(order) if order.status is OrderStatus.PAID else "being checked"
        seller = add_contact(order.raffle.seller_contact)
        return f"Order *{order.code}* is {what}, so only the seller can change it{seller}."
    return (
        "Write *CANCEL* and choose again, as long as you have not paid. Or ask the seller: "
        f"{format_seller(order)}."
    )


def _build_change_example(order: OrderFacts) -> str:
    raffle = order.raffle
    own = raffle.format_ticket_number(min(order.numbers, default=raffle.first_number))
    others = [number for number in raffle.example_numbers if number not in order.numbers]
    if not others:
        return f"not {own}"
    return f"{raffle.format_ticket_number(others[0])} instead of {own}"


def build_change_rule(*, seller: str) -> str:
    """Return when numbers can be changed."""
    return (
        "Held numbers you can change here. Once ordered, *CANCEL* and choose again; once paid, "
        f"ask the seller{add_contact(seller)}."
    )


def build_can_cancel_answer(order: OrderFacts) -> str:
    """Return whether and how an order can be cancelled; nothing is cancelled by it."""
    if not order.is_live and order.status is not OrderStatus.PAID:
        return f"{describe_over(order)} There is nothing to cancel."
    if order.has_lapsed or order.raffle.is_called_off:
        return describe_over(order)
    if order.status is OrderStatus.PAID:
        what = describe_paid(order)
        if order.raffle.draw_time_reached:
            return (
                f"Order *{order.code}* is {what}, and the time of the draw has come: it is final."
            )
        return (
            f"Order *{order.code}* is {what}, so I cannot cancel it. Until the draw the seller "
            f"can: {format_seller(order)}."
        )
    if order.under_review:
        if order.is_free:
            return "Yes: write *CANCEL*. It costs nothing."
        return (
            f"Yes: write *CANCEL*. Your payment for order *{order.code}* is being checked; the "
            f"seller sends it back: {format_seller(order)}."
        )
    many = len(order.numbers) != 1
    return (
        f"Yes: write *CANCEL*. It costs nothing, and your {pluralize_number(len(order.numbers))} "
        f"{'are' if many else 'is'} free for others again."
    )


def build_can_cancel_rule(*, seller: str) -> str:
    """Return when an order can be cancelled."""
    return (
        "Until you pay, you can give numbers back with *CANCEL*, at no cost. A paid order only "
        f"the seller can cancel{add_contact(seller)}."
    )


# ── later ─────────────────────────────────────────────────────────────────────────────────────────


def build_later_answer(order: OrderFacts, *, now: datetime) -> str:
    """Return a kind line that says what is open, and until when."""
    if order.asked_again:
        return f"All right. Order *{order.code}* needs one more photo or PDF of the receipt."
    if not order.has_clock:
        return "All right. I will write here once your order is checked."
    if order.status is OrderStatus.DRAFT or order.is_free:
        return f"Take your time. {build_held_sentence(order, now=now)}"
    until = format_order_deadline(order, now=now)
    return f"All right. Order *{order.code}* waits for {format_total(order)} until {until}."


def build_nothing_open_note() -> str:
    """Return the kind line for a buyer with nothing open."""
    return "All right, no hurry: write *hi* whenever you like."
