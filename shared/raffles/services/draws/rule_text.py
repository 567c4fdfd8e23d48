"""The rule text of a raffle's draw, as buyers read it and as it is frozen; a pure function."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from shared.core.enums import DrawMethod, SourceKind, UnsoldRule
from shared.raffles import draw_methods
from shared.raffles.draw_models import DrawRules, DrawSource
from shared.raffles.models import Raffle


def build_rule_text(
    raffle: Raffle,
    rules: DrawRules,
    *,
    method: DrawMethod,
    sources: Sequence[DrawSource],
    prizes: Sequence[str],
) -> str:
    """Return the rules of a draw as plain text, one sentence or prize a line.

    Args:
        raffle: the raffle.
        rules: its rules beside the method.
        method: how it is drawn.
        sources: the public sources in their order; empty for a drum.
        prizes: titles of the prizes in their order.

    """
    lines = [f"Rules of the draw: {raffle.title}", *_describe_promoter(raffle)]
    lines += [f"Prize {place}: {title}" for place, title in enumerate(prizes, start=1)]
    lines += [
        (
            f"Ticket numbers: {raffle.format_ticket_number(raffle.first_number)} to "
            f"{raffle.format_ticket_number(raffle.last_number)}. Only sold numbers take part."
        ),
        "When the sale has ended, the list of sold numbers is sealed: it cannot change any more.",
    ]
    match method:
        case DrawMethod.PUBLIC_VALUE:
            lines += _describe_public_value(raffle, sources, several=len(prizes) > 1)
        case DrawMethod.LOTTERY_DIGITS:
            lines += _describe_lottery_digits(raffle, rules, sources)
        case DrawMethod.RECORDED_DRUM:
            lines += _describe_drum()
    if rules.minimum_sold > 1:
        lines.append(
            f"If fewer than {rules.minimum_sold:,} numbers are sold, the raffle is called off and "
            "everybody gets their money back."
        )
    days = "1 day" if rules.claim_days == 1 else f"{rules.claim_days} days"
    lines.append(
        f"A prize that is not claimed within {days} after the draw is drawn again from the same "
        "list; a number wins one prize at most."
    )
    if raffle.adults_only:
        lines.append("Only people who are 18 or older take part.")
    if rules.further_terms.strip():
        lines.append(rules.further_terms.strip())
    return "\n".join(lines) + "\n"


def _describe_promoter(raffle: Raffle) -> list[str]:
    known = [
        ("Promoter", raffle.promoter),
        ("Permit", raffle.permit_number),
        ("Full rules", raffle.rules_url),
    ]
    return [f"{name}: {value}" for name, value in known if value]


def _describe_public_value(
    raffle: Raffle, sources: Sequence[DrawSource], *, several: bool
) -> list[str]:
    named = [_describe_source(raffle, source) for source in sources]
    winners = "The winners are" if several else "The winner is"
    return [
        (
            f"{winners} computed from the sealed list and from public values that nobody knows "
            f"before: {'; '.join(named)}."
        ),
        "The computation is that of RFC 3797; anyone can repeat it with the same list and values.",
        *_describe_next_dates(sources),
    ]


def _describe_lottery_digits(
    raffle: Raffle, rules: DrawRules, sources: Sequence[DrawSource]
) -> list[str]:
    digits = "the last digit" if raffle.width == 1 else f"the last {raffle.width} digits"
    named = [_describe_source(raffle, source) for source in sources]
    if len(named) == 1:
        lines = [f"The winning number is {digits} of {named[0]}."]
    else:
        lines = [
            f"The winning number of prize {place} is {digits} of {name}."
            for place, name in enumerate(named, start=1)
        ]
    if rules.unsold_rule == UnsoldRule.NEXT_SOLD_UPWARDS:
        lines.append(
            "If that number was not sold or has won already, the next higher sold number wins; "
            "after the highest one follows the lowest one."
        )
    else:
        lines.append("If that number was not sold, the next draw of the same lottery decides.")
    return [*lines, *_describe_next_dates(sources)]


def _describe_drum() -> list[str]:
    return [
        (
            "Every sold number is a printed stub in a drum. The stubs are drawn by hand before a "
            "witness, and the drawing is recorded."
        ),
    ]


def _describe_source(raffle: Raffle, source: DrawSource) -> str:
    when = source.at or raffle.draw_at
    moment = "at the time of the draw" if source.at is None else ""
    if when is not None:
        moment = (
            f"{moment} ({_format_moment(raffle, when)})"
            if moment
            else (f"of {_format_moment(raffle, when)}")
        )
    if source.kind == SourceKind.DRAND:
        return (
            f"the randomness of {source.name} (chain {draw_methods.DRAND_CHAIN[:8]}), "
            f"the round {moment}"
        )
    return f"{source.name}, the result {moment}"


def _describe_next_dates(sources: Sequence[DrawSource]) -> list[str]:
    lines = []
    for source in sources:
        days = "1 day" if source.repeat_days == 1 else f"{source.repeat_days} days"
        lines.append(
            f"If {source.name} is late, is cancelled, or has spoken before the list is sealed, its "
            f"next date decides, {days} later each time."
        )
    return lines


def _format_moment(raffle: Raffle, moment: datetime) -> str:
    local = moment.astimezone(ZoneInfo(raffle.time_zone))
    return f"{local:%Y-%m-%d %H:%M} {raffle.time_zone}"
