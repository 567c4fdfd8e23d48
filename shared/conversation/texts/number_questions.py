"""Questions about numbers that can be meant in two ways, and about numbers beside a hold."""

from collections.abc import Sequence
from decimal import Decimal

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.facts.values import OrderFacts, RaffleFacts
from shared.conversation.formatting import (
    format_money,
    format_numbers_as_sentence,
    format_ticket_numbers,
)
from shared.conversation.texts.parts import (
    MENU_BUTTON,
    choose_is_or_are,
    format_order_numbers,
    pluralize_number,
)
from shared.conversation.values import Reply
from shared.whatsapp.messages import BUTTON_ID_LIMIT, BUTTON_TITLE_LIMIT, ReplyButton


def build_quantity_or_number_message(
    raffle: RaffleFacts, number: int, *, hold: OrderFacts | None = None
) -> Reply:
    """Return the question whether a number is a quantity or a ticket number.

    Args:
        raffle: the raffle.
        number: the number.
        hold: the buyer's hold, which either answer replaces.

    """
    instead = f" Either replaces *{format_order_numbers(hold)}*." if hold else ""
    return Reply(
        "quantity_or_number",
        f"Do you mean {number} random {pluralize_number(number)}, or the number "
        f"{raffle.format_ticket_number(number)}?{instead}",
        buttons=(
            ReplyButton(
                build_button_id(ButtonAction.QUANTITY, raffle.id, number), f"{number} random"
            ),
            ReplyButton(
                build_button_id(ButtonAction.NUMBERS, raffle.id, number),
                f"Number {raffle.format_ticket_number(number)}",
            ),
            MENU_BUTTON,
        ),
    )


def build_these_numbers_message(raffle: RaffleFacts, numbers: Sequence[int]) -> Reply:
    """Return the question whether these ticket numbers are meant."""
    take = build_button_id(ButtonAction.NUMBERS, raffle.id, *numbers)
    random = ReplyButton(build_button_id(ButtonAction.RANDOM, raffle.id), "Random instead")
    listed = format_ticket_numbers(numbers, width=raffle.width)
    if len(take) > BUTTON_ID_LIMIT:
        body = f"If you mean *{listed}*, please write them as a list with commas."
        return Reply("these_numbers", body, buttons=(MENU_BUTTON, random))
    return Reply(
        "these_numbers",
        f"Do you mean the {pluralize_number(len(numbers))} *{listed}*?",
        buttons=(
            ReplyButton(take, build_taking_title("Take", raffle, numbers)),
            random,
            MENU_BUTTON,
        ),
    )


def build_add_or_replace_message(hold: OrderFacts, numbers: Sequence[int]) -> Reply:
    """Return the question whether numbers are added to a hold or come instead of it.

    The first button adds them, or else keeps the hold, so that a plain yes never replaces it.

    Args:
        hold: the buyer's hold.
        numbers: the numbers; the button that adds them is left out if they would be too many.

    """
    raffle = hold.raffle
    together = sorted({*hold.numbers, *numbers})
    add = build_button_id(ButtonAction.NUMBERS, raffle.id, *together)
    only = build_button_id(ButtonAction.NUMBERS, raffle.id, *numbers)
    buttons = [build_keep_button(hold)]
    if len(only) <= BUTTON_ID_LIMIT:
        buttons.append(ReplyButton(only, build_taking_title("Only", raffle, numbers)))
    if len(together) <= raffle.max_per_order and len(add) <= BUTTON_ID_LIMIT:
        buttons.insert(0, ReplyButton(add, build_taking_title("Add", raffle, numbers)))
    return Reply(
        "add_or_replace",
        f"*{format_order_numbers(hold)}* {choose_is_or_are(hold)} held for you. What about "
        f"*{format_ticket_numbers(numbers, width=raffle.width)}*?",
        buttons=tuple(buttons),
        about=hold.code,
    )


def build_replace_hold_message(hold: OrderFacts, quantity: int) -> Reply:
    """Return the question whether random numbers come instead of a hold."""
    tap_id = build_button_id(ButtonAction.QUANTITY, hold.raffle.id, quantity)
    return Reply(
        "replace_hold",
        f"*{format_order_numbers(hold)}* {choose_is_or_are(hold)} held for you. Would you like "
        f"{quantity} random {pluralize_number(quantity)} instead?",
        buttons=(ReplyButton(tap_id, f"{quantity} random"), build_keep_button(hold)),
        about=hold.code,
    )


def build_which_more_message(hold: OrderFacts) -> Reply:
    """Return the question which numbers come beside those that are held."""
    raffle = hold.raffle
    free = [n for n in raffle.example_numbers if n not in hold.numbers][:5]
    hint = (
        f" Free, for example: {format_numbers_as_sentence(free, width=raffle.width)}."
        if free
        else ""
    )
    return Reply(
        "which_more",
        f"Which numbers would you like besides *{format_order_numbers(hold)}*? "
        f"Write them like this: *add {raffle.format_ticket_number(raffle.last_number)}*.{hint}",
        buttons=(build_keep_button(hold),),
        about=hold.code,
    )


def build_random_surely_message(
    raffle: RaffleFacts, quantity: int, *, hold: OrderFacts | None = None
) -> Reply:
    """Return the question whether so many random numbers are meant.

    Args:
        raffle: the raffle.
        quantity: how many.
        hold: the buyer's hold, which they would replace.

    """
    if hold is not None:
        return build_replace_hold_message(hold, quantity)
    tap_id = build_button_id(ButtonAction.QUANTITY, raffle.id, quantity)
    pick = ReplyButton(build_button_id(ButtonAction.PICK, raffle.id), "Pick my numbers")
    return Reply(
        "random_surely",
        f"Just to be sure: would you like {quantity} random {pluralize_number(quantity)}?",
        buttons=(ReplyButton(tap_id, f"{quantity} random"), pick, MENU_BUTTON),
    )


def build_money_message(raffle: RaffleFacts, money: Decimal, quantity: int) -> Reply:
    """Return the question whether so many random numbers are wanted for an amount of money."""
    price = format_money(quantity * raffle.price, raffle.currency)
    tap_id = build_button_id(ButtonAction.QUANTITY, raffle.id, quantity)
    pick = ReplyButton(build_button_id(ButtonAction.PICK, raffle.id), "Pick my numbers")
    is_exact = quantity * raffle.price == money
    about = "" if is_exact else f" A number is {format_money(raffle.price, raffle.currency)}."
    return Reply(
        "money_worth",
        f"{quantity} random {pluralize_number(quantity)} for {price}?{about}",
        buttons=(ReplyButton(tap_id, f"{quantity} random"), pick, MENU_BUTTON),
    )


def build_keep_button(hold: OrderFacts) -> ReplyButton:
    """Return the button that leaves a hold as it is."""
    return ReplyButton(build_button_id(ButtonAction.KEEP, hold.id), "Keep what I have")


def build_taking_title(verb: str, raffle: RaffleFacts, numbers: Sequence[int]) -> str:
    """Return the title of a button that takes numbers: "Take 007 and 013" or "Add these 5"."""
    title = f"{verb} {format_numbers_as_sentence(numbers, width=raffle.width, at_most=3)}"
    return title if len(title) <= BUTTON_TITLE_LIMIT else f"{verb} these {len(numbers)}"
