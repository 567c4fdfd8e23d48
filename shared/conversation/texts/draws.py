"""Texts about draws for buyers who ask: the rules, who won, and what became of a number."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, assert_never

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.facts.draw_values import (
    DrawFacts,
    NumberFacts,
    NumberStatus,
    PrizeFacts,
)
from shared.conversation.facts.values import RaffleFacts
from shared.conversation.formatting import format_count
from shared.conversation.texts.parts import (
    MENU_BUTTON,
    MY_TICKETS_BUTTON,
    WHO_WON_BUTTON,
    build_long_reply,
    format_draw_time,
    format_moment,
    join_lines,
)
from shared.conversation.values import Reply
from shared.core.enums import DrawMethod
from shared.whatsapp.messages import MAX_ROWS, ListRow, ReplyButton

METHOD_PHRASES: Final[Mapping[DrawMethod, str]] = {
    DrawMethod.PUBLIC_VALUE: "by a public value nobody can steer",
    DrawMethod.LOTTERY_DIGITS: "by the last digits of a lottery",
    DrawMethod.RECORDED_DRUM: "by hand, recorded",
}
"""How a raffle is drawn, in short."""


def build_draw_method_note(raffle: RaffleFacts) -> str:
    """Return how the raffle is drawn after a comma, or an empty text while nobody has said."""
    return f", {METHOD_PHRASES[raffle.draw_method]}" if raffle.draw_method is not None else ""


# ── rules ────────────────────────────────────────────────────────────────────────────────────────


def build_rules_message(raffle: RaffleFacts, text: str, *, url: str) -> Reply:
    """Return the rules of a raffle's draw; a text that is too long is cut and names the address.

    Args:
        raffle: the raffle.
        text: the rules, one sentence or prize a line; empty: nobody has chosen them, e.g. of a
            raffle that was drawn before the product drew raffles.
        url: the address of a page with the full rules; may be empty.

    """
    if not text:
        text = (
            f"*{raffle.title}* has no rules of the draw that I know. Please ask "
            f"{raffle.seller_contact}."
        )
    where = url or f"ask {raffle.seller_contact}"
    body = join_lines(text.strip().split("\n"), more=lambda _: f"… The full rules: {where}")
    buttons = [MY_TICKETS_BUTTON, MENU_BUTTON]
    if raffle.is_on_sale:
        choose = ReplyButton(build_button_id(ButtonAction.RAFFLE, raffle.id), "Choose numbers")
        buttons = [choose, *buttons]
    elif raffle.is_sealed or raffle.is_drawn:
        buttons = [WHO_WON_BUTTON, *buttons]
    return build_long_reply("rules", body, buttons)


def build_which_rules_message(raffles: Sequence[RaffleFacts]) -> Reply:
    """Return the question which raffle's rules a buyer wants, for ten raffles at most."""
    rows = tuple(
        ListRow(build_button_id(ButtonAction.RULES, raffle.id), raffle.title, raffle.prize)
        for raffle in raffles[:MAX_ROWS]
    )
    return Reply("rules_which", "The rules of which raffle?", rows=rows, list_button="Raffles")


def build_no_rules_note() -> str:
    """Return the note for RULES without a raffle."""
    return "There are no rules to show."


# ── who won ──────────────────────────────────────────────────────────────────────────────────────


def build_results_message(
    draws: Sequence[DrawFacts],
    *,
    upcoming: Sequence[RaffleFacts],
    own_numbers: Mapping[int, Collection[int]],
    now: datetime,
) -> Reply:
    """Return who won, and the draws that are still to come.

    Args:
        draws: raffles that are sealed or drawn, the latest first.
        upcoming: raffles of the buyer, or on sale, whose draw is still to come.
        own_numbers: the ticket numbers that the buyer owns, by raffle id.
        now: the current time.

    """
    blocks = [
        build_draw_lines(draw, own=own_numbers.get(draw.raffle.id, ()), now=now) for draw in draws
    ]
    ahead = [_describe_upcoming(raffle) for raffle in upcoming]
    if not blocks:
        return Reply(
            "results",
            "\n".join(["No raffle has been drawn so far.", *ahead]),
            buttons=(MY_TICKETS_BUTTON, MENU_BUTTON),
        )
    lines = [line for block in blocks for line in ("", *block)][1:]
    end = ["", *ahead] if ahead else []
    if any(draw.raffle.is_drawn for draw in draws):
        end += ["", "Check a number: write *verify* and the number. How it was drawn: *rules*."]
    more = build_more_prizes(draws[0].raffle)
    if len(draws) > 1:
        more = _build_more_draws
    body = join_lines(lines, more=more, end=end)
    return build_long_reply("results", body, [MY_TICKETS_BUTTON, MENU_BUTTON])


