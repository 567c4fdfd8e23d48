"""Buttons and phrases that several texts use."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, assert_never

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.facts.values import OrderFacts, RaffleFacts
from shared.conversation.formatting import (
    MAX_LONG_TICKET_LIST_CHARACTERS,
    MAX_TICKET_LIST_CHARACTERS,
    format_day_and_time,
    format_deadline,
    format_money,
    format_near_time,
    format_ticket_numbers,
    is_in_other_year,
)
from shared.conversation.values import Reply
from shared.core.enums import OrderStatus
from shared.raffles import receipt_lines
from shared.whatsapp.messages import (
    BUTTONS_BODY_LIMIT,
    LIST_BODY_LIMIT,
    MAX_BUTTONS,
    MAX_ROWS,
    ListRow,
    ReplyButton,
    measure_length,
)

MENU_BUTTON: Final = ReplyButton(build_button_id(ButtonAction.MENU), "Menu")
MY_TICKETS_BUTTON: Final = ReplyButton(build_button_id(ButtonAction.MINE), "My tickets")
WHO_WON_BUTTON: Final = ReplyButton(build_button_id(ButtonAction.RESULTS), "Who won")
PERSON_BUTTON: Final = ReplyButton(build_button_id(ButtonAction.PERSON), "Talk to a person")
BUY_MORE_BUTTON: Final = ReplyButton(build_button_id(ButtonAction.MENU), "Buy more")


MAX_FEW_NUMBERS_CHARACTERS: Final = 120
"""Most characters of an order's ticket numbers where several orders stand in one message."""


def format_order_deadline(order: OrderFacts, *, now: datetime) -> str:
    """Return an order's deadline with the time left, or a phrase for an order without one."""
    if order.expires_at is None:
        return "it is checked"
    return format_deadline(order.expires_at, now=now, time_zone=order.raffle.time_zone)


def format_order_deadline_for_notice(order: OrderFacts, *, now: datetime) -> str:
    """Return an order's deadline without the time left: a notice may be read much later."""
    if order.expires_at is None:
        return "it is checked"
    return format_near_time(order.expires_at, now=now, time_zone=order.raffle.time_zone)


def format_order_numbers(order: OrderFacts, *, limit: int = MAX_TICKET_LIST_CHARACTERS) -> str:
    """Return an order's ticket numbers; a list that is cut leads to My tickets, which has all."""
    hint = " (see My tickets)" if order.holds_numbers else ""
    return format_ticket_numbers(order.numbers, width=order.raffle.width, limit=limit, hint=hint)


def format_few_order_numbers(order: OrderFacts) -> str:
    """Return an order's ticket numbers for a message about several orders."""
    return format_order_numbers(order, limit=MAX_FEW_NUMBERS_CHARACTERS)


def format_all_order_numbers(order: OrderFacts) -> str:
    """Return an order's ticket numbers for a message without buttons, which has room for more."""
    return format_order_numbers(order, limit=MAX_LONG_TICKET_LIST_CHARACTERS)


def format_draw_time(raffle: RaffleFacts) -> str:
    """Return the time of a raffle's draw, with the year if it is not this one; empty without."""
    if raffle.draw_at is None:
        return ""
    return format_day_and_time(
        raffle.draw_at, time_zone=raffle.time_zone, has_year=raffle.draw_in_other_year
    )


def format_moment(at: datetime, raffle: RaffleFacts, *, now: datetime) -> str:
    """Return a time as a raffle's buyers read it, with the year if it is not this one."""
    has_year = is_in_other_year(at, now=now, time_zone=raffle.time_zone)
    return format_day_and_time(at, time_zone=raffle.time_zone, has_year=has_year)


def format_receipt(order: OrderFacts) -> str:
    """Return the entry of a paid order in the receipt chain, "Entry 57 · 9f3a 12c8"; or nothing.

    Source: `draw.md` of the method, "Receipt chain": eight hex digits in two groups.
    """
    if order.receipt_entry is None:
        return ""
    return f"Entry {order.receipt_entry} · {receipt_lines.format_head(order.receipt_head)}"


