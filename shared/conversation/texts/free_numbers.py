"""Answers to questions about free numbers: which are free, and whether some are."""

from collections.abc import Collection, Sequence
from typing import Final

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.conversation_events import FreeNumbersFound, NumbersChecked
from shared.conversation.facts.values import OrderFacts, RaffleFacts
from shared.conversation.formatting import (
    MAX_TICKET_LIST_CHARACTERS,
    format_numbers_as_sentence,
    format_ticket_numbers,
)
from shared.conversation.texts.choosing import (
    build_quantity_out_of_bounds_note,
    build_unknown_numbers_note,
)
from shared.conversation.texts.number_questions import build_keep_button, build_taking_title
from shared.conversation.texts.parts import MENU_BUTTON, MY_TICKETS_BUTTON
from shared.conversation.understanding.numbers.number_patterns import NumberPattern, Part
from shared.conversation.values import Reply
from shared.whatsapp.messages import BUTTON_ID_LIMIT, ReplyButton

MAX_NUMBERS_SHOWN: Final = 12
"""The most free numbers in a message; after more of them comes an ellipsis."""

_WRITE_THEM: Final = "Write the ones you would like."


def build_numbers_like_message(
    raffle: RaffleFacts,
    found: FreeNumbersFound,
    *,
    hold: OrderFacts | None = None,
    can_take: bool = True,
) -> Reply:
    """Return free numbers of the kind that the buyer asked for, or of a similar kind.

    Args:
        raffle: the raffle.
        found: what was asked for, and found.
        hold: the buyer's hold; a button adds to it.
        can_take: whether the buyer may take numbers of this raffle now.

    """
    quantity = found.quantity
    lines: list[str] = []
    taken: Sequence[int] = ()
    if not found.numbers:
        lines.append(f"No {_describe_numbers(found.pattern, raffle, noun='number')} is free now.")
        if found.near_pattern is not None:
            lines.append(_list_numbers(found.near_pattern, found.near, raffle))
    elif quantity is None:
        lines.append(_list_numbers(found.pattern, found.numbers, raffle))
        taken = found.numbers if len(found.numbers) == 1 else ()
    elif not _is_allowed(quantity, raffle):
        note = build_quantity_out_of_bounds_note(raffle, quantity=quantity)
        lines += [note, _list_numbers(found.pattern, found.numbers, raffle)]
    else:
        taken = found.numbers[:quantity]
        if len(taken) < quantity:
            lines.append(f"I found only {len(taken)}.")
        fits = len(taken) * (raffle.width + 2) <= MAX_TICKET_LIST_CHARACTERS
        most = quantity if fits else MAX_NUMBERS_SHOWN
        lines.append(_list_numbers(found.pattern, taken, raffle, most=most))
    if can_take and (found.numbers or found.near):
        lines.append(_WRITE_THEM)
    buttons = _build_buttons(
        raffle, taken, hold=hold, can_take=can_take, has_some=bool(found.numbers or found.near)
    )
    return Reply("numbers_like", "\n".join(lines), buttons=buttons)


def build_numbers_checked_message(
    checked: NumbersChecked,
    raffle: RaffleFacts,
    *,
    own: Collection[int] = (),
    hold: OrderFacts | None = None,
    can_take: bool = True,
) -> Reply:
    """Return which of some numbers are free, and free ones close to the taken ones.

    Args:
        checked: the numbers that the buyer asked about.
        raffle: the raffle.
        own: the numbers that the buyer has.
        hold: the buyer's hold; a button adds to it.
        can_take: whether the buyer may take numbers of this raffle now.

    """
    others = [number for number in checked.taken if number not in own]
    mine = [number for number in checked.taken if number in own]
    lines = [
        _say_of(checked.free, "free", raffle),
        _say_of(mine, "yours", raffle),
        _say_of(others, "taken", raffle),
    ]
    if checked.unknown:
        lines.append(build_unknown_numbers_note(raffle, unknown=checked.unknown))
    if others and checked.neighbours:
        near = format_numbers_as_sentence(checked.neighbours, width=raffle.width)
        lines.append(f"Free close by: {near}.")
    if can_take:
        lines.append(_WRITE_THEM)
    buttons = _build_buttons(raffle, checked.free, hold=hold, can_take=can_take, has_some=True)
    return Reply("numbers_free", "\n".join(filter(None, lines)), buttons=buttons)


