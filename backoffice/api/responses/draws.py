"""Response models of draws: rules, sources and their values, the sealed list, and the results."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from backoffice.api.responses.orders import ActorResponse
from shared.core.enums import SourceKind
from shared.publishing import draw_representations
from shared.publishing.draw_representations import DrawnPrize, SealedDraw, SourceDate, Winner
from shared.publishing.representations import Moment, Representation
from shared.raffles import models
from shared.raffles.draws import draw_methods
from shared.raffles.draws.draw_models import (
    DrawResult,
    DrawRules,
    DrawSource,
    PrizeClaim,
    SealedList,
    SourceReading,
)
from shared.raffles.services.draws import claim_deadlines, draw_rules, drawing
from shared.raffles.services.draws.draw_rules import ChosenRules, ChosenSource
from shared.raffles.services.draws.drawing import DrawInputs
from shared.raffles.services.draws.source_readings import SourceState


class PrizeResponse(Representation):
    """A prize; the first one is drawn first."""

    position: int = Field(examples=[1])
    title: str = Field(examples=["a motorbike"])


class DrawRulesResponse(Representation):
    """The rules of a draw, as buyers read them."""

    text: str = Field(examples=["Rules of the draw: Summer Raffle\n…"])
    sha256: str | None = Field(description="Of the text, in hex; null: it can still change.")
    frozen_at: Moment | None = Field(description="When the first number was sold.")
    unsold_rule: str = Field(
        examples=["NEXT_SOLD_UPWARDS"],
        description="If the digits of a lottery were not sold: NEXT_SOLD_UPWARDS or "
        "NEXT_SOURCE_DATE.",
    )
    minimum_sold: int
    claim_days: int = Field(examples=[30], description="Days within which a prize is claimed.")


class SourceReadingResponse(Representation):
    """Values of a source, or the stub of a drum; they count once confirmed, unless void."""

    values: list[str] = Field(
        examples=[["5", "12", "33"]], description="As published; none: nothing was."
    )
    link: str = Field(description="Where they can be seen; may be empty if there is a photo.")
    at: Moment | None = Field(description="The source's date; null: a stub.")
    entered_by: ActorResponse
    entered_at: Moment
    confirmed_by: ActorResponse | None = Field(description="Whoever entered them, if one draws.")
    confirmed_at: Moment | None = Field(description="null: they wait for a second person.")
    void_reason: str | None = Field(
        description="SOURCE_VOID or MISREAD; null: they were not declared void."
    )
    void_comment: str
    void_proposed: bool = Field(
        description="One person declared them void; they count until another one does so, too."
    )


class StubResponse(SourceReadingResponse):
    """The stub of a drum that was drawn for a prize."""

    prize: int = Field(examples=[1], description="Place of the prize.")


class DrawSourceResponse(SourceDate):
    """A public source, its date that decides, and its values."""

    value_count: int = Field(description="How many values it publishes.")
    lowest: int
    highest: int = Field(description="Of its numbers; 0 of drand, whose value is 64 hex digits.")
    due: bool = Field(description="The list is sealed and the date has come.")
    ready: bool = Field(description="Its values are entered and confirmed.")
    reading: SourceReadingResponse | None = Field(description="The values of that date.")
    earlier: list[SourceReadingResponse] = Field(
        description="Those that do not count: void, or digits that were not sold."
    )


class DrawInputsResponse(Representation):
    """What the next step is computed from; send the fingerprint with it."""

    fingerprint: str = Field(description="Of list, values and prizes; another one is refused.")
    prizes: list[int] = Field(description="Places of the prizes that it draws; none: all are.")
    missing: list[str] = Field(
        examples=[["drand quicknet"]],
        description="Sources, or prizes of a drum, whose values are not entered and confirmed yet.",
    )
    key_string: str | None = Field(
        examples=["5.12.33./"], description="Of RFC 3797, with PUBLIC_VALUE once nothing misses."
    )


class DrawResultResponse(DrawnPrize):
    """A number that was drawn, and what became of the prize."""

    selection: int = Field(description="Of RFC 3797, from 0, among the same values.")
    state: str = Field(
        examples=["UNCONFIRMED"],
        description="UNCONFIRMED, CONFIRMED, CLAIMED, or REPLACED by a later attempt.",
    )
    claim_until: Moment
    confirmed_at: Moment | None
    claimed_at: Moment | None
    winner: Winner | None = Field(description="null: no person has confirmed it yet.")


class DrawResponse(Representation):
    """The draw of a raffle, from its rules to its claimed prizes."""

    id: int
    title: str = Field(examples=["Summer Raffle"])
    status: str = Field(examples=["SEALED"], description="Of the raffle.")
    method: str | None = Field(
        examples=["PUBLIC_VALUE"],
        description="PUBLIC_VALUE, LOTTERY_DIGITS or RECORDED_DRUM; null as `rules`.",
    )
    rules: DrawRulesResponse | None = Field(
        description="null: numbers were sold before the raffle had rules; a person chooses them."
    )
    prizes: list[PrizeResponse]
    sources: list[DrawSourceResponse] = Field(description="In the order of the rules.")
    stubs: list[StubResponse] = Field(description="Of a drum: those that wait for the draw.")
    sealed: SealedDraw | None = Field(description="null: the list is not sealed yet.")
    inputs: DrawInputsResponse | None = Field(description="null: the list is not sealed yet.")
    results: list[DrawResultResponse] = Field(
        description="Every attempt, in the order in which they were drawn."
    )


class DrawStepResponse(DrawResponse):
    """A draw after values were entered, or after it was drawn."""

    already: bool = Field(description="It was so before; nothing changed.")


def build_draw_response(raffle: models.Raffle, *, now: datetime) -> DrawResponse:
    """Return the response for the draw of a raffle at a time."""
    return DrawResponse(**_build_draw_fields(raffle, now=now))


def build_step_response(raffle: models.Raffle, *, already: bool, now: datetime) -> DrawStepResponse:
    """Return the response for a draw after a step.

    Args:
        raffle: the raffle, as it is after the step.
        already: whether the step had been made before.
        now: the current time.

    """
    return DrawStepResponse(**_build_draw_fields(raffle, now=now), already=already)


def _build_draw_fields(raffle: models.Raffle, *, now: datetime) -> dict[str, Any]:
    sealed = SealedList.objects.defer("numbers").filter(raffle=raffle).first()
    inputs = drawing.load_inputs(raffle, sealed) if sealed is not None else None
    needs_rules = draw_rules.need_rules(raffle.pk)
    chosen = draw_rules.load_chosen_rules(raffle)
    return {
        "id": raffle.pk,
        "title": raffle.title,
        "status": raffle.status,
        "method": None if needs_rules else chosen.method.value,
        "rules": None if needs_rules else _build_rules(raffle, chosen),
        "prizes": [
            PrizeResponse(position=place, title=title)
            for place, title in enumerate(chosen.prizes, start=1)
        ],
        "sources": [] if needs_rules else _build_sources(raffle, chosen, inputs=inputs, now=now),
        "stubs": [_build_stub(stub) for stub in inputs.stubs] if inputs else [],
        "sealed": sealed
        and draw_representations.represent_sealed_draw(sealed, method=raffle.draw_method),
        "inputs": inputs and _build_inputs(inputs),
        "results": _build_results(raffle),
    }


def _build_rules(raffle: models.Raffle, chosen: ChosenRules) -> DrawRulesResponse:
    rules = DrawRules.objects.filter(raffle=raffle).first()
    return DrawRulesResponse(
        text=draw_rules.load_rule_text(raffle),
        sha256=rules.sha256 or None if rules else None,
        frozen_at=rules.frozen_at if rules else None,
        unsold_rule=chosen.unsold_rule,
        minimum_sold=chosen.minimum_sold or max(len(chosen.prizes), 1),
        claim_days=chosen.claim_days,
    )


def _build_sources(
    raffle: models.Raffle, chosen: ChosenRules, *, inputs: DrawInputs | None, now: datetime
) -> list[DrawSourceResponse]:
    """Return the sources: those of the rules, and once sealed with the dates that decide."""
    if inputs is not None:
        return [_build_sealed_source(state, now=now) for state in inputs.states]
    return [
        _build_source(source, position=position, at=source.at or raffle.draw_at)
        for position, source in enumerate(chosen.sources, start=1)
    ]


def _build_sealed_source(state: SourceState, *, now: datetime) -> DrawSourceResponse:
    return _build_source(
        state.source,
        position=state.source.position,
        at=state.at,
        round_number=state.round_number,
        due=now >= state.at,
        ready=state.is_ready,
        reading=None if state.reading is None else _build_reading(state.reading),
        earlier=[_build_reading(reading) for reading in state.earlier],
    )


def _build_source(
    source: DrawSource | ChosenSource,
    *,
    position: int,
    at: datetime | None,
    round_number: int | None = None,
    due: bool = False,
    ready: bool = False,
    reading: SourceReadingResponse | None = None,
    earlier: Sequence[SourceReadingResponse] = (),
) -> DrawSourceResponse:
    return DrawSourceResponse(
        position=position,
        kind=source.kind,
        name=source.name,
        url=source.url,
        at=at,
        chain=draw_methods.DRAND_CHAIN if source.kind == SourceKind.DRAND else None,
        round=round_number,
        value_url=draw_representations.build_value_url(source.url, round_number=round_number),
        value_count=source.value_count,
        lowest=source.lowest,
        highest=source.highest,
        due=due,
        ready=ready,
        reading=reading,
        earlier=list(earlier),
    )


def _build_reading(reading: SourceReading) -> SourceReadingResponse:
    return SourceReadingResponse(**_build_reading_fields(reading))


def _build_stub(stub: SourceReading) -> StubResponse:
    assert stub.prize is not None  # noqa: S101 - a constraint of the database: a stub has one
    return StubResponse(**_build_reading_fields(stub), prize=stub.prize.position)


def _build_reading_fields(reading: SourceReading) -> dict[str, Any]:
    confirmed_by = ActorResponse(kind=reading.confirmed_kind.lower(), label=reading.confirmed_by)
    return {
        "values": reading.values,
        "link": reading.link,
        "at": reading.at,
        "entered_by": ActorResponse(kind=reading.entered_kind.lower(), label=reading.entered_by),
        "entered_at": reading.entered_at,
        "confirmed_by": confirmed_by if reading.confirmed_at else None,
        "confirmed_at": reading.confirmed_at,
        "void_reason": reading.void_reason or None,
        "void_comment": reading.void_comment,
        "void_proposed": reading.is_void_proposed,
    }


def _build_inputs(inputs: DrawInputs) -> DrawInputsResponse:
    return DrawInputsResponse(
        fingerprint=inputs.fingerprint,
        prizes=[prize.position for prize in inputs.prizes],
        missing=list(inputs.missing),
        key_string=inputs.key_string or None,
    )


def _build_results(raffle: models.Raffle) -> list[DrawResultResponse]:
    results = list(DrawResult.objects.filter(raffle=raffle).select_related("prize", "raffle"))
    claims = (
        PrizeClaim.objects.filter(result__raffle=raffle).select_related("order__contact").in_bulk()
    )
    latest = {result.prize_id: result.pk for result in results}
    return [
        DrawResultResponse(
            **draw_representations.represent_drawn_prize(result, raffle=raffle).model_dump(),
            selection=result.selection,
            claim_until=claim_deadlines.compute_claim_deadline(result),
            **_build_claim_fields(
                claims.get(result.pk), replaced=latest[result.prize_id] != result.pk
            ),
        )
        for result in results
    ]


def _build_claim_fields(claim: PrizeClaim | None, *, replaced: bool) -> dict[str, Any]:
    """Return what became of a result: its claim, if a person has confirmed the winner."""
    state = "UNCONFIRMED"
    if replaced:
        state = "REPLACED"
    elif claim is not None:
        state = "CLAIMED" if claim.claimed_at else "CONFIRMED"
    return {
        "state": state,
        "confirmed_at": claim and claim.confirmed_at,
        "claimed_at": claim and claim.claimed_at,
        "winner": claim and draw_representations.represent_winner(claim.order),
    }