def build_draw_date_sentence(order: OrderFacts) -> str:
    """Return " Draw: Sat 12 Dec, 20:00.", or an empty text without a draw date."""
    if order.raffle.draw_at is not None:
        return f" Draw: {format_draw_time(order.raffle)}."
    return " Draw: when all numbers are sold." if order.raffle.draw_when_sold_out else ""


def build_note_sentence(note: str, *, label: str = "") -> str:
    """Return a person's note as a sentence of its own after a blank; empty without a note."""
    words = note.strip()
    if not words:
        return ""
    return f" {label}{words}" if words[-1] in ".!?…" else f" {label}{words}."


def build_money_back_sentence(order: OrderFacts) -> str:
    """Return who checks the payment of an ended order and sends the money back; may be empty."""
    if order.is_free:
        return ""
    seller, money = order.raffle.seller_contact, format_money(order.total, order.currency)
    if order.has_receipt:
        return f" You sent a receipt: {seller} will check it and send your {money} back."
    if order.needs_decision:
        return f" {seller} will check your payment and send your {money} back."
    return ""


def build_open_decision_sentence(order: OrderFacts) -> str:
    """Return what becomes of a payment that the seller must decide about; empty without one."""
    if not order.needs_decision:
        return ""
    if order.raffle.is_over:
        return build_money_back_sentence(order)
    seller = order.raffle.seller_contact
    return f" Your payment is not lost: {seller} will decide with you what to do."


def describe_end(order: OrderFacts) -> str:
    """Return why an order is over, without the end of the sentence."""
    raffle = order.raffle
    if raffle.is_called_off:
        return f"*{raffle.title}* was called off"
    match order.status:
        case OrderStatus.CANCELLED:
            return "The order was cancelled"
        case OrderStatus.PAID:
            return "The order is over"
        case _ if raffle.draw_time_reached:
            return "The time of the draw has come"
        case OrderStatus.DRAFT | OrderStatus.PENDING_PAYMENT:
            return "The order is over"
        case OrderStatus.EXPIRED:
            return "Its time is over"
        case _:
            assert_never(order.status)


def build_next_button(order: OrderFacts) -> ReplyButton:
    """Return the button that leads on after the end of an order."""
    if order.raffle.is_over:
        return MENU_BUTTON
    return ReplyButton(build_button_id(ButtonAction.RAFFLE, order.raffle.id), "Choose again")


def choose_buttons(body: str, *buttons: ReplyButton) -> tuple[ReplyButton, ...]:
    """Return the buttons, or none if the text is too long for a message with buttons."""
    return buttons if measure_length(body) <= BUTTONS_BODY_LIMIT else ()


def add_choice(reply: Reply, button: ReplyButton) -> Reply:
    """Return a reply with one more choice, or as it is if it has no room for it.

    A fourth button takes the place of "My tickets", which works as a word, too. Without that one,
    and with a text that is too long for buttons, all of them become the rows of a list.
    """
    if reply.rows:
        row = ListRow(button.id, button.title)
        return replace(reply, rows=(*reply.rows, row)) if len(reply.rows) < MAX_ROWS else reply
    choices = (*reply.buttons, button)
    is_short = measure_length(reply.body) <= BUTTONS_BODY_LIMIT
    if is_short and len(choices) > MAX_BUTTONS:
        choices = tuple(each for each in choices if each != MY_TICKETS_BUTTON)
    if is_short and len(choices) <= MAX_BUTTONS:
        return replace(reply, buttons=choices)
    rows = tuple(ListRow(each.id, each.title) for each in choices)
    return replace(reply, buttons=(), rows=rows, list_button="Choose")