def build_draw_lines(draw: DrawFacts, *, own: Collection[int] = (), now: datetime) -> list[str]:
    """Return the state of a draw as lines: the raffle, and each prize with its winner.

    Args:
        draw: the draw.
        own: the ticket numbers that the reader owns.
        now: the current time.

    """
    raffle = draw.raffle
    if not raffle.is_drawn:
        sold = format_sealed_count(draw)
        return [
            f"*{raffle.title}*: the list of {sold} is sealed. {build_due_draw_sentence(raffle)}"
        ]
    if draw.drawn_at is None:  # it was drawn before the product drew raffles
        return [f"*{raffle.title}* has been drawn. Who won? Ask {raffle.seller_contact}."]
    lines = [f"*{raffle.title}* · drawn {format_moment(draw.drawn_at, raffle, now=now)}"]
    many = len(draw.prizes) > 1
    for place, prize in enumerate(draw.prizes, start=1):
        before = f"{place}. " if many else ""
        lines.append(f"{before}{prize.title}: {_describe_winner(prize, draw, own=own, now=now)}")
    return lines


def format_sealed_count(draw: DrawFacts, noun: str = "sold number") -> str:
    """Return how many numbers are on a sealed list: "843 sold numbers"."""
    count = draw.sealed_count or 0
    return f"{format_count(count)} {noun}{'' if count == 1 else 's'}"


def build_due_draw_sentence(raffle: RaffleFacts) -> str:
    """Return when a sealed raffle is drawn: "Draw: Sat 12 Dec, 20:00.", or that it is due."""
    if raffle.draw_at is None:
        return "The draw is due."
    return f"Draw: {format_draw_time(raffle)}."


def _describe_winner(
    prize: PrizeFacts, draw: DrawFacts, *, own: Collection[int], now: datetime
) -> str:
    if prize.number is None:
        return "the seller is confirming the winner"
    number = f"*{draw.raffle.format_ticket_number(prize.number)}*"
    yours = " (yours!)" if prize.number in own else ""
    who = f", {prize.winner}" if prize.winner else ""
    return f"{number}{yours}{who} · {_describe_claim(prize, draw.raffle, now=now)}"


def _describe_claim(prize: PrizeFacts, raffle: RaffleFacts, *, now: datetime) -> str:
    if prize.is_claimed:
        return "claimed"
    if prize.claim_until is None:
        return "not claimed yet"
    if prize.claim_until <= now:
        return "not claimed in time"
    return f"to be claimed by {format_moment(prize.claim_until, raffle, now=now)}"


def _describe_upcoming(raffle: RaffleFacts) -> str:
    if raffle.draw_time_reached:
        return f"*{raffle.title}*: its draw is due."
    if raffle.draw_at is not None:
        return f"*{raffle.title}*: draw {format_draw_time(raffle)}."
    when = "when all numbers are sold" if raffle.draw_when_sold_out else "on a later day"
    return f"*{raffle.title}*: drawn {when}."


def build_more_prizes(raffle: RaffleFacts) -> Callable[[int], str]:
    """Return what stands for lines that were left out."""
    return lambda count: f"… and {count} more: ask {raffle.seller_contact}."


def _build_more_draws(_left_out: int) -> str:
    return "… There is more: to check a number, write *verify* and the number."


# ── verify ───────────────────────────────────────────────────────────────────────────────────────


