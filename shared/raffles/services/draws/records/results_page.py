"""The page with the results of a draw, to put anywhere: one HTML file, no scripts, no buyer."""

from datetime import datetime
from importlib import resources
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.template import Context, Engine

from shared.core.enums import RedrawReason, VoidReason
from shared.raffles import receipt_lines
from shared.raffles.draws.draw_models import DrawResult, SourceReading
from shared.raffles.services.draws import drawing, winners
from shared.raffles.services.draws.records import explanation, verify
from shared.raffles.services.draws.records.record_state import RecordState

_REDRAW_REASONS: Final = {
    RedrawReason.UNCLAIMED: "the prize was not claimed in time",
    RedrawReason.DECLINED: "the winner declined",
    RedrawReason.INELIGIBLE: "the winner may not take part",
    RedrawReason.UNREACHABLE: "the winner could not be reached",
    RedrawReason.SOURCE_VOID: "the former values do not count",
}
_VOID_REASONS: Final = {
    VoidReason.MISREAD: "it is not what was published",
    VoidReason.SOURCE_VOID: "nothing was published, or it was declared void by the source",
}
_PACKAGE: Final = "shared.raffles.services.draws.records"


def build_results_page(state: RecordState) -> str:
    """Return the results page of a sealed raffle.

    Winners are published as first name and last two digits, and only with their consent.
    """
    template = resources.files(_PACKAGE).joinpath("results.html").read_text(encoding="utf-8")
    context = {
        "raffle": state.raffle,
        "prizes": _list_prizes(state),
        "explanation": explanation.explain_draw(state),
        "sealed": state.sealed,
        "sealed_at": _format_moment(state, state.sealed.sealed_at),
        "readings": [_describe_reading(state, reading) for reading in state.readings],
        "attempts": [_describe_attempt(state, result) for result in state.results],
        "rules": state.rules,
        "reference": receipt_lines.build_raffle_reference(state.raffle.pk),
        "honest_limit": verify.HONEST_LIMIT,
    }
    return Engine().from_string(template).render(Context(context))


def _list_prizes(state: RecordState) -> list[dict[str, Any]]:
    latest = state.list_latest_results()
    prizes = []
    for prize in state.prizes:
        result = latest.get(prize.pk)
        claim = state.claims.get(result.pk) if result is not None else None
        number = state.raffle.format_ticket_number(result.number) if result is not None else ""
        prizes.append(
            {
                "title": prize.title,
                "number": number,
                "winner": winners.format_public_name(claim, ticket=number) if claim else "",
                "claimed": bool(claim and claim.claimed_at is not None),
            }
        )
    return prizes


def _describe_reading(state: RecordState, reading: SourceReading) -> dict[str, Any]:
    names = {source.pk: source.name for source in state.sources}
    prizes = {prize.pk: prize.title for prize in state.prizes}
    return {
        "name": names.get(reading.source_id or 0) or prizes.get(reading.prize_id or 0),
        "at": _format_moment(state, reading.at or reading.entered_at),
        "values": " ".join(reading.values) or "nothing was published",
        "link": reading.link,
        "void": "" if reading.voided_at is None else _VOID_REASONS[VoidReason(reading.void_reason)],
        "comment": reading.void_comment,
        "waits": reading.confirmed_at is None and reading.voided_at is None,
    }


def _describe_attempt(state: RecordState, result: DrawResult) -> dict[str, Any]:
    prizes = {prize.pk: prize.title for prize in state.prizes}
    void = [reading.pk for reading in state.readings if reading.void_of_draw]
    return {
        "prize": prizes[result.prize_id],
        "attempt": result.attempt,
        "number": state.raffle.format_ticket_number(result.number),
        "at": _format_moment(state, result.at),
        "reason": _REDRAW_REASONS[RedrawReason(result.reason)] if result.reason else "",
        "comment": result.comment,
        "is_void": drawing.is_void(result, void=void),
    }


def _format_moment(state: RecordState, moment: datetime) -> str:
    local = moment.astimezone(ZoneInfo(state.raffle.time_zone))
    return f"{local:%Y-%m-%d %H:%M} {state.raffle.time_zone}"
