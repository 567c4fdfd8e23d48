"""The rule text of a raffle's draw, as buyers read it and as it is frozen; a pure function."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.core.enums import DrawMethod, SourceKind, UnsoldRule
from shared.raffles import receipt_lines
from shared.raffles.draws import draw_methods
from shared.raffles.draws.draw_models import DrawRules, DrawSource
from shared.raffles.models import Raffle
from shared.raffles.services.draws import source_dates


def build_rule_text(
    raffle: Raffle,
    rules: DrawRules,
    *,
    method: DrawMethod,
    sources: Sequence[DrawSource],
    prizes: Sequence[str],
) -> str:
    """Return the rules of a draw as plain text, one rule or prize a line.

    Args:
        raffle: the raffle.
        rules: its rules beside the method.
        method: how it is drawn.
        sources: the public sources in their order; empty for a drum.
        prizes: titles of the prizes in their order.

    Returns:
        The text as it is hashed: in NFC, each line ended by LF.

    """
    lines = [
        f"Rules of the draw: {' '.join(raffle.title.split())}",
        *_describe_promoter(raffle),
        *(f"Prize {place}: {title}" for place, title in enumerate(prizes, start=1)),
        *_describe_list(raffle),
    ]
    match method:
        case DrawMethod.PUBLIC_VALUE:
            lines += _describe_public_value(raffle, sources, several=len(prizes) > 1)
        case DrawMethod.LOTTERY_DIGITS:
            lines += _describe_lottery_digits(raffle, rules, sources)
        case DrawMethod.RECORDED_DRUM:
            lines += _describe_drum(raffle, several=len(prizes) > 1)
    lines += _describe_too_few(rules)
    lines += _describe_claims(rules, method)
    if raffle.adults_only:
        lines.append("Only people who are 18 or older may take part.")
    if rules.further_terms:
        lines.append(f"Further terms: {rules.further_terms}")
    return receipt_lines.normalise_rule_text("\n".join(lines) + "\n")


def _describe_promoter(raffle: Raffle) -> list[str]:
    known = [
        ("Promoter", raffle.promoter),
        ("Permit", raffle.permit_number),
        ("Full rules", raffle.rules_url),
    ]
    return [f"{name}: {' '.join(value.split())}" for name, value in known if value.strip()]


def _describe_list(raffle: Raffle) -> list[str]:
    first = raffle.format_ticket_number(raffle.first_number)
    last = raffle.format_ticket_number(raffle.last_number)
    return [
        f"Ticket numbers: {first} to {last}. Only sold numbers take part.",
        (
            "When the sale has ended and every payment is decided, the list of sold numbers is "
            "sealed: it cannot change any more. A number whose money goes back later stays on it."
        ),
    ]


def _describe_public_value(
    raffle: Raffle, sources: Sequence[DrawSource], *, several: bool
) -> list[str]:
    winners, order = (
        ("The winners are", "selection 1 wins prize 1, selection 2 wins prize 2, and so on")
        if several
        else ("The winner is", "selection 1 wins")
    )
    if len(sources) == 1:
        lines = [
            (
                f"{winners} computed from the sealed list and a public value that nobody knows "
                f"before: {_describe_source(raffle, sources[0])}."
            )
        ]
    else:
        lines = [
            f"{winners} computed from the sealed list and public values that nobody knows before:",
            *(
                f"Source {place}: {_describe_source(raffle, source)}."
                for place, source in enumerate(sources, start=1)
            ),
        ]
    return [
        *lines,
        (
            f"The computation is that of RFC 3797: {order}. A selected number leaves the list. "
            "Anyone can repeat it with the same list and values."
        ),
        *_describe_next_dates(sources),
    ]


def _describe_lottery_digits(
    raffle: Raffle, rules: DrawRules, sources: Sequence[DrawSource]
) -> list[str]:
    digits = "the last digit" if raffle.width == 1 else f"the last {raffle.width} digits"
    lines = [
        f"The winning number{_name_place(place, sources)} is {digits} of "
        f"{_describe_source(raffle, source)}."
        for place, source in enumerate(sources, start=1)
    ]
    if rules.unsold_rule == UnsoldRule.NEXT_SOLD_UPWARDS:
        lines.append(
            "If that number was not sold or has been drawn already, the next higher sold number "
            f"that has not been drawn wins; {_WRAPPING}."
        )
    else:
        lines += [
            (
                "If that number was not sold, the next date of the same lottery decides: "
                f"{_list_repeats(sources)}."
            ),
            (
                "If it was sold and has been drawn already, the next higher sold number that has "
                f"not been drawn wins; {_WRAPPING}."
            ),
        ]
    return [*lines, *_describe_next_dates(sources)]


_WRAPPING: Final = "after the highest number follows the lowest"


def _name_place(place: int, sources: Sequence[DrawSource]) -> str:
    return f" of prize {place}" if len(sources) > 1 else ""


def _describe_drum(raffle: Raffle, *, several: bool) -> list[str]:
    when = "once the list is sealed, but not before the draw if a date for it is set"
    if raffle.draw_at is not None:
        when = (
            f"not before {_format_moment(raffle, raffle.draw_at)}; if the draw is moved, not "
            "before its new time"
        )
    return [
        (
            "Every number on the sealed list is a printed stub in a drum. The stubs are drawn by "
            f"hand before a witness, and the drawing is recorded: {when}."
        ),
        *(["Prize 1 is drawn first, then prize 2, and so on."] if several else []),
        "A stub that was drawn does not return to the drum, unless its drawing was void.",
    ]


def _describe_too_few(rules: DrawRules) -> list[str]:
    if rules.minimum_sold <= 1:
        return []
    return [
        (
            f"If fewer than {rules.minimum_sold:,} numbers are sold, the raffle is called off and "
            "everybody gets their money back."
        )
    ]


def _describe_claims(rules: DrawRules, method: DrawMethod) -> list[str]:
    return [
        (
            f"A prize can be claimed for {_format_days(rules.claim_days)} after the day on which "
            "it was drawn."
        ),
        (
            "It is drawn again if it is not claimed by then, if its winner declines it, or if its "
            f"winner may not take part or got the money back: {_REDRAWS[method]}. The reason is "
            "published. A number is drawn once and wins one prize at most."
        ),
        _VOID_STUBS if method is DrawMethod.RECORDED_DRUM else _VOID_VALUES,
    ]


_REDRAWS: Final = {
    DrawMethod.PUBLIC_VALUE: "the next selection of the same list and values wins",
    DrawMethod.LOTTERY_DIGITS: (
        f"the next higher sold number that has not been drawn wins; {_WRAPPING}"
    ),
    DrawMethod.RECORDED_DRUM: "another stub is drawn in the same way",
}

_VOID_VALUES: Final = (
    "Other values count only if the former ones were not those that the source published, or if "
    "the source declared them void. This is published too, and what was drawn from them is drawn "
    "anew."
)
_VOID_STUBS: Final = (
    "Another stub counts only if the former one was noted wrongly or its drawing was void. This is "
    "published too, and the prize is drawn anew."
)


def _describe_source(raffle: Raffle, source: DrawSource) -> str:
    what = (
        f"the randomness of {source.name} (chain {draw_methods.DRAND_CHAIN[:8]}), the round"
        if source.kind == SourceKind.DRAND
        else f"{source.name}, the result"
    )
    address = f" ({source.url})" if source.url else ""
    return f"{what} {_describe_moment(raffle, source)}{address}"


def _describe_moment(raffle: Raffle, source: DrawSource) -> str:
    if source.at is not None:
        return f"of {_format_moment(raffle, source.at)}"
    sold_out = f"{_format_minutes(source_dates.SOLD_OUT_LEAD)} after the list is sealed"
    if raffle.draw_at is None:
        return f"{sold_out}, or at the time of the draw if a date for it is set before"
    return (
        f"at the time of the draw, {_format_moment(raffle, raffle.draw_at)}; if the draw is moved, "
        f"at its new time, or {sold_out} if it has no date any more"
    )


def _describe_next_dates(sources: Sequence[DrawSource]) -> list[str]:
    """Return what happens if a source is late, or the list is: one line for equal sources."""
    lead = _format_minutes(source_dates.SEALING_LEAD)
    lines = [
        (
            f"If {source.name} publishes nothing at its date, if it declares its result void, or "
            f"if the list is not sealed more than {lead} before that date, its next date decides, "
            f"{_format_days(source.repeat_days)} later each time."
        )
        for source in sources
    ]
    return list(dict.fromkeys(lines))


def _list_repeats(sources: Sequence[DrawSource]) -> str:
    days = dict.fromkeys(_format_days(source.repeat_days) for source in sources)
    return f"{' or '.join(days)} later each time"


def _format_days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _format_minutes(time: timedelta) -> str:
    return f"{time // timedelta(minutes=1)} minutes"


def _format_moment(raffle: Raffle, moment: datetime) -> str:
    local = moment.astimezone(ZoneInfo(raffle.time_zone))
    return f"{local:%Y-%m-%d %H:%M} {raffle.time_zone}"
