"""Rules and prizes of a raffle's draw: chosen before the sale, frozen with the first sold number.

Whoever changes them locks the raffle exclusively; a payment holds the shared lock while it freezes
them. So no buyer pays under rules that change at the same moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from shared.core.constants import DEFAULT_CLAIM_DAYS
from shared.core.enums import (
    DrawMethod,
    OrderStatus,
    RaffleAction,
    RaffleStatus,
    SourceKind,
    UnsoldRule,
)
from shared.raffles import draw_methods, receipt_lines
from shared.raffles.actor import Actor
from shared.raffles.draw_errors import RulesFrozen, RulesInvalid, RulesMissing
from shared.raffles.draw_models import DrawRules, DrawSource, Prize
from shared.raffles.errors import TransitionNotAllowed
from shared.raffles.models import Order, Raffle
from shared.raffles.services import locks, raffle_history
from shared.raffles.services.draws import rule_text

DRAND_NAME: Final = "drand quicknet"
DRAND_URL: Final = "https://api.drand.sh/v2/chains/" + draw_methods.DRAND_CHAIN
MAX_PRIZES: Final = 50
MAX_SOURCES: Final = 10


@dataclass(frozen=True, slots=True)
class ChosenSource:
    """A public source as a seller names it; the attributes are those of `DrawSource`."""

    kind: SourceKind
    name: str
    url: str = ""
    at: datetime | None = None
    repeat_days: int = 1
    value_count: int = 1
    lowest: int = 0
    highest: int = 0
    repeats_values: bool = False


DEFAULT_SOURCE: Final = ChosenSource(SourceKind.DRAND, name=DRAND_NAME, url=DRAND_URL)


@dataclass(frozen=True, slots=True)
class ChosenRules:
    """Rules as a seller chooses them.

    Attributes:
        method: how the winners are found.
        sources: public sources in their order; none for a drum.
        prizes: titles of the prizes in their order; empty: the raffle's prize alone.
        unsold_rule: what decides if lottery digits are a number that was not sold.
        minimum_sold: fewest numbers that must be sold.
        claim_days: days within which a prize is claimed.
        further_terms: whatever else buyers must know.

    """

    method: DrawMethod = DrawMethod.PUBLIC_VALUE
    sources: Sequence[ChosenSource] = (DEFAULT_SOURCE,)
    prizes: Sequence[str] = ()
    unsold_rule: UnsoldRule = UnsoldRule.NEXT_SOLD_UPWARDS
    minimum_sold: int = 1
    claim_days: int = DEFAULT_CLAIM_DAYS
    further_terms: str = ""


@transaction.atomic(durable=True)
def save_rules(raffle_id: int, chosen: ChosenRules, *, by: Actor, now: datetime) -> DrawRules:
    """Set the rules of a raffle's draw, and freeze them at once if numbers were sold before.

    Numbers can have been sold without rules only before the product knew rules.

    Raises:
        RaffleNotFound: there is no such raffle.
        RulesFrozen: a number was sold under its present rules.
        RulesInvalid: they do not fit the raffle; the problem is in the details.
        TransitionNotAllowed: it is sealed, drawn or called off.

    """
    raffle = locks.lock_raffle(raffle_id)
    if raffle.status in _STATUSES_AFTER_RULES:
        raise TransitionNotAllowed(current=raffle.status, wanted=RaffleAction.RULES_FROZEN)
    if are_rules_frozen(raffle_id):
        raise RulesFrozen
    problem = find_rules_problem(raffle, chosen)
    if problem is not None:
        raise RulesInvalid(problem=problem)
    rules = _write_rules(raffle, chosen)
    if has_sold_numbers(raffle_id):
        freeze_rules(raffle, by=by, now=now)
        rules.refresh_from_db()
    return rules


_STATUSES_AFTER_RULES: Final = (RaffleStatus.SEALED, RaffleStatus.DRAWN, RaffleStatus.CANCELLED)


def find_rules_problem(raffle: Raffle, chosen: ChosenRules) -> str | None:
    """Return why rules do not fit a raffle, as a sentence, or None if they do."""
    prizes = max(len(chosen.prizes), 1)
    if prizes > MAX_PRIZES:
        return f"A raffle has {MAX_PRIZES} prizes at most."
    if prizes > raffle.number_count:
        return "There are more prizes than numbers."
    if chosen.minimum_sold > raffle.number_count:
        return f"The raffle has only {raffle.number_count:,} numbers."
    if chosen.minimum_sold < prizes:
        chosen_few = "prize" if prizes == 1 else "prizes"
        return (
            f"At least {prizes} numbers must be sold for {prizes} {chosen_few}: raise the minimum."
        )
    match chosen.method:
        case DrawMethod.RECORDED_DRUM:
            return None if not chosen.sources else "A drum needs no public source."
        case DrawMethod.PUBLIC_VALUE:
            return _find_source_problem(chosen) or _find_entropy_problem(raffle, chosen)
        case DrawMethod.LOTTERY_DIGITS:
            return _find_source_problem(chosen) or _find_digits_problem(
                raffle, chosen, prizes=prizes
            )


def _find_source_problem(chosen: ChosenRules) -> str | None:
    if not 1 <= len(chosen.sources) <= MAX_SOURCES:
        return f"Name 1 to {MAX_SOURCES} public sources."
    for source in chosen.sources:
        if not source.name.strip():
            return "Name the source as the public knows it."
        if source.kind is SourceKind.DRAND:
            continue
        if source.at is None:
            return f"Say when {source.name} draws."
        if source.highest <= source.lowest:
            return f"Say which numbers {source.name} draws: from the lowest to the highest."
        drawn = source.highest - source.lowest + 1
        if source.value_count > drawn and not source.repeats_values:
            return f"{source.name} cannot draw {source.value_count} of {drawn} numbers."
    return None


def _find_entropy_problem(raffle: Raffle, chosen: ChosenRules) -> str | None:
    outcomes = 1
    for source in chosen.sources:
        outcomes *= draw_methods.count_outcomes(build_shape(source))
    wanted = draw_methods.MIN_OUTCOMES_PER_TICKET * raffle.number_count
    if outcomes >= wanted:
        return None
    return (
        f"The sources have {outcomes:,} outcomes together; {raffle.number_count:,} numbers need "
        f"{wanted:,}, or some could never win. Add a source, or take drand."
    )


def _find_digits_problem(raffle: Raffle, chosen: ChosenRules, *, prizes: int) -> str | None:
    if len(chosen.sources) != prizes:
        return "Each prize needs a lottery result of its own: as many sources as prizes."
    endings: int = 10**raffle.width
    for source in chosen.sources:
        if source.kind is SourceKind.DRAND or source.value_count != 1:
            return f"{source.name} must publish one number, whose last digits decide."
        if source.lowest != 0 or (source.highest + 1) % endings:
            return (
                f"{source.name} must be able to end in every number of {raffle.width} digits "
                f"alike: from 0 to {endings - 1:,}, or more digits."
            )
    fits = raffle.number_count >= endings - 1
    if chosen.unsold_rule is UnsoldRule.NEXT_SOLD_UPWARDS and not fits:
        return (
            f"{endings - raffle.number_count:,} of {endings:,} endings are no ticket number, so "
            "“next sold upwards” would favour the lowest number. Let the next draw of the lottery "
            "decide, or choose another method."
        )
    return None


def build_shape(source: ChosenSource | DrawSource) -> draw_methods.SourceShape:
    """Return what a source can draw."""
    return draw_methods.SourceShape(
        SourceKind(source.kind),
        value_count=source.value_count,
        lowest=source.lowest,
        highest=source.highest,
        repeats_values=source.repeats_values,
    )


def _write_rules(raffle: Raffle, chosen: ChosenRules) -> DrawRules:
    rules, _ = DrawRules.objects.update_or_create(
        raffle=raffle,
        defaults={
            "unsold_rule": chosen.unsold_rule,
            "minimum_sold": chosen.minimum_sold,
            "claim_days": chosen.claim_days,
            "further_terms": receipt_lines.normalise_rule_text(chosen.further_terms).strip(),
        },
    )
    DrawSource.objects.filter(raffle=raffle).delete()
    DrawSource.objects.bulk_create(
        DrawSource(
            raffle=raffle,
            position=position,
            kind=source.kind,
            name=source.name.strip(),
            url=source.url,
            at=source.at,
            repeat_days=source.repeat_days,
            value_count=source.value_count,
            lowest=source.lowest,
            highest=source.highest,
            repeats_values=source.repeats_values,
        )
        for position, source in enumerate(chosen.sources, start=1)
    )
    _write_prizes(raffle, chosen.prizes or [raffle.prize])
    Raffle.objects.filter(pk=raffle.pk).update(draw_method=chosen.method)
    raffle.draw_method = chosen.method
    return rules


def _write_prizes(raffle: Raffle, titles: Sequence[str]) -> None:
    """Write the titles of the prizes; a prize that stays keeps its picture."""
    Prize.objects.filter(raffle=raffle, position__gt=len(titles)).delete()
    for position, title in enumerate(titles, start=1):
        Prize.objects.update_or_create(
            raffle=raffle, position=position, defaults={"title": title.strip()}
        )


def write_default_rules(raffle: Raffle) -> None:
    """Write the default rules of a raffle for which nobody has chosen any and nothing is sold.

    Args:
        raffle: locked, exclusively.

    """
    if not DrawRules.objects.filter(raffle=raffle).exists() and not has_sold_numbers(raffle.pk):
        _write_rules(raffle, ChosenRules())


def load_chosen_rules(raffle: Raffle) -> ChosenRules:
    """Return the rules of a raffle as they stand, or the default ones if nobody chose any."""
    rules = DrawRules.objects.filter(raffle=raffle).first()
    prizes = list(Prize.objects.filter(raffle=raffle).values_list("title", flat=True))
    if rules is None:
        return ChosenRules(prizes=prizes or [raffle.prize])
    return ChosenRules(
        method=DrawMethod(raffle.draw_method),
        sources=[
            ChosenSource(
                SourceKind(source.kind),
                name=source.name,
                url=source.url,
                at=source.at,
                repeat_days=source.repeat_days,
                value_count=source.value_count,
                lowest=source.lowest,
                highest=source.highest,
                repeats_values=source.repeats_values,
            )
            for source in DrawSource.objects.filter(raffle=raffle)
        ],
        prizes=prizes or [raffle.prize],
        unsold_rule=UnsoldRule(rules.unsold_rule),
        minimum_sold=rules.minimum_sold,
        claim_days=rules.claim_days,
        further_terms=rules.further_terms,
    )


def are_rules_frozen(raffle_id: int) -> bool:
    """Whether a number was sold under the raffle's rules."""
    return DrawRules.objects.filter(raffle_id=raffle_id, frozen_at__isnull=False).exists()