def offer_person(reply: Reply) -> Reply:
    """Return a reply with the button to talk to a person, as long as nothing needed gives way.

    Of three buttons, "My tickets" or "Menu" makes room, because both work as words.
    """
    if reply.rows:
        return add_choice(reply, PERSON_BUTTON)
    kept = list(reply.buttons)
    for spare in (MY_TICKETS_BUTTON, MENU_BUTTON):
        if len(kept) >= MAX_BUTTONS and spare in kept:
            kept.remove(spare)
    if len(kept) >= MAX_BUTTONS:
        return reply
    return replace(reply, buttons=(*kept, PERSON_BUTTON))


def build_long_reply(
    key: str, body: str, buttons: Sequence[ReplyButton], *, list_button: str = "More"
) -> Reply:
    """Return a reply with buttons, or with the same as rows of a list, which has more room."""
    if measure_length(body) <= BUTTONS_BODY_LIMIT and len(buttons) <= MAX_BUTTONS:
        return Reply(key, body, buttons=tuple(buttons))
    rows = tuple(ListRow(button.id, button.title) for button in buttons)
    return Reply(key, body, rows=rows, list_button=list_button)


def describe_payment(order: OrderFacts, *, now: datetime) -> str:
    """Return how to pay an order, until when, and that a receipt is wanted; free: that it waits."""
    if order.is_free:
        return (
            f"Order *{order.code}* is free, there is nothing to pay. "
            f"{order.raffle.seller_contact} will confirm it."
        )
    owed = format_money(order.total, order.currency)
    return (
        f"Order *{order.code}* · please pay {owed} by {format_order_deadline(order, now=now)}\n"
        f"{order.raffle.payment_instructions.strip()}\n"
        f"Write {order.code} as the reference.\n"
        "Then send a photo or PDF of the receipt here."
    )


def choose_page_rows(
    rows: Sequence[ListRow],
    *,
    page: int,
    build_page_id: Callable[[int], str],
    room: int = MAX_ROWS,
) -> tuple[ListRow, ...]:
    """Return the rows of one page about orders; if there are more, a last row turns the page.

    Args:
        rows: the rows of all orders.
        page: the page from 0; after the last page comes the first again.
        build_page_id: returns the id of the row that leads to a page.
        room: the rows that a page has room for.

    """
    if len(rows) <= room:
        return tuple(rows)
    on_page = room - 1
    pages = -(-len(rows) // on_page)
    place = page % pages
    turn = ListRow(
        build_page_id((place + 1) % pages), "More orders …", f"This is {place + 1} of {pages}"
    )
    return (*rows[place * on_page : (place + 1) * on_page], turn)


def join_lines(
    lines: Sequence[str],
    *,
    more: Callable[[int], str],
    end: Sequence[str] = (),
    limit: int = LIST_BODY_LIMIT,
) -> str:
    """Return lines as a text within a limit; those that do not fit are left out.

    Args:
        lines: the lines.
        more: returns the line that stands for as many lines as were left out.
        end: lines that stand at the end in any case.
        limit: the most characters.

    """
    for left_out in range(len(lines)):
        shown = lines[: len(lines) - left_out]
        parts = [*shown, more(left_out)] if left_out else shown
        text = "\n".join([*parts, *end]).strip()
        if measure_length(text) <= limit:
            return text
    return "\n".join([more(len(lines)), *end]).strip()


def build_stay_yours_phrase(order: OrderFacts) -> str:
    """Return "Your numbers *…* stay yours", without the end of the sentence."""
    many = len(order.numbers) != 1
    return f"Your {'numbers' if many else 'number'} *{format_order_numbers(order)}* " + (
        "stay yours" if many else "stays yours"
    )


def choose_is_or_are(order: OrderFacts) -> str:
    """Return "is" or "are", depending on how many numbers an order has."""
    return "is" if len(order.numbers) == 1 else "are"


def build_numbers_are(order: OrderFacts, *, whose: str = "its") -> str:
    """Return "its numbers are" or "its number is", depending on how many an order has."""
    return f"{whose} {pluralize_number(len(order.numbers))} {choose_is_or_are(order)}"


def pluralize_number(quantity: int) -> str:
    """Return "number" or "numbers", depending on the quantity."""
    return "number" if quantity == 1 else "numbers"
