"""The next step of raffles on their way to the draw, found for many raffles in one query."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django.db.models import (
    Count,
    Exists,
    F,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce

from backoffice.raffles.draws import pages
from backoffice.raffles.draws.pages import DrawPage
from backoffice.ui import display
from shared.core.enums import DrawMethod, RaffleStatus
from shared.core.statements.compiled_queries import Moment
from shared.raffles import sale_rules
from shared.raffles.draws.draw_models import DrawResult, Prize, SealedList, SourceReading
from shared.raffles.models import Order, Raffle
from shared.raffles.services import availability
from shared.raffles.services.draws import (
    claim_deadlines,
    draw_rules,
    due_draws,
    source_readings,
)


class DrawStep(StrEnum):
    """The next thing that a person does on the way to a draw and after it."""

    SELL = "SELL"  # nothing yet: it is on sale
    RULES = "RULES"
    CLOSE = "CLOSE"
    DECIDE = "DECIDE"
    TOO_FEW = "TOO_FEW"
    SEAL = "SEAL"
    WAIT = "WAIT"
    VALUES = "VALUES"
    CONFIRM_VALUES = "CONFIRM_VALUES"
    DRAW = "DRAW"
    ANEW = "ANEW"
    CONFIRM_WINNERS = "CONFIRM_WINNERS"
    TELL = "TELL"
    CLAIMS = "CLAIMS"
    OVERDUE = "OVERDUE"
    DONE = "DONE"


STEPS: Final[dict[DrawStep, tuple[DrawPage, str]]] = {
    DrawStep.SELL: (DrawPage.RULES, "Rules"),
    DrawStep.RULES: (DrawPage.RULES, "Say how it is drawn"),
    DrawStep.CLOSE: (DrawPage.SEAL, "Close the sale"),
    DrawStep.DECIDE: (DrawPage.SEAL, "Decide about open orders"),
    DrawStep.TOO_FEW: (DrawPage.SEAL, "See what is sold"),
    DrawStep.SEAL: (DrawPage.SEAL, "Seal the list"),
    DrawStep.WAIT: (DrawPage.VALUES, "See what it waits for"),
    DrawStep.VALUES: (DrawPage.VALUES, "Enter the values"),
    DrawStep.CONFIRM_VALUES: (DrawPage.VALUES, "Confirm the values"),
    DrawStep.DRAW: (DrawPage.DRAW, "Draw"),
    DrawStep.ANEW: (DrawPage.VALUES, "Draw anew"),
    DrawStep.CONFIRM_WINNERS: (DrawPage.WINNERS, "Confirm the winners"),
    DrawStep.TELL: (DrawPage.TELL, "Tell the winners"),
    DrawStep.CLAIMS: (DrawPage.WINNERS, "Note claims"),
    DrawStep.OVERDUE: (DrawPage.WINNERS, "Draw again"),
    DrawStep.DONE: (DrawPage.RESULT, "Result"),
}
"""By step, its page and the label of the button that leads there."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """The next step of a raffle.

    Attributes:
        step: The step.
        says: Where the raffle stands, as a sentence.
        button: The label of the button.
        address: The page of the step.

    """

    step: DrawStep
    says: str
    button: str
    address: str


def query_raffles_with_draw_work(*, now: Moment) -> QuerySet[Raffle]:
    """Return the raffles for which somebody has something to do about their draw."""
    due = Q(pk__in=due_draws.query_due_raffles(now=now).values("pk"))
    without_rules = Q(pk__in=draw_rules.query_raffles_without_rules().values("pk"))
    on_sale = Q(status__in=[RaffleStatus.OPEN, RaffleStatus.PAUSED])
    usual_end = Q(sales_close_at=None, draw_at__lte=now + sale_rules.SALES_END_BEFORE_DRAW)
    ended = on_sale & (Q(sales_close_at__lte=now) | usual_end)
    undated = Q(draw_at__isnull=True, updated_at__gt=now - due_draws.CLOSED_SHOWN_FOR)
    closed_before_draw = Q(Q(draw_at__gt=now) | undated, status=RaffleStatus.CLOSED)
    unclaimed = Q(Exists(_query_latest_results().filter(claim__claimed_at__isnull=True)))
    return Raffle.objects.filter(
        due
        | without_rules
        | ended
        | closed_before_draw
        | Q(status=RaffleStatus.SEALED)
        | Q(unclaimed, status=RaffleStatus.DRAWN)
    )


def annotate_draw_progress(raffles: QuerySet[Raffle], *, now: Moment) -> QuerySet[Any]:
    """Add what `find_next_step` reads: counts of orders, values, winners and claims."""
    readings = SourceReading.objects.filter(raffle=OuterRef("pk"), voided_at__isnull=True)
    latest = _query_latest_results()
    unclaimed = latest.filter(claim__claimed_at__isnull=True)
    return raffles.annotate(
        is_due=Q(pk__in=due_draws.query_due_raffles(now=now).values("pk")),
        without_rules=Q(pk__in=draw_rules.query_raffles_without_rules().values("pk")),
        reviews=count_rows(
            due_draws.query_orders_of_raffle().filter(under_review_since__isnull=False)
        ),
        late=count_rows(due_draws.query_orders_of_raffle().filter(needs_decision=True)),
        held=count_rows(
            Order.objects.filter(raffle=OuterRef("pk"), status__in=Order.LIVE).order_by()
        ),
        sealed_sources=Subquery(SealedList.objects.filter(raffle=OuterRef("pk")).values("sources")),
        has_readings=Exists(SourceReading.objects.filter(raffle=OuterRef("pk"))),
        prize_count=count_rows(Prize.objects.filter(raffle=OuterRef("pk")).order_by()),
        unconfirmed_values=Exists(readings.filter(confirmed_at__isnull=True)),
        read=count_rows(readings.filter(confirmed_at__isnull=False).order_by()),
        void_inputs=count_rows(
            SourceReading.objects.filter(raffle=OuterRef("pk"), void_of_draw=True).order_by()
        ),
        last_inputs=Subquery(
            latest.order_by().values("raffle").annotate(last=Max("inputs")).values("last")
        ),
        unconfirmed=count_rows(latest.filter(claim__isnull=True).order_by()),
        untold=count_rows(
            unclaimed.filter(
                claim__told_at__isnull=True, claim__order__contact__isnull=False
            ).order_by()
        ),
        unclaimed=count_rows(unclaimed.order_by()),
        unclaimed_since=Subquery(
            unclaimed.order_by().values("raffle").annotate(first=Min("at")).values("first")
        ),
        claim_days=F("rules__claim_days"),
        minimum_sold=F("rules__minimum_sold"),
    )


def find_next_step(raffle: Any, *, now: datetime) -> NextStep:
    """Return the next step of a raffle with the columns of `annotate_draw_progress`."""
    step = _choose_step(raffle, now=now)
    page, button = STEPS[step]
    return NextStep(
        step,
        says=_describe_step(raffle, step, now=now),
        button=button,
        address=pages.build_page_url(raffle.pk, page),
    )


def count_rows(rows: QuerySet[Any]) -> Coalesce:
    """Return the count of a subquery's rows, which have a raffle."""
    constant = rows.annotate(one=F("raffle_id") * 0).values("one")
    counted = constant.annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _query_latest_results() -> QuerySet[DrawResult]:
    """Return the latest result of each prize of the outer query's raffle."""
    later = DrawResult.objects.filter(prize=OuterRef("prize"), attempt__gt=OuterRef("attempt"))
    return DrawResult.objects.filter(~Exists(later), raffle=OuterRef("pk"))


