"""Rules and prizes of a raffle's draw: chosen before the sale, frozen with the first sold number.

Whoever changes them locks the raffle exclusively; a payment holds the shared lock while it freezes
them. So no buyer pays under rules that change at the same moment.
"""

import unicodedata
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
from shared.raffles import receipt_lines
from shared.raffles.actor import Actor
from shared.raffles.draws import draw_methods
from shared.raffles.draws.draw_errors import RulesFrozen, RulesInvalid, RulesMissing
from shared.raffles.draws.draw_models import DrawRules, DrawSource, Prize
from shared.raffles.errors import TransitionNotAllowed
from shared.raffles.models import Order, Raffle
from shared.raffles.services import locks, raffle_history
from shared.raffles.services.draws import prizes, rule_checks, rule_text
from shared.raffles.services.draws.rule_checks import RuleRows

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
        prizes: titles of the prizes in their order; empty: the raffle's prize alone. If there is
            one, the raffle's card shows it.
        unsold_rule: what decides if lottery digits are a number that was not sold.
        minimum_sold: fewest numbers that must be sold; None: as many as there are prizes.
        claim_days: days within which a prize is claimed.
        further_terms: whatever else buyers must know.

    """

    method: DrawMethod = DrawMethod.PUBLIC_VALUE
    sources: Sequence[ChosenSource] = (DEFAULT_SOURCE,)
    prizes: Sequence[str] = ()
    unsold_rule: UnsoldRule = UnsoldRule.NEXT_SOLD_UPWARDS
    minimum_sold: int | None = None
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
    rules = _write_rules(raffle, _build_rows(raffle, chosen))
    if has_sold_numbers(raffle_id):
        freeze_rules(raffle, by=by, now=now)
        rules.refresh_from_db()
    return rules


_STATUSES_AFTER_RULES: Final = (RaffleStatus.SEALED, RaffleStatus.DRAWN, RaffleStatus.CANCELLED)


def find_rules_problem(raffle: Raffle, chosen: ChosenRules) -> str | None:
    """Return why rules do not fit a raffle, as a sentence, or None if they do."""
    if len(chosen.prizes) > MAX_PRIZES:
        return f"A raffle has {MAX_PRIZES} prizes at most."
    if len(chosen.sources) > MAX_SOURCES:
        return f"Name at most {MAX_SOURCES} public sources."
    return rule_checks.find_problem(raffle, _build_rows(raffle, chosen))


def _build_rows(raffle: Raffle, chosen: ChosenRules) -> RuleRows:
    """Return rules as rows that are not saved, with cleaned texts."""
    titles = [_clean_line(title) for title in chosen.prizes or [raffle.prize]]
    minimum = chosen.minimum_sold
    return RuleRows(
        method=chosen.method,
        rules=DrawRules(
            raffle=raffle,
            unsold_rule=chosen.unsold_rule,
            minimum_sold=max(len(titles), 1) if minimum is None else minimum,
            claim_days=chosen.claim_days,
            further_terms=_clean_text(chosen.further_terms),
        ),
        sources=[
            _build_source(raffle, source, position=position)
            for position, source in enumerate(chosen.sources, start=1)
        ],
        prizes=[
            Prize(raffle=raffle, position=position, title=title)
            for position, title in enumerate(titles, start=1)
        ],
    )


def _build_source(raffle: Raffle, source: ChosenSource, *, position: int) -> DrawSource:
    """Return a source as a row; of drand only name, address and dates are anybody's choice."""
    row = DrawSource(
        raffle=raffle,
        position=position,
        kind=source.kind,
        name=_clean_line(source.name),
        url=source.url.strip(),
        at=source.at,
        repeat_days=source.repeat_days,
    )
    if source.kind is SourceKind.DRAND:
        row.name, row.url = row.name or DRAND_NAME, row.url or DRAND_URL
    else:
        row.value_count, row.repeats_values = source.value_count, source.repeats_values
        row.lowest, row.highest = source.lowest, source.highest
    return row


def _clean_line(text: str) -> str:
    """Return a text as one line of NFC without control characters."""
    return _clean_text(" ".join(text.split()))


