"""Views of changes of a raffle's status."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.api import scopes
from backoffice.api.idempotency.idempotent_view import IdempotentView
from backoffice.api.openapi import examples
from backoffice.api.openapi.schema import describe_refusals
from backoffice.api.responses import base, raffles
from backoffice.api.serializers.order_decisions import CallOffSerializer, validate_body
from backoffice.api.views.raffles import SingleRaffleView
from shared.core import logs
from shared.core.enums import RaffleStatus, Scope
from shared.raffles.errors import (
    DrawDateMissing,
    DrawDateNotAhead,
    NumbersMissing,
    RaffleNotFound,
    SalesEndNotAhead,
    TimeZoneNotConfirmed,
    TransitionNotAllowed,
)
from shared.raffles.models import Raffle
from shared.raffles.services import lifecycle

_RAFFLE_NOT_FOUND: Final = RaffleNotFound(reference="7")

_log = logs.get_logger(__name__)


class _RaffleLifecycleView(IdempotentView, SingleRaffleView):
    """Base of views that change a raffle's status."""

    scope = Scope.ADMIN

    def change_status(
        self, act: Callable[..., Raffle], request: Request, *, to: RaffleStatus, now: datetime
    ) -> Response:
        """Change the raffle's status; a raffle that has the status already stays as it is.

        Args:
            act: a function of `lifecycle`.
            request: the request.
            to: the status that `act` sets.
            now: the current time.

        Returns:
            The response with the raffle; its field `already` is true if nothing changed.

        Raises:
            RaffleNotFound: there is no such raffle.
            TransitionNotAllowed: the raffle's status does not allow the change.
            NumbersMissing, TimeZoneNotConfirmed, DrawDateMissing, DrawDateNotAhead,
                SalesEndNotAhead: the raffle cannot open yet; see `lifecycle.open_raffle`.

        """
        raffle, already = self.load_raffle(), False
        by = scopes.get_actor(request)
        try:
            raffle = act(raffle.pk, by=by, now=now)
        except TransitionNotAllowed as refused:
            already = refused.details["current"] == to
            if not already:
                raise
            raffle.refresh_from_db()
        else:
            _log.info("raffle_moved", raffle=raffle.pk, to=to.value, kind=by.kind, by=by.id)
        return base.render_response(
            raffles.build_transition_response(raffle, already=already, now=now)
        )


class OpenRaffleView(_RaffleLifecycleView):
    """`POST /api/raffles/{id}/open`."""

    @extend_schema(
        operation_id="raffle_open",
        tags=["raffles"],
        request=None,
        responses={
            200: raffles.RaffleTransitionResponse,
            **describe_refusals(
                _RAFFLE_NOT_FOUND,
                NumbersMissing(missing=400),
                TimeZoneNotConfirmed(),
                DrawDateMissing(),
                DrawDateNotAhead(draw_at=examples.DRAW),
                SalesEndNotAhead(sales_end=examples.DRAW),
                TransitionNotAllowed(current="CLOSED", wanted="OPEN"),
            ),
        },
    )
    def post(self, request: Request, **_: str) -> Response:
        """Let a raffle sell, for the first time or after a pause.

        A repeat changes nothing and says so.
        """
        return self.change_status(
            lifecycle.open_raffle, request, to=RaffleStatus.OPEN, now=timezone.now()
        )


class PauseRaffleView(_RaffleLifecycleView):
    """`POST /api/raffles/{id}/pause`."""

    @extend_schema(
        operation_id="raffle_pause",
        tags=["raffles"],
        request=None,
        responses={
            200: raffles.RaffleTransitionResponse,
            **describe_refusals(
                _RAFFLE_NOT_FOUND, TransitionNotAllowed(current="CLOSED", wanted="PAUSED")
            ),
        },
    )
    def post(self, request: Request, **_: str) -> Response:
        """Let a raffle sell nothing new for a while.

        What is held can still be paid. A repeat changes nothing and says so.
        """
        return self.change_status(
            lifecycle.pause, request, to=RaffleStatus.PAUSED, now=timezone.now()
        )


class CloseRaffleView(_RaffleLifecycleView):
    """`POST /api/raffles/{id}/close`."""

    @extend_schema(
        operation_id="raffle_close",
        tags=["raffles"],
        request=None,
        responses={
            200: raffles.RaffleTransitionResponse,
            **describe_refusals(
                _RAFFLE_NOT_FOUND, TransitionNotAllowed(current="DRAFT", wanted="CLOSED")
            ),
        },
    )
    def post(self, request: Request, **_: str) -> Response:
        """End the sale of a raffle for good.

        What is held can still be paid. A repeat changes nothing and says so.
        """
        return self.change_status(
            lifecycle.close, request, to=RaffleStatus.CLOSED, now=timezone.now()
        )


class CallOffRaffleView(_RaffleLifecycleView):
    """`POST /api/raffles/{id}/call-off`."""

    @extend_schema(
        operation_id="raffle_call_off",
        tags=["raffles"],
        request=CallOffSerializer,
        responses={
            200: raffles.RaffleTransitionResponse,
            **describe_refusals(
                _RAFFLE_NOT_FOUND, TransitionNotAllowed(current="SEALED", wanted="CANCELLED")
            ),
        },
    )
    def post(self, request: Request, **_: str) -> Response:
        """Call a raffle off, for good.

        Nothing of it is sold or confirmed any more. Its orders end soon afterwards, one by one, and
        their buyers are told; paid orders stay paid until their refund is noted. A repeat changes
        nothing and says so.
        """
        body = validate_body(CallOffSerializer(data=request.data))
        return self.change_status(
            partial(lifecycle.call_off, reason=body["reason"]),
            request,
            to=RaffleStatus.CANCELLED,
            now=timezone.now(),
        )