def _choose_step(raffle: Any, *, now: datetime) -> DrawStep:
    match RaffleStatus(raffle.status):
        case RaffleStatus.DRAFT | RaffleStatus.CANCELLED:
            return DrawStep.SELL
        case RaffleStatus.OPEN | RaffleStatus.PAUSED:
            if raffle.without_rules:
                return DrawStep.RULES
            end = sale_rules.compute_sales_end(raffle)
            over = end is not None and now >= end
            return DrawStep.CLOSE if over or raffle.is_due else DrawStep.SELL
        case RaffleStatus.CLOSED:
            if raffle.without_rules:
                return DrawStep.RULES
            if raffle.held or raffle.late:
                return DrawStep.DECIDE
            return DrawStep.TOO_FEW if _are_too_few_sold(raffle) else DrawStep.SEAL
        case RaffleStatus.SEALED:
            return _choose_value_step(raffle, now=now)
        case RaffleStatus.DRAWN:
            return _choose_winner_step(raffle, now=now)


def _are_too_few_sold(raffle: Any) -> bool:
    sold = availability.count_tickets_by_raffle([raffle])[raffle.pk].sold
    return sold < (raffle.minimum_sold or 1)


def _choose_value_step(raffle: Any, *, now: datetime) -> DrawStep:
    if raffle.unconfirmed_values:
        return DrawStep.CONFIRM_VALUES
    dates = _list_missing_dates(raffle)
    drum = raffle.draw_method == DrawMethod.RECORDED_DRUM
    if raffle.read >= raffle.prize_count if drum else not dates:
        return DrawStep.DRAW
    return DrawStep.WAIT if dates and min(dates) > now else DrawStep.VALUES