def build_number_message(
    found: NumberFacts, *, is_own: bool, can_take: bool, now: datetime
) -> Reply:
    """Return what became of a ticket number: sold, in the sealed list, and whether it won.

    Args:
        found: the number.
        is_own: whether the buyer owns it.
        can_take: whether the buyer may take it if it is free, and gives no hold away for it.
        now: the current time.

    """
    raffle = found.draw.raffle
    buttons = [MY_TICKETS_BUTTON, MENU_BUTTON]
    if raffle.is_drawn:
        buttons = [WHO_WON_BUTTON, *buttons]
    elif found.status is NumberStatus.FREE and can_take:
        take = build_button_id(ButtonAction.NUMBERS, raffle.id, found.number)
        title = f"Take {raffle.format_ticket_number(found.number)}"
        buttons = [ReplyButton(take, title), *buttons]
    sentences = [_describe_number(found), _describe_luck(found, is_own=is_own, now=now)]
    return Reply("verify", " ".join(filter(None, sentences)), buttons=tuple(buttons))


def _describe_number(found: NumberFacts) -> str:
    raffle = found.draw.raffle
    name = f"*{raffle.format_ticket_number(found.number)}* of *{raffle.title}*"
    match found.status:
        case NumberStatus.UNKNOWN:
            first, last = map(
                raffle.format_ticket_number, (raffle.first_number, raffle.last_number)
            )
            return (
                f"*{raffle.title}* has no number {found.number}: its numbers go from {first} to "
                f"{last}."
            )
        case NumberStatus.FREE | NumberStatus.HELD if found.draw.list_hash:
            return f"{name} was not sold, so it is not in the sealed list."
        case NumberStatus.FREE | NumberStatus.HELD if raffle.is_drawn or raffle.is_called_off:
            return f"{name} was not sold."
        case NumberStatus.FREE:
            return f"{name} is not sold yet."
        case NumberStatus.HELD:
            return f"{name} is held for a buyer and not sold yet."
        case NumberStatus.SOLD:
            return f"{name}: sold{_describe_entry(found)}{_describe_list(found)}."
        case _:
            assert_never(found.status)


def _describe_entry(found: NumberFacts) -> str:
    return f", entry {found.entry}" if found.entry is not None else ""


def _describe_list(found: NumberFacts) -> str:
    draw = found.draw
    if found.is_on_list:
        return f", in the sealed list of {format_sealed_count(draw, 'number')}"
    if draw.list_hash:
        return f", not in the sealed list: please ask {draw.raffle.seller_contact}"
    if draw.raffle.is_drawn or draw.raffle.is_called_off:
        return ""
    return ", the list is not sealed yet"


def _describe_luck(found: NumberFacts, *, is_own: bool, now: datetime) -> str:
    """Return whether a sold number won, or when it is drawn."""
    draw, raffle = found.draw, found.draw.raffle
    if raffle.is_called_off:
        return "The raffle was called off."
    if found.status is not NumberStatus.SOLD:
        return ""
    if raffle.is_drawn and draw.drawn_at is None:  # before the product drew raffles
        return f"The raffle has been drawn. Who won? Ask {raffle.seller_contact}."
    won = draw.find_prizes_won(found.number)
    if won:
        prizes = " and ".join(prize.title for prize in won)
        claim = _describe_claim(won[0], raffle, now=now)
        how = f" Congratulations! Please write to {raffle.seller_contact}." if is_own else ""
        return f"It won {prizes}: {claim}.{how}"
    if not raffle.is_drawn:
        ahead = raffle.draw_at is not None and not raffle.draw_time_reached
        return f"Draw: {format_draw_time(raffle)}." if ahead else ""
    if not draw.has_all_winners:
        return "The seller is confirming the winners."
    return "It did not win."


def build_which_number_message(raffles: Sequence[RaffleFacts], number: int) -> Reply:
    """Return the question of which raffle a ticket number is, for ten raffles at most."""
    rows = tuple(
        ListRow(build_button_id(ButtonAction.VERIFY, raffle.id, number), raffle.title, raffle.prize)
        for raffle in raffles[:MAX_ROWS]
    )
    return Reply(
        "verify_which", f"Number {number} of which raffle?", rows=rows, list_button="Raffles"
    )


def build_verify_how_message() -> Reply:
    """Return how to ask about a ticket number."""
    return Reply(
        "verify_how",
        "To check a number, write *verify* and the number, one at a time, e.g. *verify 7*. I "
        "will tell you whether it is sold, whether it is in the sealed list, and whether it won.",
        buttons=(MY_TICKETS_BUTTON, WHO_WON_BUTTON, MENU_BUTTON),
    )


def build_nothing_to_verify_note() -> str:
    """Return the note for VERIFY without a raffle."""
    return "I found no raffle with that number."