def has_sold_numbers(raffle_id: int) -> bool:
    """Whether an order of a raffle is paid."""
    return Order.objects.filter(raffle_id=raffle_id, status=OrderStatus.PAID).exists()


def need_rules(raffle_id: int) -> bool:
    """Whether numbers of a raffle were sold before it had rules, so a person must choose them."""
    return not are_rules_frozen(raffle_id) and has_sold_numbers(raffle_id)


def query_raffles_without_rules() -> QuerySet[Raffle]:
    """Return the raffles for which `need_rules` is true and whose sale has not ended for good."""
    paid = Order.objects.filter(raffle=OuterRef("pk"), status=OrderStatus.PAID).order_by()
    frozen = DrawRules.objects.filter(raffle=OuterRef("pk"), frozen_at__isnull=False)
    active = [RaffleStatus.OPEN, RaffleStatus.PAUSED, RaffleStatus.CLOSED]
    return Raffle.objects.filter(~Exists(frozen), Exists(paid), status__in=active)


def load_rule_text(raffle: Raffle) -> str:
    """Return the frozen rule text of a raffle, or the text as it would be frozen now."""
    rules = DrawRules.objects.filter(raffle=raffle).first()
    if rules is not None and rules.text:
        return rules.text
    chosen = load_chosen_rules(raffle)
    return rule_text.build_rule_text(
        raffle,
        rules or DrawRules(raffle=raffle, claim_days=chosen.claim_days),
        method=chosen.method,
        sources=[_build_source(raffle, source) for source in chosen.sources],
        prizes=list(chosen.prizes),
    )