def _choose_winner_step(raffle: Any, *, now: datetime) -> DrawStep:
    if raffle.void_inputs > (raffle.last_inputs or 0):
        return DrawStep.ANEW
    if raffle.unconfirmed:
        return DrawStep.CONFIRM_WINNERS
    if raffle.untold:
        return DrawStep.TELL
    if not raffle.unclaimed:
        return DrawStep.DONE
    return DrawStep.OVERDUE if now > find_claim_deadline(raffle) else DrawStep.CLAIMS


def _list_missing_dates(raffle: Any) -> list[datetime]:
    """Return the dates of a sealed raffle's sources whose values are not there; of a drum, its own.

    The sealing has fixed the first date of each source. Values can leave the decision to a later
    one: they are void, nothing was published, or their number was not sold.
    """
    if raffle.draw_method == DrawMethod.RECORDED_DRUM:
        return [raffle.draw_at] if raffle.draw_at is not None else []
    if not raffle.has_readings:
        return [datetime.fromisoformat(entry["at"]) for entry in raffle.sealed_sources or []]
    sealed = SealedList.objects.defer("numbers").get(raffle=raffle)
    states = source_readings.load_source_states(raffle, sealed)
    return [state.at for state in states if not state.is_ready]


def find_claim_deadline(raffle: Any) -> datetime:
    """Return until when the first unclaimed prize of a drawn raffle can be claimed."""
    return claim_deadlines.compute_claim_end(
        raffle.unclaimed_since, claim_days=raffle.claim_days, time_zone=raffle.time_zone
    )


_FIXED_SENTENCES: Final = {
    DrawStep.SELL: "Its sale goes on.",
    DrawStep.RULES: "Numbers were sold before anybody said how it is drawn.",
    DrawStep.CLOSE: "Its sale is over, but it is not closed yet.",
    DrawStep.TOO_FEW: "Fewer numbers are sold than the rules ask for: it can only be called off.",
    DrawStep.VALUES: "Sealed. The values have been published, or come now.",
    DrawStep.CONFIRM_VALUES: "Values were entered; another person must confirm them.",
    DrawStep.DRAW: "Sealed, and all values are there.",
    DrawStep.ANEW: "Values were declared void: what was drawn from them is drawn anew.",
    DrawStep.DONE: "Drawn, and every prize is claimed.",
}
"""What is said about a step whose sentence names no counts and times."""


def _describe_step(raffle: Any, step: DrawStep, *, now: datetime) -> str:
    if sentence := _FIXED_SENTENCES.get(step):
        return sentence
    match step:
        case DrawStep.DECIDE:
            return _describe_open_orders(raffle, now=now)
        case DrawStep.SEAL:
            return f"Everything is decided.{_describe_sealing_time(raffle, now=now)}"
        case DrawStep.WAIT:
            at = display.format_time_with_zone(
                min(_list_missing_dates(raffle)), zone=raffle.time_zone
            )
            return f"Sealed. It waits for {at}."
        case DrawStep.CONFIRM_WINNERS:
            return f"Drawn. {_count(raffle.unconfirmed, 'winner')} to confirm."
        case DrawStep.TELL:
            return f"Drawn. {_count(raffle.untold, 'winner')} to tell."
        case _:
            until = display.format_time(find_claim_deadline(raffle), zone=raffle.time_zone)
            still = "to be claimed" if step is DrawStep.CLAIMS else "not claimed"
            return f"Drawn. {_count(raffle.unclaimed, 'prize')} {still} until {until}."


def _describe_open_orders(raffle: Any, *, now: datetime) -> str:
    """Return how many orders are open, and until when somebody may decide about them."""
    count = _count(raffle.held + raffle.late, "order")
    if sale_rules.has_public_source(raffle) and raffle.draw_at and raffle.draw_at > now:
        at = display.format_time(raffle.draw_at, zone=raffle.time_zone)
        return f"{count} to decide before {at}; afterwards nobody may."
    return f"{count} to decide before it can be sealed."


def _describe_sealing_time(raffle: Any, *, now: datetime) -> str:
    if sale_rules.has_public_source(raffle) and raffle.draw_at and raffle.draw_at > now:
        at = display.format_time(raffle.draw_at, zone=raffle.time_zone)
        return f" Seal it before {at}, or the next date of the source decides."
    return ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
