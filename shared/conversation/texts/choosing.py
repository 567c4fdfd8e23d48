"""Texts that ask for a quantity or for ticket numbers, and say why some cannot be held."""

from collections.abc import Sequence
from datetime import datetime

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.facts.values import OrderFacts, RaffleFacts
from shared.conversation.formatting import (
    format_count,
    format_near_time,
    format_numbers_as_sentence,
    format_time_left,
)
from shared.conversation.texts.parts import (
    MENU_BUTTON,
    MY_TICKETS_BUTTON,
    pluralize_number,
)
from shared.conversation.values import Reply
from shared.whatsapp.messages import ReplyButton


def build_ask_quantity_message(raffle: RaffleFacts, *, note: str = "") -> Reply:
    """Return the question how many random numbers the buyer wants."""
    most = raffle.max_quantity
    least = raffle.min_per_order
    choices = [n for n in (1, 3, 5, 10, 20) if least <= n <= most][:3] or [least]
    span = f"{least} to {most}" if most > least else f"{least}"
    return Reply(
        "ask_quantity",
        f"How many numbers? {span}.",
        buttons=tuple(
            ReplyButton(build_button_id(ButtonAction.QUANTITY, raffle.id, n), str(n))
            for n in choices
        ),
    ).with_note_before(note)


def build_ask_numbers_message(raffle: RaffleFacts, *, note: str = "") -> Reply:
    """Return the question which ticket numbers the buyer wants, with examples."""
    free = [raffle.format_ticket_number(number) for number in raffle.example_numbers[:5]]
    hint = f"\nStill free, for example: {', '.join(free)}." if free else ""
    return Reply(
        "ask_numbers",
        f"Which numbers would you like, from {_format_number_range(raffle)}? "
        f"Write them like this: {_build_input_example(raffle)}{hint}",
        buttons=(
            ReplyButton(build_button_id(ButtonAction.RANDOM, raffle.id), "Random instead"),
            MENU_BUTTON,
        ),
    ).with_note_before(note)


def _format_number_range(raffle: RaffleFacts) -> str:
    first = raffle.format_ticket_number(raffle.first_number)
    last = raffle.format_ticket_number(raffle.last_number)
    return f"{first} to {last}"


def _build_input_example(raffle: RaffleFacts) -> str:
    if raffle.number_count < 21:  # noqa: PLR2004 - the longer example names numbers up to 20
        return raffle.format_ticket_number(raffle.first_number)
    single, first, last = map(raffle.format_ticket_number, (7, 13, 15))
    return f"{single}, {first}-{last}"


def build_quantity_out_of_bounds_note(raffle: RaffleFacts, *, quantity: int) -> str:
    """Return the note for a quantity below the minimum or above the maximum."""
    if quantity < raffle.min_per_order:
        least = raffle.min_per_order
        return f"At least {least} {pluralize_number(least)} at a time, please."
    most = raffle.max_quantity
    return (
        f"{format_count(quantity)} is too many: you can take at most {format_count(most)} "
        f"{pluralize_number(most)} now."
    )


def build_too_few_left_message(raffle: RaffleFacts, *, available: int) -> Reply:
    """Return the message that too few numbers are left, or none."""
    if available < raffle.min_per_order or not available:
        return Reply(
            "sold_out",
            f"Sorry, *{raffle.title}* has just sold out.",
            buttons=(MENU_BUTTON, MY_TICKETS_BUTTON),
        )
    most = min(available, raffle.max_per_order)
    return Reply(
        "too_few_left",
        f"Only {format_count(available)} {pluralize_number(available)} left. How many would "
        "you like?",
        buttons=(
            ReplyButton(build_button_id(ButtonAction.QUANTITY, raffle.id, most), f"Take {most}"),
            MENU_BUTTON,
        ),
    )


def build_few_more_left_note(*, available: int) -> str:
    """Return the note that too few numbers are left to add as many as wanted to a hold."""
    if not available:
        return "No other numbers are left, so these stay as they are."
    verb = "is" if available == 1 else "are"
    return f"Only {format_count(available)} more {verb} left, so these stay as they are."


