"""The document draw.json of a record: what a draw was computed from, in a fixed order of keys.

Pure functions of rows that were loaded. `verify.py` reads what they write.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from shared.core.enums import DrawMethod, SourceKind, VoidReason
from shared.raffles import receipt_lines
from shared.raffles.draws import draw_methods
from shared.raffles.draws.draw_models import DrawResult, DrawSource, SourceReading
from shared.raffles.services.draws.records.record_state import RecordState

FORMAT: Final = "raffle-draw-1"


def build_draw_document(state: RecordState) -> dict[str, Any]:
    """Return the content of draw.json; it names no buyer and no member of staff."""
    raffle, sealed = state.raffle, state.sealed
    lottery = raffle.draw_method == DrawMethod.LOTTERY_DIGITS
    return {
        "format": FORMAT,
        "reference": receipt_lines.build_raffle_reference(raffle.pk),
        "title": raffle.title,
        "rule_text": state.rules.text,
        "rule_sha256": state.rules.sha256,
        "method": raffle.draw_method.lower(),
        "unsold_rule": state.rules.unsold_rule.lower() if lottery else None,
        "ticket_digits": raffle.width,
        "prizes": [{"prize": prize.position, "title": prize.title} for prize in state.prizes],
        "sources": _list_sources(state),
        "stubs": _list_stubs(state),
        "list_sha256": sealed.sha256,
        "count": sealed.count,
        "sealed_at": format_time(sealed.sealed_at),
        "chain_head": sealed.chain_head,
        "chain_length": sealed.chain_length,
        "two_people": sealed.two_people,
        "attempts": _list_attempts(state),
    }


def write_json(document: Mapping[str, Any]) -> bytes:
    """Return a document of a record in UTF-8, its keys in their order."""
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def format_time(at: datetime | None) -> str | None:
    """Return a time in UTC as ISO 8601."""
    return None if at is None else at.astimezone(UTC).isoformat()


def _list_sources(state: RecordState) -> list[dict[str, Any]]:
    if state.raffle.draw_method == DrawMethod.RECORDED_DRUM:
        return []
    first_dates = {entry["position"]: entry for entry in state.sealed.sources}
    return [
        _describe_source(state, source, first_date=first_dates[source.position])
        for source in state.sources
    ]


def _describe_source(
    state: RecordState, source: DrawSource, *, first_date: Mapping[str, Any]
) -> dict[str, Any]:
    drand = source.kind == SourceKind.DRAND
    numbers = _number_readings(state)
    return {
        "source": source.position,
        "kind": source.kind.lower(),
        "name": source.name,
        "link": source.url,
        "chain": draw_methods.DRAND_CHAIN if drand else None,
        "value_count": source.value_count,
        "lowest": source.lowest,
        "highest": source.highest,
        "repeats_values": source.repeats_values,
        "first_date": format_time(datetime.fromisoformat(first_date["at"])),
        "skipped_dates": first_date["date_index"],
        "repeat_days": source.repeat_days,
        "readings": [
            {
                "reading": numbers[reading.pk],
                "date": format_time(reading.at),
                "round": draw_methods.compute_drand_round(reading.at)
                if drand and reading.at is not None
                else None,
                **_describe_reading(state, reading),
            }
            for reading in state.readings
            if reading.source_id == source.pk
        ],
    }


def _list_stubs(state: RecordState) -> list[dict[str, Any]]:
    numbers = _number_readings(state)
    positions = {prize.pk: prize.position for prize in state.prizes}
    return [
        {
            "reading": numbers[reading.pk],
            "prize": positions[reading.prize_id],
            "attempt": reading.attempt,
            "date": None,
            "round": None,
            **_describe_reading(state, reading),
        }
        for reading in state.readings
        if reading.prize_id is not None
    ]


def _describe_reading(state: RecordState, reading: SourceReading) -> dict[str, Any]:
    confirmed = reading.confirmed_at is not None
    entered_by = (reading.entered_kind, reading.entered_id)
    by_two = confirmed and (reading.confirmed_kind, reading.confirmed_id) != entered_by
    return {
        "values": list(reading.values),
        "link": reading.link,
        "photo_sha256": state.photo_hashes.get(reading.pk),
        "entered_at": format_time(reading.entered_at),
        "confirmed_at": format_time(reading.confirmed_at),
        "people": 2 if by_two else 1,
        "void": None
        if reading.voided_at is None
        else {
            "reason": reading.void_reason.lower(),
            "comment": reading.void_comment,
            "people": _count_void_people(reading),
            "at": format_time(reading.voided_at),
            "ended_inputs": _number_ended_inputs(state.readings).get(reading.pk),
        },
    }


def _count_void_people(reading: SourceReading) -> int:
    """Return how many people declared values void; one may call misread what nobody confirmed."""
    by_one = reading.confirmed_at is None and reading.void_reason == VoidReason.MISREAD
    return 2 if reading.void_proposed_at is not None and not by_one else 1


def _number_readings(state: RecordState) -> dict[int, int]:
    """Return the numbers of readings in the record, from 1, by their ids."""
    return {reading.pk: number for number, reading in enumerate(state.readings, start=1)}


def _number_ended_inputs(readings: Sequence[SourceReading]) -> dict[int, int]:
    """Return which inputs ended when drawn values were declared void, by the reading's id."""
    ended = [(reading.voided_at, reading.pk) for reading in readings if reading.void_of_draw]
    return {pk: inputs for inputs, (_, pk) in enumerate(sorted(ended))}


def _list_attempts(state: RecordState) -> list[dict[str, Any]]:
    numbers = _number_readings(state)
    positions = {prize.pk: prize.position for prize in state.prizes}
    return [
        _describe_attempt(
            state,
            result,
            prize=positions[result.prize_id],
            readings=[numbers[pk] for pk in result.how["readings"]],
        )
        for result in state.results
    ]


def _describe_attempt(
    state: RecordState, result: DrawResult, *, prize: int, readings: Sequence[int]
) -> dict[str, Any]:
    return {
        "prize": prize,
        "attempt": result.attempt,
        "inputs": result.inputs,
        "selection": result.selection,
        "number": state.raffle.format_ticket_number(result.number),
        "readings": list(readings),
        "at": format_time(result.at),
        "reason": result.reason.lower() or None,
        "comment": result.comment,
    }
