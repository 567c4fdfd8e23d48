"""The list of a buyer's orders with all their ticket numbers, in pages of Meta's size."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, assert_never

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.facts.values import OrderFacts
from shared.conversation.formatting import (
    format_money,
    format_run,
    format_ticket_numbers,
    split_into_runs,
)
from shared.conversation.texts.draws import build_due_draw_sentence
from shared.conversation.texts.parts import (
    BUY_MORE_BUTTON,
    MENU_BUTTON,
    build_draw_date_sentence,
    build_open_decision_sentence,
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

_RECENTLY: Final = timedelta(days=1)
"""Time for which an order that ran out unpaid is still listed: its buyer may have paid."""

_MAX_UNCOUNTED_NUMBERS: Final = 12
"""Numbers that a reader counts at a glance; of an order with more, their count is said."""

_MIN_NUMBERS_ON_A_PAGE: Final = 600
"""Characters of ticket numbers for which an order begins on a page that is not empty."""

_SEPARATOR: Final = " · "
_GAP: Final = "\n\n"


def build_my_tickets_message(
    orders: Sequence[OrderFacts], *, now: datetime, page: int = 0
) -> Reply:
    """Return one page of a buyer's orders: live ones, paid ones, then ended ones.

    Of each kind the newest is first. An order that ended is listed only if money for it may be
    under way.

    What fits a message with buttons has buttons. A longer list is the body of a list message, which
    has room for four times as much, and one of its rows turns the page.

    Args:
        orders: the buyer's orders.
        now: the current time.
        page: the page from 0; after the last page comes the first again.

    """
    listed = sorted(
        (order for order in orders if _is_listed(order, now=now)),
        key=lambda order: (_rank(order), -order.id),
    )
    if not listed:
        body = "You have no numbers at the moment."
        return Reply("my_tickets", body, buttons=(MENU_BUTTON,))
    pages = _build_pages(listed, now=now)
    buttons = _build_ticket_buttons(listed, now=now)
    if len(pages) == 1 and measure_length(pages[0]) <= BUTTONS_BODY_LIMIT:
        return Reply("my_tickets", pages[0], buttons=buttons)
    place = page % len(pages)
    rows = [ListRow(button.id, button.title) for button in buttons]
    if len(pages) > 1:
        turn = build_button_id(ButtonAction.MINE, (place + 1) % len(pages))
        rows.insert(0, ListRow(turn, "Next page", f"This is {place + 1} of {len(pages)}"))
    return Reply("my_tickets", pages[place], rows=tuple(rows), list_button="More")


def _is_listed(order: OrderFacts, *, now: datetime) -> bool:
    """Whether an order is listed; an ended one only if money for it may be under way."""
    if not _has_ended(order) or order.needs_decision or order.has_receipt:
        return True
    ran_out = order.status is OrderStatus.EXPIRED and order.was_placed and not order.is_free
    return ran_out and order.expires_at is not None and order.expires_at > now - _RECENTLY


def _has_ended(order: OrderFacts) -> bool:
    return order.status in {OrderStatus.CANCELLED, OrderStatus.EXPIRED}


def _rank(order: OrderFacts) -> int:
    """Return the place of an order: what its buyer may have to do, what they own, and the rest."""
    if order.is_live and not order.has_lapsed:
        return 0
    return 2 if _has_ended(order) else 1


def _build_pages(orders: Sequence[OrderFacts], *, now: datetime) -> list[str]:
    """Return the orders as texts of at most Meta's size, each order with all its numbers."""
    pages = [""]
    for order in orders:
        head, status = _build_head(order), _describe_order_status(order, now=now)
        runs = [format_run(run, width=order.raffle.width) for run in split_into_runs(order.numbers)]
        numbers = format_ticket_numbers(
            order.numbers, width=order.raffle.width, limit=LIST_BODY_LIMIT
        )
        around = measure_length(f"{_GAP}{head}\n\n{status}")
        while True:
            room = LIST_BODY_LIMIT - measure_length(pages[-1]) - around
            if len(numbers) > room and pages[-1] and room < _MIN_NUMBERS_ON_A_PAGE:
                pages.append("")
                continue
            shown, runs = (numbers, []) if len(numbers) <= room else _fill_line(runs, room=room)
            gap = _GAP if pages[-1] else ""
            pages[-1] += f"{gap}{head}\n{shown}\n{status}"
            if not runs:
                break
            numbers = _SEPARATOR.join(runs)
            pages.append("")
    return pages


def _build_head(order: OrderFacts) -> str:
    count = len(order.numbers)
    counted = f" · {count} numbers" if count > _MAX_UNCOUNTED_NUMBERS else ""
    return f"*{order.raffle.title}* · {order.code}{counted}"


def _fill_line(runs: Sequence[str], *, room: int) -> tuple[str, list[str]]:
    """Return as many runs as fit into a line, as that line, and the other runs."""
    line = ""
    for place, run in enumerate(runs):
        longer = f"{line}{_SEPARATOR}{run}" if line else run
        if line and len(longer) > room:
            return line, list(runs[place:])
        line = longer
    return line, []


def _describe_order_status(order: OrderFacts, *, now: datetime) -> str:
    if order.raffle.is_called_off or order.has_lapsed:
        return _describe_over(order)
    match order.status:
        case OrderStatus.PAID:
            yours = "Yours." if order.is_free else "Paid and yours."
            return f"{yours}{_describe_draw(order)}{_build_receipt_line(order)}"
        case OrderStatus.DRAFT:
            return f"Held until {format_order_deadline(order, now=now)}, not confirmed yet."
        case OrderStatus.PENDING_PAYMENT:
            return _describe_open_payment(order, now=now)
        case OrderStatus.EXPIRED if order.raffle.draw_time_reached:
            return _describe_over(order)
        case OrderStatus.EXPIRED:
            return f"The time to pay ran out.{build_open_decision_sentence(order)}"
        case OrderStatus.CANCELLED:
            return f"Cancelled.{build_open_decision_sentence(order)}"
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
        return f"The time of the draw has come, so it is over.{build_open_decision_sentence(order)}"
    end = "The raffle was called off."
    if order.status is OrderStatus.PAID and not order.is_free:
        money = format_money(order.total, order.currency)
        return f"{end} {order.raffle.seller_contact} will send your {money} back."
    return f"{end}{build_open_decision_sentence(order)}"


def _build_ticket_buttons(
    orders: Sequence[OrderFacts], *, now: datetime
) -> tuple[ReplyButton, ...]:
    for order in orders:
        if order.can_be_confirmed(now):
            confirm = ReplyButton(
                build_button_id(ButtonAction.CONFIRM, order.id), f"Confirm {order.code}"
            )
            return (
                confirm,
                ReplyButton(build_button_id(ButtonAction.CANCEL, order.id), "Cancel it"),
                MENU_BUTTON,
            )
        if order.wants_payment and not order.is_free and not order.has_lapsed:
            return (
                ReplyButton(build_button_id(ButtonAction.PAY, order.id), f"Pay {order.code}"),
                MENU_BUTTON,
            )
    return (BUY_MORE_BUTTON,)
