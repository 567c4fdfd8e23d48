"""The list of a buyer's orders with all their ticket numbers, in pages of Meta's size."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import batched
from typing import Final, assert_never

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.facts.values import OrderFacts
from shared.conversation.formatting import format_money, format_ticket_numbers
from shared.conversation.texts.draws import build_due_draw_sentence
from shared.conversation.texts.parts import (
    BUY_MORE_BUTTON,
    MENU_BUTTON,
    build_draw_date_sentence,
    build_money_back_sentence,
    format_order_deadline,
    format_receipt,
)
from shared.conversation.values import Reply
from shared.core.enums import OrderStatus
from shared.whatsapp.messages import (
    BUTTONS_BODY_LIMIT,
    LIST_BODY_LIMIT,
    ListRow,
    ReplyButton,
    measure_length,
)

_NUMBERS_LIMIT: Final = 2_000
"""Most characters of an order's ticket numbers that stay together on a page."""

_SEPARATOR: Final = " · "
_GAP: Final = "\n\n"


def build_my_tickets_message(
    orders: Sequence[OrderFacts], *, now: datetime, page: int = 0
) -> Reply:
    """Return one page of a buyer's orders: first those that are live or paid, newest first.

    What fits a message with buttons has buttons. A longer list is the body of a list message, which
    has room for four times as much, and one of its rows turns the page.

    Args:
        orders: the buyer's orders.
        now: the current time.
        page: the page from 0; after the last page comes the first again.

    """
    if not orders:
        return Reply("my_tickets", "You have no numbers yet.", buttons=(MENU_BUTTON,))
    ordered = sorted(orders, key=lambda order: (_has_ended(order), -order.id))
    blocks = [block for order in ordered for block in _build_blocks(order, now=now)]
    body = _GAP.join(blocks)
    buttons = _build_ticket_buttons(ordered)
    if measure_length(body) <= BUTTONS_BODY_LIMIT:
        return Reply("my_tickets", body, buttons=buttons)
    pages = list(_split_into_pages(blocks))
    place = page % len(pages)
    rows = [ListRow(button.id, button.title) for button in buttons]
    if len(pages) > 1:
        turn = build_button_id(ButtonAction.MINE, (place + 1) % len(pages))
        rows.insert(0, ListRow(turn, "Next page", f"This is {place + 1} of {len(pages)}"))
    return Reply("my_tickets", pages[place], rows=tuple(rows), list_button="More")


def _has_ended(order: OrderFacts) -> bool:
    return order.status in {OrderStatus.CANCELLED, OrderStatus.EXPIRED}


def _build_blocks(order: OrderFacts, *, now: datetime) -> Iterator[str]:
    """Yield an order with its numbers, in several parts if they are many."""
    head = f"*{order.raffle.title}* · {order.code}"
    status = _describe_order_status(order, now=now)
    per_block = _NUMBERS_LIMIT // (order.raffle.width + len(_SEPARATOR))
    for numbers in batched(order.numbers, per_block) if order.numbers else [()]:
        listed = format_ticket_numbers(
            numbers, width=order.raffle.width, separator=_SEPARATOR, limit=_NUMBERS_LIMIT
        )
        yield f"{head}\n{listed}\n{status}"


def _split_into_pages(blocks: Sequence[str]) -> Iterator[str]:
    page = blocks[0]
    for block in blocks[1:]:
        if measure_length(page) + len(_GAP) + measure_length(block) > LIST_BODY_LIMIT:
            yield page
            page = block
        else:
            page = f"{page}{_GAP}{block}"
    yield page


def _describe_order_status(order: OrderFacts, *, now: datetime) -> str:
    if order.raffle.is_called_off or order.has_lapsed:
        return _describe_over(order)
    match order.status:
        case OrderStatus.PAID:
            yours = "Yours." if order.is_free else "Paid: yours."
            return f"{yours}{_describe_draw(order)}{_build_receipt_line(order)}"
        case OrderStatus.DRAFT:
            return f"Held until {format_order_deadline(order, now=now)}, not confirmed yet."
        case OrderStatus.PENDING_PAYMENT:
            return _describe_open_payment(order, now=now)
        case OrderStatus.EXPIRED if order.raffle.draw_time_reached:
            return _describe_over(order)
        case OrderStatus.EXPIRED:
            return f"The time to pay ran out.{_describe_open_decision(order)}"
        case OrderStatus.CANCELLED:
            return f"Cancelled.{_describe_open_decision(order)}"
        case _:
            assert_never(order.status)


def _describe_draw(order: OrderFacts) -> str:
    if order.raffle.is_drawn:
        return " It has been drawn: write *who won*."
    if order.raffle.is_sealed:
        return f" The list is sealed. {build_due_draw_sentence(order.raffle)}"
    return build_draw_date_sentence(order)


def _build_receipt_line(order: OrderFacts) -> str:
    receipt = format_receipt(order)
    return f"\n{receipt}" if receipt else ""


def _describe_open_payment(order: OrderFacts, *, now: datetime) -> str:
    if order.asked_again:
        return "One more photo or PDF of the receipt is needed: please send it here."
    if order.under_review:
        return "Being checked." if order.is_free else "Receipt received, being checked."
    if order.is_free:
        return "Free, not confirmed yet."
    owed = format_money(order.total, order.currency)
    return f"To be paid: {owed} by {format_order_deadline(order, now=now)}."


def _describe_over(order: OrderFacts) -> str:
    """Return the end of an order whose raffle is over, and what becomes of the money."""
    if not order.raffle.is_called_off:
        return f"The draw's time has come, so it is over.{_describe_open_decision(order)}"
    end = "The raffle was called off."
    if order.status is OrderStatus.PAID and not order.is_free:
        money = format_money(order.total, order.currency)
        return f"{end} {order.raffle.seller_contact} will send your {money} back."
    return f"{end}{_describe_open_decision(order)}"


def _describe_open_decision(order: OrderFacts) -> str:
    """Return what the seller still has to do about a late payment; empty if nothing."""
    if not order.needs_decision:
        return ""
    if order.raffle.is_over:
        return build_money_back_sentence(order)
    return f" A payment came afterwards: {order.raffle.seller_contact} will decide with you."


def _build_ticket_buttons(orders: Sequence[OrderFacts]) -> tuple[ReplyButton, ...]:
    for order in orders:
        if order.has_lapsed:
            continue
        if order.status is OrderStatus.DRAFT:
            confirm = ReplyButton(
                build_button_id(ButtonAction.CONFIRM, order.id), f"Confirm {order.code}"
            )
            return (
                confirm,
                ReplyButton(build_button_id(ButtonAction.CANCEL, order.id), "Cancel it"),
                MENU_BUTTON,
            )
        if order.wants_payment and not order.is_free:
            return (
                ReplyButton(build_button_id(ButtonAction.PAY, order.id), f"Pay {order.code}"),
                MENU_BUTTON,
            )
    return (BUY_MORE_BUTTON,)
