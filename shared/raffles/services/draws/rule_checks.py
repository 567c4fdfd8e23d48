"""Checks of a draw's rules before they are saved: whether they fit the raffle and the method.

The rows are those that would be saved; nothing here reads or writes the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.core.exceptions import ValidationError
from django.db.models import Model

from shared.core.enums import DrawMethod, SourceKind, UnsoldRule
from shared.raffles import sale_rules
from shared.raffles.draws import draw_methods
from shared.raffles.draws.draw_models import DrawRules, DrawSource, Prize
from shared.raffles.models import Raffle
from shared.raffles.validators import is_web_address

MAX_TERMS_LENGTH: Final = 2_000
"""Characters of the further terms."""
MAX_ADDRESS_LENGTH: Final = 200
"""Characters of a source's address."""


@dataclass(frozen=True, slots=True)
class RuleRows:
    """The rules of a draw as rows that may be unsaved.

    Attributes:
        method: how the winners are found.
        rules: what stands beside the method.
        sources: the public sources in their order; none for a drum.
        prizes: the prizes in their order.

    """

    method: DrawMethod
    rules: DrawRules
    sources: Sequence[DrawSource]
    prizes: Sequence[Prize]


def find_problem(raffle: Raffle, rows: RuleRows) -> str | None:
    """Return why rules do not fit a raffle, as a sentence, or None if they do."""
    problem = _find_number_problem(raffle, rows) or _find_wording_problem(rows)
    if problem is not None:
        return problem
    match rows.method:
        case DrawMethod.RECORDED_DRUM:
            return None if not rows.sources else "A drum needs no public source."
        case DrawMethod.PUBLIC_VALUE:
            return _find_source_problem(raffle, rows.sources) or _find_entropy_problem(
                raffle, rows.sources
            )
        case DrawMethod.LOTTERY_DIGITS:
            return _find_source_problem(raffle, rows.sources) or _find_digits_problem(raffle, rows)


def build_shape(source: DrawSource) -> draw_methods.SourceShape:
    """Return what a source can draw."""
    return draw_methods.SourceShape(
        SourceKind(source.kind),
        value_count=source.value_count,
        lowest=source.lowest,
        highest=source.highest,
        repeats_values=source.repeats_values,
    )


def _find_number_problem(raffle: Raffle, rows: RuleRows) -> str | None:
    prizes, minimum = len(rows.prizes), rows.rules.minimum_sold
    if prizes > raffle.number_count:
        return "There are more prizes than numbers."
    if minimum > raffle.number_count:
        return f"The raffle has only {raffle.number_count:,} numbers."
    if minimum < prizes:
        named = "1 prize" if prizes == 1 else f"{prizes} prizes"
        return f"At least {prizes} numbers must be sold for {named}: raise the minimum."
    return None


def _find_wording_problem(rows: RuleRows) -> str | None:
    for place, prize in enumerate(rows.prizes, start=1):
        if not prize.title:
            return f"Prize {place} has no title."
        if problem := _find_field_problem(prize, "title"):
            return f"Prize {place}: {problem}"
    if len(rows.rules.further_terms) > MAX_TERMS_LENGTH:
        return f"The further terms have {MAX_TERMS_LENGTH:,} characters at most."
    return _find_field_problem(rows.rules, "claim_days", "minimum_sold", "unsold_rule")


def _find_source_problem(raffle: Raffle, sources: Sequence[DrawSource]) -> str | None:
    if not sources:
        return "Name at least one public source."
    for source in sources:
        if not source.name:
            return "Name the source as the public knows it."
        problem = (
            _find_field_problem(
                source, "name", "kind", "repeat_days", "value_count", "lowest", "highest"
            )
            or _find_address_problem(source)
            or _find_range_problem(source)
            or _find_date_problem(raffle, source)
        )
        if problem is not None:
            return f"{source.name[:120]}: {problem}"
    return None


def _find_field_problem(row: Model, *names: str) -> str | None:
    """Return what Django's validators say about some fields of a row."""
    others = {field.name for field in row._meta.fields} - set(names)  # noqa: SLF001 - documented
    try:
        row.clean_fields(exclude=others)
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        label = str(row._meta.get_field(name).verbose_name)  # type: ignore[union-attr]  # noqa: SLF001
        return f"{label.capitalize()}: {messages[0]}"
    return None


def _find_address_problem(source: DrawSource) -> str | None:
    if source.url and not is_web_address(source.url, maximum=MAX_ADDRESS_LENGTH):
        return (
            f"Its address begins with https:// or http:// and has {MAX_ADDRESS_LENGTH} characters "
            "at most."
        )
    return None


def _find_range_problem(source: DrawSource) -> str | None:
    if source.kind == SourceKind.DRAND:
        return None
    if source.highest <= source.lowest:
        return "Say which numbers it draws: from the lowest to the highest."
    drawn = source.highest - source.lowest + 1
    if source.value_count > drawn and not source.repeats_values:
        return f"It cannot draw {source.value_count} of {drawn} numbers."
    return None


def _find_date_problem(raffle: Raffle, source: DrawSource) -> str | None:
    if source.at is None:
        return None if source.kind == SourceKind.DRAND else "Say when it draws."
    end = sale_rules.compute_sales_end(raffle)
    if end is not None and source.at <= end:
        return "It draws before the sale ends. Name a date after that."
    return None


def _find_entropy_problem(raffle: Raffle, sources: Sequence[DrawSource]) -> str | None:
    outcomes = 1
    for source in sources:
        outcomes *= draw_methods.count_outcomes(build_shape(source))
    wanted = draw_methods.MIN_OUTCOMES_PER_TICKET * raffle.number_count
    if outcomes >= wanted:
        return None
    return (
        f"The sources have {outcomes:,} outcomes together; {raffle.number_count:,} numbers need "
        f"{wanted:,}, or some could never win. Add a source, or take drand."
    )


def _find_digits_problem(raffle: Raffle, rows: RuleRows) -> str | None:
    if len(rows.sources) != len(rows.prizes):
        return "Each prize needs a lottery result of its own: as many sources as prizes."
    endings: int = 10**raffle.width
    for source in rows.sources:
        if source.kind == SourceKind.DRAND or source.value_count != 1:
            return f"{source.name} draws no single number. Choose a lottery that draws one."
        if source.lowest != 0 or (source.highest + 1) % endings:
            return (
                f"{source.name} must be able to end in every number of {raffle.width} digits "
                f"alike: from 0 to {endings - 1:,}, or more digits."
            )
    fits = raffle.number_count >= endings - 1
    if rows.rules.unsold_rule == UnsoldRule.NEXT_SOLD_UPWARDS and not fits:
        return (
            f"{endings - raffle.number_count:,} of {endings:,} possible results are no ticket "
            "number. If the next higher sold number won then, the lowest number would win most "
            "often: let the next draw of the lottery decide, or choose another method."
        )
    return None
