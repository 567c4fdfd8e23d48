"""Texts about adding to a hold, giving numbers back and swapping them.

A note is put above another reply.
"""

from collections.abc import Collection, Sequence
from typing import Final

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.facts.values import OrderFacts, RaffleFacts
from shared.conversation.formatting import (
    format_count,
    format_numbers_as_sentence,
    format_ticket_numbers,
)
from shared.conversation.texts.number_questions import build_keep_button, build_taking_title
from shared.conversation.texts.parts import (
    BUY_MORE_BUTTON,
    MENU_BUTTON,
    MY_TICKETS_BUTTON,
    choose_is_or_are,
    format_order_numbers,
    pluralize_number,
)
from shared.conversation.values import Reply
from shared.core.enums import OrderStatus
from shared.whatsapp.messages import BUTTON_ID_LIMIT, MAX_ROWS, ListRow, ReplyButton

_GIVE_BACK: Final = "Give back"


def build_already_yours_note(raffle: RaffleFacts, numbers: Collection[int]) -> str:
    """Return the note that the buyer holds these numbers already."""
    verb = "is" if len(numbers) == 1 else "are"
    return f"{format_numbers_as_sentence(numbers, width=raffle.width)} {verb} yours already."


def build_not_yours_note(
    raffle: RaffleFacts, numbers: Collection[int], *, picked: Collection[int] = ()
) -> str:
    """Return the note that numbers are not among those of the buyer.

    Args:
        raffle: the raffle.
        numbers: the numbers.
        picked: the numbers that the buyer asked for, if they are not shown below the note.

    """
    what = "is not one" if len(numbers) == 1 else "are none"
    listed = format_numbers_as_sentence(numbers, width=raffle.width)
    own = f": {format_numbers_as_sentence(picked, width=raffle.width)}" if picked else ""
    return f"{listed} {what} of your numbers{own}."


def build_too_many_note(quantity: int, *, most: int) -> str:
    """Return the note that a hold would have more numbers than one may have."""
    return (
        f"That would be {format_count(quantity)} {pluralize_number(quantity)}. You can take up to "
        f"{format_count(most)}, so nothing has changed."
    )


def build_too_few_note(raffle: RaffleFacts) -> str:
    """Return the note that a hold would have fewer numbers than one must have."""
    least = raffle.min_per_order
    return f"At least {least} {pluralize_number(least)} at a time, so nothing has changed."


def build_give_back_message(hold: OrderFacts, numbers: Sequence[int], *, others: str) -> Reply:
    """Return the question whether to give back only the numbers that are held.

    Args:
        hold: the hold.
        numbers: those of the wanted numbers that it has, but not all that it has.
        others: the note about the numbers that it does not have.

    """
    raffle = hold.raffle
    rest = [number for number in hold.numbers if number not in numbers]
    give_back = build_button_id(ButtonAction.NUMBERS, raffle.id, *rest)
    listed = format_numbers_as_sentence(numbers, width=raffle.width)
    buttons = [build_keep_button(hold)]
    if len(give_back) <= BUTTON_ID_LIMIT:
        title = build_taking_title(_GIVE_BACK, raffle, numbers)
        buttons.insert(0, ReplyButton(give_back, title))
    return Reply(
        "give_back",
        f"{others} Would you like to give back {listed}?",
        buttons=tuple(buttons),
        about=hold.code,
    )


def build_give_back_all_message(hold: OrderFacts) -> Reply:
    """Return the question whether to cancel a hold whose numbers are all given back."""
    are = choose_is_or_are(hold)
    what = "That is your only number" if are == "is" else "Those are all your numbers"
    return Reply(
        "give_back_all",
        f"{what}: *{format_order_numbers(hold)}*. Would you like to cancel?",
        buttons=(
            ReplyButton(build_button_id(ButtonAction.CANCEL_SURELY, hold.id), "Yes, cancel"),
            ReplyButton(build_button_id(ButtonAction.OTHERS, hold.id), "Other numbers"),
            build_keep_button(hold),
        ),
        about=hold.code,
    )


def build_drop_which_message(hold: OrderFacts) -> Reply:
    """Return the question which number to give back: a list of ten at most, else words."""
    raffle = hold.raffle
    if len(hold.numbers) > MAX_ROWS:
        example = raffle.format_ticket_number(hold.numbers[0])
        return Reply(
            "drop_which",
            f"*{format_order_numbers(hold)}* are held for you. Which number would you like to "
            f"give back? Write for example: *drop {example}*",
            buttons=(build_keep_button(hold),),
            about=hold.code,
        )
    rows = tuple(
        ListRow(
            build_button_id(
                ButtonAction.NUMBERS, raffle.id, *(n for n in hold.numbers if n != number)
            ),
            f"{_GIVE_BACK} {raffle.format_ticket_number(number)}",
        )
        for number in hold.numbers
    )
    return Reply(
        "drop_which",
        "Which number would you like to give back?",
        rows=rows,
        list_button="Numbers",
        about=hold.code,
    )


def build_numbers_fixed_message(order: OrderFacts, *, more: Sequence[int] = ()) -> Reply:
    """Return the message that the numbers of an order cannot be changed, and what is possible.

    Args:
        order: the order, which is placed.
        more: further numbers that the buyer wants and may take with another order.

    """
    raffle = order.raffle
    body = (
        f"The {pluralize_number(len(order.numbers))} of order *{order.code}* cannot be changed "
        "here: "
        f"*{format_ticket_numbers(order.numbers, width=raffle.width)}*."
    )
    if order.wants_payment:
        cancel = ReplyButton(build_button_id(ButtonAction.CANCEL, order.id), "Cancel order")
        pay = ReplyButton(build_button_id(ButtonAction.PAY, order.id), "How to pay")
        return Reply(
            "numbers_fixed",
            f"{body} To have others, cancel it and choose again.",
            buttons=(cancel, MENU_BUTTON) if order.is_free else (pay, cancel, MENU_BUTTON),
            about=order.code,
        )
    why = "It is being checked"
    if order.status is OrderStatus.PAID:
        why = "It is complete" if order.is_free else "It is paid"
    buttons = [BUY_MORE_BUTTON, MY_TICKETS_BUTTON]
    take = build_button_id(ButtonAction.NUMBERS, raffle.id, *more)
    if more and len(take) <= BUTTON_ID_LIMIT:
        buttons.insert(0, ReplyButton(take, build_taking_title("Take", raffle, more)))
    return Reply(
        "numbers_fixed",
        f"{body} {why}: please ask {raffle.seller_contact}.",
        buttons=tuple(buttons),
        about=order.code,
    )