def build_limit_reached_message(raffle: RaffleFacts, *, limit: int, remaining: int) -> Reply:
    """Return the message that a buyer would exceed the limit for one person.

    Args:
        raffle: the raffle.
        limit: the most numbers for one person.
        remaining: how many the buyer may still take.

    """
    rest = f" You can still take {remaining}." if remaining else ""
    buttons: tuple[ReplyButton, ...] = (MY_TICKETS_BUTTON, MENU_BUTTON)
    if remaining >= raffle.min_per_order:
        take = ReplyButton(
            build_button_id(ButtonAction.QUANTITY, raffle.id, remaining), f"{remaining} random"
        )
        buttons = (take, *buttons)
    return Reply(
        "limit_reached",
        f"In *{raffle.title}* one person can have up to {format_count(limit)} "
        f"{pluralize_number(limit)}.{rest}",
        buttons=buttons,
    )


def build_cooling_down_message(raffle: RaffleFacts, *, until: datetime, now: datetime) -> Reply:
    """Return the message that a buyer must wait after holds that ran out unpaid."""
    at = format_near_time(until, now=now, time_zone=raffle.time_zone)
    left = format_time_left(until, now=now)
    return Reply(
        "cooling_down",
        "The time for your last numbers ran out before you paid. You can take numbers again from "
        f"{at}{f' (in {left})' if left else ''}. Questions? {raffle.seller_contact}.",
        buttons=(MY_TICKETS_BUTTON, MENU_BUTTON),
    )


def build_unknown_numbers_note(raffle: RaffleFacts, *, unknown: Sequence[int]) -> str:
    """Return the note for numbers that the raffle does not have."""
    verb = "is not a number" if len(unknown) == 1 else "are not numbers"
    return (
        f"{format_numbers_as_sentence(unknown, width=raffle.width)} {verb} of this raffle: "
        f"its numbers go from {_format_number_range(raffle)}."
    )


def build_held_otherwise_note(order: OrderFacts, *, taken: Sequence[int]) -> str:
    """Return the note that other numbers are held, because some of the wanted ones are taken."""
    width = order.raffle.width
    verb = "is" if len(taken) == 1 else "are"
    held = format_numbers_as_sentence(order.numbers, width=width)
    return f"{format_numbers_as_sentence(taken, width=width)} {verb} taken, so I hold {held}."


def build_numbers_taken_message(
    raffle: RaffleFacts, *, taken: Sequence[int], free: Sequence[int], neighbours: Sequence[int]
) -> Reply:
    """Return the message that some of the chosen numbers are taken.

    Args:
        raffle: the raffle.
        taken: the taken numbers.
        free: the free ones among the chosen numbers.
        neighbours: free numbers close to the taken ones.

    """
    verb = "is" if len(taken) == 1 else "are"
    lines = [f"{format_numbers_as_sentence(taken, width=raffle.width)} {verb} taken already."]
    if neighbours:
        lines.append(
            f"Free close by: {format_numbers_as_sentence(neighbours, width=raffle.width)}."
        )
    lines.append("Write the numbers you would like.")
    buttons: list[ReplyButton] = []
    take = build_button_id(ButtonAction.NUMBERS, raffle.id, *free)
    if raffle.min_per_order <= len(free) <= raffle.max_quantity and len(take) <= 200:  # noqa: PLR2004 - Meta's row id
        title = f"Take {format_numbers_as_sentence(free, width=raffle.width, at_most=3)}"
        fits = len(title) <= 20  # noqa: PLR2004 - Meta's limit
        buttons.append(ReplyButton(take, title if fits else f"Take the {len(free)} free"))
    buttons.append(ReplyButton(build_button_id(ButtonAction.RANDOM, raffle.id), "Random instead"))
    return Reply("numbers_taken", "\n".join(lines), buttons=(*buttons, MENU_BUTTON))