def _clean_text(text: str) -> str:
    """Return a text in NFC without control characters, lines ended by LF alone."""
    plain = receipt_lines.normalise_rule_text(text)
    return "".join(
        each for each in plain if each == "\n" or unicodedata.category(each) not in _NO_TEXT
    ).strip()


_NO_TEXT: Final = ("Cc", "Cs")
"""Unicode categories of control characters and of half characters, which UTF-8 has not."""


def _write_rules(raffle: Raffle, rows: RuleRows) -> DrawRules:
    rules, _ = DrawRules.objects.update_or_create(
        raffle=raffle,
        defaults={
            "unsold_rule": rows.rules.unsold_rule,
            "minimum_sold": rows.rules.minimum_sold,
            "claim_days": rows.rules.claim_days,
            "further_terms": rows.rules.further_terms,
        },
    )
    DrawSource.objects.filter(raffle=raffle).delete()
    DrawSource.objects.bulk_create(rows.sources)
    titles = [prize.title for prize in rows.prizes]
    prizes.write_prizes(raffle, titles)
    raffle.draw_method = rows.method
    raffle.prize = titles[0] if len(titles) == 1 else raffle.prize
    Raffle.objects.filter(pk=raffle.pk).update(draw_method=rows.method, prize=raffle.prize)
    return rules


def write_default_rules(raffle: Raffle) -> None:
    """Write the default rules of a raffle for which nobody has chosen any and nothing is sold.

    Args:
        raffle: locked, exclusively.

    """
    if not DrawRules.objects.filter(raffle=raffle).exists() and not has_sold_numbers(raffle.pk):
        _write_rules(raffle, _build_rows(raffle, ChosenRules()))


def load_chosen_rules(raffle: Raffle) -> ChosenRules:
    """Return the rules of a raffle as they stand, or the default ones if nobody chose any.

    Before they are frozen, a single prize is the one that the raffle's card shows.
    """
    rules = DrawRules.objects.filter(raffle=raffle).first()
    if rules is None:
        return ChosenRules(prizes=[raffle.prize])
    titles = list(Prize.objects.filter(raffle=raffle).values_list("title", flat=True))
    if rules.frozen_at is None and len(titles) <= 1:
        titles = [raffle.prize]
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
        prizes=titles,
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
    return build_rule_text(raffle, load_chosen_rules(raffle))


def build_rule_text(raffle: Raffle, chosen: ChosenRules) -> str:
    """Return the text of rules as it would be frozen now; the raffle need not be saved."""
    return _build_text(raffle, _build_rows(raffle, chosen))


def _build_text(raffle: Raffle, rows: RuleRows) -> str:
    return rule_text.build_rule_text(
        raffle,
        rows.rules,
        method=rows.method,
        sources=rows.sources,
        prizes=[prize.title for prize in rows.prizes],
    )


def freeze_rules(raffle: Raffle, *, by: Actor, now: datetime) -> DrawRules:
    """Freeze the rules of a raffle; if nobody chose any, the default ones.

    Two first sales at once freeze them once: the row of the rules lets the second one wait.

    Args:
        raffle: locked, shared or exclusively.
        by: the author of the sale or of the rules.
        now: the present time.

    """
    DrawRules.objects.bulk_create([DrawRules(raffle=raffle)], ignore_conflicts=True)
    rules = DrawRules.objects.select_for_update(no_key=True).get(raffle=raffle)
    if rules.frozen_at is not None:
        return rules
    rows = _build_rows(raffle, load_chosen_rules(raffle) if raffle.draw_method else ChosenRules())
    if raffle.draw_method:
        prizes.write_prizes(raffle, [prize.title for prize in rows.prizes])
    else:
        rules = _write_rules(raffle, rows)
    rules.text = _build_text(raffle, rows)
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


def is_unsold_passed_on(raffle: Raffle) -> bool:
    """Whether a number that was not sold leaves the decision to the lottery's next date."""
    if raffle.draw_method != DrawMethod.LOTTERY_DIGITS:
        return False
    return load_frozen_rules(raffle.pk).unsold_rule == UnsoldRule.NEXT_SOURCE_DATE
