"""Result page, to be shown before everybody's eyes, with how it was computed in three sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from backoffice.raffles.draws import pages
from backoffice.raffles.draws.pages import DrawPage
from backoffice.ui import display
from shared.core.enums import DrawMethod, RedrawReason
from shared.raffles import receipt_lines
from shared.raffles.draws.draw_models import DrawResult, SealedList, SourceReading
from shared.raffles.models import Raffle
from shared.raffles.services.draws import drawing, sealed_raffles

REDRAW_LABELS: Final = {
    RedrawReason.UNCLAIMED: "Not claimed in time",
    RedrawReason.DECLINED: "The winner does not want it",
    RedrawReason.INELIGIBLE: "The winner may not take part",
    RedrawReason.UNREACHABLE: "The winner cannot be reached",
    RedrawReason.SOURCE_VOID: "The values were declared void",
}


@dataclass(frozen=True, slots=True)
class PrizeResult:
    """A prize with its latest result, the results before it, and the reason of a redraw.

    `void` says that the latest one was drawn from values that do not count.
    """

    result: DrawResult
    number: str
    earlier: Sequence[str]
    void: bool


@require_GET
def result_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Show the drawn numbers and how they were found."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.VIEW_PERMISSION)
    sealed = SealedList.objects.defer("numbers").filter(raffle=raffle).first()
    results = list(
        DrawResult.objects.filter(raffle=raffle)
        .select_related("prize")
        .order_by("prize__position", "attempt")
    )
    if sealed is None or not results:
        return redirect(pages.build_page_url(raffle.pk, DrawPage.SEAL))
    context = {
        "sealed": sealed,
        "prizes": _group_by_prize(raffle, results),
        "sentences": explain_results(raffle, sealed, results),
        "stage": request.GET.get("stage") == "yes",
    }
    if context["stage"]:
        context["template"] = "raffles/draws/stage.html"
    return pages.render_draw_page(request, raffle, DrawPage.RESULT, context)


def explain_results(
    raffle: Raffle, sealed: SealedList, results: Sequence[DrawResult]
) -> Sequence[str]:
    """Return how the latest results were found, in three sentences; void ones in two.

    Args:
        raffle: The raffle.
        sealed: Its sealed list; the numbers are not read.
        results: All results, ordered by prize and attempt.

    """
    at = display.format_time_with_zone(sealed.sealed_at, zone=raffle.time_zone)
    people = "two people" if sealed.two_people else "one person"
    first = (
        f"The list of {sealed.count:,} sold numbers was sealed on {at}, before anybody could know "
        f"the result; its fingerprint begins with {receipt_lines.format_head(sealed.sha256)}."
    )
    latest = {result.prize_id: result for result in results}.values()
    keys = {key for result in latest for key in result.how["readings"]}
    readings = SourceReading.objects.select_related("source").filter(
        pk__in=keys, voided_at__isnull=True
    )
    values = "; ".join(
        f"{reading.source}, {_shorten_values(reading)}" for reading in readings if reading.source
    )
    if not readings:
        return first, "The result does not count: what it was drawn from was declared void."
    match DrawMethod(raffle.draw_method):
        case DrawMethod.PUBLIC_VALUE:
            second = f"Then these values were published, and checked by {people}: {values}."
            third = (
                "The winning numbers follow from list and values alone by RFC 3797: whoever "
                "repeats the computation finds the same ones."
            )
        case DrawMethod.LOTTERY_DIGITS:
            second = f"Then the lottery drew, and the result was checked by {people}: {values}."
            third = (
                f"The last {raffle.width} digits are the winning number; if nobody had bought it, "
                "the rule that was fixed before the sale decided."
            )
        case DrawMethod.RECORDED_DRUM:
            second = (
                f"The stubs were drawn from a drum by hand and read by {people}, and the drawing "
                "was recorded."
            )
            third = "Every stub was checked against the sealed list, so each winner was sold."
    return first, second, third


def _shorten_values(reading: SourceReading) -> str:
    words = " ".join(reading.values)
    return words if len(words) <= 24 else f"beginning with {words[:12]}"  # noqa: PLR2004


def _group_by_prize(raffle: Raffle, results: Sequence[DrawResult]) -> list[PrizeResult]:
    by_prize: dict[int, list[DrawResult]] = {}
    void = sealed_raffles.load_void_readings(raffle.pk)
    for result in results:
        by_prize.setdefault(result.prize_id, []).append(result)
    return [
        PrizeResult(
            rows[-1],
            number=raffle.format_ticket_number(rows[-1].number),
            earlier=[
                f"Attempt {former.attempt}: {raffle.format_ticket_number(former.number)}. "
                f"{describe_redraw(following)}"
                for former, following in pairwise(rows)
            ],
            void=drawing.is_void(rows[-1], void=void),
        )
        for rows in by_prize.values()
    ]


def describe_redraw(result: DrawResult) -> str:
    """Return why a prize was drawn again: the reason and the comment."""
    label = REDRAW_LABELS[RedrawReason(result.reason)]
    return f"{label}: {result.comment}" if result.comment else f"{label}."