def _build_source(raffle: Raffle, source: ChosenSource) -> DrawSource:
    return DrawSource(
        raffle=raffle,
        kind=source.kind,
        name=source.name,
        at=source.at,
        repeat_days=source.repeat_days,
    )


def freeze_rules(raffle: Raffle, *, by: Actor, now: datetime) -> DrawRules:
    """Freeze the rules of a raffle; if nobody chose any, the default ones.

    Args:
        raffle: locked, shared or exclusively.
        by: the author of the sale or of the rules.
        now: the present time.

    """
    rules = DrawRules.objects.filter(raffle=raffle).first()
    if rules is None:
        rules = _write_rules(raffle, ChosenRules())
    if rules.frozen_at is not None:
        return rules
    rules.text = receipt_lines.normalise_rule_text(load_rule_text(raffle))
    rules.sha256 = receipt_lines.hash_rule_text(rules.text)
    rules.frozen_at = now
    rules.save(update_fields=["text", "sha256", "frozen_at"])
    raffle_history.record_raffle_event(
        raffle,
        action=RaffleAction.RULES_FROZEN,
        before=RaffleStatus(raffle.status),
        by=by,
        now=now,
    )
    return rules


def load_frozen_rules(raffle_id: int) -> DrawRules:
    """Return the frozen rules of a raffle.

    Raises:
        RulesMissing: they are not frozen.

    """
    rules = DrawRules.objects.filter(raffle_id=raffle_id, frozen_at__isnull=False).first()
    if rules is None:
        raise RulesMissing
    return rules