def _say_of(numbers: Collection[int], what: str, raffle: RaffleFacts) -> str:
    if not numbers:
        return ""
    listed = format_numbers_as_sentence(numbers, width=raffle.width)
    return f"{listed} {'is' if len(numbers) == 1 else 'are'} {what}."


def _build_buttons(
    raffle: RaffleFacts,
    taken: Sequence[int],
    *,
    hold: OrderFacts | None,
    can_take: bool,
    has_some: bool,
) -> tuple[ReplyButton, ...]:
    """Return the buttons: to take or add numbers if that is possible, and to go on otherwise.

    Args:
        raffle: the raffle.
        taken: the numbers that a button may take.
        hold: the buyer's hold.
        can_take: whether the buyer may take numbers of this raffle now.
        has_some: whether any number was found.

    """
    if not can_take or not has_some:
        return (MY_TICKETS_BUTTON, MENU_BUTTON)
    held = hold.numbers if hold is not None else ()
    together = sorted({*held, *taken})
    take = build_button_id(ButtonAction.NUMBERS, raffle.id, *together)
    buttons: list[ReplyButton] = []
    if taken and _is_allowed(len(together), raffle) and len(take) <= BUTTON_ID_LIMIT:
        verb = "Take" if hold is None else "Add"
        buttons.append(ReplyButton(take, build_taking_title(verb, raffle, taken)))
    if hold is not None:
        return (*buttons, build_keep_button(hold), MENU_BUTTON)
    random = ReplyButton(build_button_id(ButtonAction.RANDOM, raffle.id), "Random instead")
    return (*buttons, random, MENU_BUTTON)


def _is_allowed(quantity: int, raffle: RaffleFacts) -> bool:
    own = raffle.remaining_for_buyer
    most = raffle.max_per_order if own is None else min(raffle.max_per_order, own)
    return raffle.min_per_order <= quantity <= most


# ── patterns ─────────────────────────────────────────────────────────────────────────────────────


def _list_numbers(
    pattern: NumberPattern,
    numbers: Sequence[int],
    raffle: RaffleFacts,
    *,
    most: int = MAX_NUMBERS_SHOWN,
) -> str:
    """Return "Free numbers ending in 7: 007, 017 …"."""
    kind = _describe_numbers(pattern, raffle, noun="numbers")
    if pattern.part is not None:
        kind = f"{'lowest' if pattern.part is Part.LOW else 'highest'} free {kind}"
    else:
        kind = f"free {kind}"
    example = ", for example" if pattern == NumberPattern() else ""
    listed = format_ticket_numbers(numbers[:most], width=raffle.width, separator=", ")
    rest = " …" if len(numbers) > most else ""
    return f"{kind[0].upper()}{kind[1:]}{example}: {listed}{rest}"


def _describe_numbers(pattern: NumberPattern, raffle: RaffleFacts, *, noun: str) -> str:
    """Return what numbers are like: "odd numbers from 100 to 200 ending in 7"."""
    parity = f"{pattern.parity.value} " if pattern.parity is not None else ""
    digits = [
        f"{words} {digits}"
        for words, digits in (
            ("starting with", pattern.starting),
            ("ending in", pattern.ending),
            ("containing", pattern.containing),
        )
        if digits
    ]
    parts = [f"{parity}{noun}", _describe_span(pattern, raffle), " and ".join(digits)]
    return " ".join(filter(None, parts))


def _describe_span(pattern: NumberPattern, raffle: RaffleFacts) -> str:
    low, high = pattern.low, pattern.high
    if low is not None and high is not None:
        return f"from {raffle.format_ticket_number(low)} to {raffle.format_ticket_number(high)}"
    if low is not None:
        return f"from {raffle.format_ticket_number(low)} on"
    return f"up to {raffle.format_ticket_number(high)}" if high is not None else ""
