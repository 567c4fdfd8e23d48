"""Views of the draw of a raffle: its inputs, entering values, drawing, and the public record."""
# ruff: noqa: ARG002 - DRF gives these arguments

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from django.http import FileResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.api import scopes
from backoffice.api.idempotency.idempotent_view import IdempotentView
from backoffice.api.openapi import examples
from backoffice.api.openapi.schema import describe_refusals
from backoffice.api.responses import base, draws
from backoffice.api.serializers.draws import DrawSerializer, ValuesSerializer
from backoffice.api.serializers.order_decisions import validate_body
from backoffice.api.views.raffles import SingleRaffleView
from shared.core import logs
from shared.core.enums import Scope
from shared.raffles.draws.draw_errors import (
    InputsChanged,
    InputsMissing,
    LinkInvalid,
    PoolExhausted,
    RaffleNotSealed,
    ValueExists,
    ValueInvalid,
    ValueNotDue,
    ValueNotFound,
)
from shared.raffles.draws.draw_models import SealedList
from shared.raffles.errors import RaffleNotFound
from shared.raffles.models import Raffle
from shared.raffles.services.draws import drawing, source_readings
from shared.raffles.services.draws.records import public_record

_RAFFLE_NOT_FOUND: Final = RaffleNotFound(reference="7")

_log = logs.get_logger(__name__)


class DrawView(IdempotentView, SingleRaffleView):
    """`GET` and `POST /api/raffles/{id}/draw`."""

    scopes: ClassVar = {"GET": Scope.READ, "POST": Scope.DRAW}

    @extend_schema(
        operation_id="draw_retrieve",
        tags=["draws"],
        responses={200: draws.DrawResponse, **describe_refusals(_RAFFLE_NOT_FOUND)},
    )
    def get(self, request: Request, **_: str) -> Response:
        """Show the draw of a raffle: rules, sources, sealed list and results.

        Who won is shown once a person has confirmed it.
        """
        return base.render_response(
            draws.build_draw_response(self.load_raffle(), now=timezone.now())
        )

    @extend_schema(
        operation_id="draw_execute",
        tags=["draws"],
        request=DrawSerializer,
        responses={
            200: draws.DrawStepResponse,
            **describe_refusals(
                _RAFFLE_NOT_FOUND,
                RaffleNotSealed(),
                InputsMissing(missing=["drand quicknet"]),
                InputsChanged(),
                PoolExhausted(),
            ),
        },
    )
    def post(self, request: Request, **_: str) -> Response:
        """Draw all prizes that are not drawn, for good.

        Results never change. The fingerprint says which inputs were looked at; if they are others
        by now, nothing is drawn. A repeat draws nothing and says so.
        """
        body = validate_body(DrawSerializer(data=request.data))
        raffle, by, now = self.load_raffle(), scopes.get_actor(request), timezone.now()
        drawn = drawing.draw(raffle.pk, fingerprint=body["fingerprint"], by=by, now=now)
        if not drawn.repeated:
            _log.info("raffle_drawn", raffle=raffle.pk, kind=by.kind, by=by.id)
        return base.render_response(
            draws.build_step_response(self.load_raffle(), already=drawn.repeated, now=now)
        )


class DrawValuesView(IdempotentView, SingleRaffleView):
    """`POST /api/raffles/{id}/draw/values`."""

    scope = Scope.DRAW

    @extend_schema(
        operation_id="draw_enter_values",
        tags=["draws"],
        request=ValuesSerializer,
        responses={
            200: draws.DrawStepResponse,
            **describe_refusals(
                _RAFFLE_NOT_FOUND,
                ValueNotFound(),
                RaffleNotSealed(),
                ValueNotDue(at=examples.DRAW),
                ValueExists(),
                ValueInvalid(problem="It publishes 3 values, not 2."),
                LinkInvalid(maximum=500),
            ),
        },
    )
    def post(self, request: Request, **_: str) -> Response:
        """Enter the values that a public source published.

        If one person draws, they count at once. If two do, a member of staff confirms them in the
        back office: a token is never the second person. The same values again change nothing and
        say so; other ones are refused, because nobody chooses among values.
        """
        body = validate_body(ValuesSerializer(data=request.data))
        raffle, by, now = self.load_raffle(), scopes.get_actor(request), timezone.now()
        already, position, values = False, body["position"], body["values"]
        try:
            source_readings.enter_values(
                raffle.pk,
                position=position,
                values=values,
                link=body["link"],
                by=by,
                now=now,
            )
        except ValueExists:
            already = _has_values(raffle, position=position, values=values)
            if not already:
                raise
        else:
            _log.info("draw_values_entered", raffle=raffle.pk, kind=by.kind, by=by.id)
        return base.render_response(draws.build_step_response(raffle, already=already, now=now))


def _has_values(raffle: Raffle, *, position: int, values: Sequence[str]) -> bool:
    """Whether a source's present date has these values, in any order and with any leading zeros."""
    sealed = SealedList.objects.defer("numbers").get(raffle=raffle)
    states = source_readings.load_source_states(raffle, sealed)
    reading = next(state.reading for state in states if state.source.position == position)
    return reading is not None and _sort_values(reading.values) == _sort_values(values)


def _sort_values(values: Sequence[str]) -> list[str]:
    return sorted(value.lower().lstrip("0") for value in values)


class DrawRecordView(SingleRaffleView):
    """`GET /api/raffles/{id}/draw/record`."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Ignore the `Accept` header: the response is the file, and only errors are JSON."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        operation_id="draw_record",
        tags=["draws"],
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            **describe_refusals(_RAFFLE_NOT_FOUND, RaffleNotSealed()),
        },
    )
    def get(self, request: Request, **_: str) -> FileResponse:
        """Send the public record of a draw: a ZIP with which anyone can verify it.

        It has no personal data. A sealed raffle has one before it is drawn, too.
        """
        raffle = self.load_raffle()
        return FileResponse(
            public_record.build_public_record(raffle),
            as_attachment=True,
            filename=public_record.build_record_name(raffle),
            content_type="application/zip",
        )
