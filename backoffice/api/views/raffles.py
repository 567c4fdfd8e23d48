"""Raffles, their numbers, and the steps of their life."""
# ruff: noqa: ARG002 - DRF gives these arguments

import re
from collections.abc import Callable
from datetime import datetime
from itertools import chain
from typing import ClassVar, Final
from urllib.parse import urlencode

import django_filters
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backoffice.api import filters, pagination, query_params, scopes
from backoffice.api.filters import ApiChoicesFilter
from backoffice.api.idempotency import IdempotentView
from backoffice.api.openapi.schema import describe_refusals
from backoffice.api.pagination import IdPaginator
from backoffice.api.responses import orders, raffles
from shared.core import enums, logs
from shared.core.enums import RaffleStatus, Scope, TicketStatus
from shared.raffles.errors import NumbersMissing, RaffleNotFound, TransitionNotAllowed
from shared.raffles.models import Raffle
from shared.raffles.services import availability, lifecycle
from shared.raffles.services.ticket_numbers import number_ranges
from shared.raffles.services.ticket_numbers.number_ranges import NumberRange, RangePage

_RANGE_PATTERN: Final = re.compile(r"([0-9]{1,7})(?:-([0-9]{1,7}))?")
_RANGE_EXPRESSION: Final = "[0-9]{1,7}(-[0-9]{1,7})?"
_RAFFLE_NOT_FOUND: Final = RaffleNotFound(reference="7")
_NUMBERS_PARAMETERS: Final = (
    OpenApiParameter(
        "status",
        {"type": "string", "enum": [status.lower() for status in TicketStatus]},
        description="Only numbers that are free, held or sold; the case does not matter.",
    ),
    OpenApiParameter(
        "numbers",
        {"type": "string", "pattern": f"^({_RANGE_EXPRESSION}(,{_RANGE_EXPRESSION})*)?$"},
        description=(
            f"Only these, such as 7,13-20; {number_ranges.MAX_RANGES_PER_PAGE:,} at "
            "most, on one page."
        ),
    ),
    OpenApiParameter(
        "after",
        {"type": "string", "pattern": "^[0-9]{1,7}$"},
        description="What follows this number; `next` has it.",
    ),
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "default": number_ranges.MAX_RANGES_PER_PAGE},
        description=(
            f"Ranges of a page; more than {number_ranges.MAX_RANGES_PER_PAGE:,} are cut to that."
        ),
    ),
)

_log = logs.get_logger(__name__)


class RaffleFilterSet(django_filters.FilterSet):
    """What raffles are chosen by."""

    status = ApiChoicesFilter(
        "status", choices=enums.build_choices(RaffleStatus), help_text="One or several."
    )

    class Meta:
        """No filters but those above."""

        model = Raffle
        fields: ClassVar[list[str]] = []


class RaffleListView(APIView):
    """`GET /api/raffles?status=OPEN`."""

    scope = Scope.READ

    @extend_schema(
        operation_id="raffles_list",
        tags=["raffles"],
        parameters=filters.build_filter_parameters(RaffleFilterSet),
        responses={200: raffles.RafflePageResponse},
    )
    def get(self, request: Request) -> Response:
        """List raffles.

        The oldest first unless asked for otherwise. A parameter that does not exist is refused.
        """
        chosen = filters.filter_rows(RaffleFilterSet, request.query_params, Raffle.objects.all())
        page, now = IdPaginator(request).of(chosen), timezone.now()
        listed = [raffles.build_raffle_response(raffle, now=now) for raffle in page.rows]
        return orders.render_response(raffles.RafflePageResponse(**page.links, results=listed))


class SingleRaffleView(APIView):
    """An address that names a raffle by its id."""

    scope = Scope.READ

    def raffle(self) -> Raffle:
        """Give the raffle that the address names.

        Raises:
            RaffleNotFound: there is none.

        """
        found = Raffle.objects.filter(pk=query_params.parse_id(self.kwargs["id"])).first()
        if found is None:
            raise RaffleNotFound(reference=self.kwargs["id"])
        return found


class RaffleDetailView(SingleRaffleView):
    """`GET /api/raffles/{id}`."""

    @extend_schema(
        operation_id="raffle_retrieve",
        tags=["raffles"],
        responses={200: raffles.RaffleResponse, **describe_refusals(_RAFFLE_NOT_FOUND)},
    )
    def get(self, request: Request, **_: str) -> Response:
        """Show a raffle: what is raffled and on which terms."""
        return orders.render_response(
            raffles.build_raffle_response(self.raffle(), now=timezone.now())
        )


class RaffleAvailabilityView(SingleRaffleView):
    """`GET /api/raffles/{id}/availability`."""

    @extend_schema(
        operation_id="raffle_availability",
        tags=["raffles"],
        responses={200: orders.AvailabilityResponse, **describe_refusals(_RAFFLE_NOT_FOUND)},
    )
    def get(self, request: Request, **_: str) -> Response:
        """Count a raffle's numbers: free, held and sold.

        Of a large raffle the counts may be two seconds old.
        """
        raffle, now = self.raffle(), timezone.now()
        return orders.render_response(
            orders.build_availability_response(
                raffle,
                counts=availability.load_recent_counts(raffle.pk, now=now),
                why_not=availability.get_not_selling_reason(raffle, now=now),
            )
        )


class RaffleNumbersView(SingleRaffleView):
    """`GET /api/raffles/{id}/numbers`."""

    @extend_schema(
        operation_id="raffle_numbers",
        tags=["raffles"],
        parameters=list(_NUMBERS_PARAMETERS),
        responses={200: raffles.RaffleNumbersResponse, **describe_refusals(_RAFFLE_NOT_FOUND)},
    )
    def get(self, request: Request, **_: str) -> Response:
        """List the numbers of a raffle as ranges.

        Numbers in a row that are all free, all held or all sold are one range, so a million of them
        fit on a few pages. While numbers are sold, each page is as things are when it is read.
        """
        pagination.refuse_unknown_parameters(
            request.query_params, known=[each.name for each in _NUMBERS_PARAMETERS]
        )
        raffle = self.raffle()
        if request.query_params.get("numbers"):
            page = RangePage(_load_named_ranges(raffle, request), after=None)
        else:
            page = _load_range_page(raffle, request)
        following = (
            None if page.after is None else _build_next_url(raffle, request, after=page.after)
        )
        return orders.render_response(
            raffles.build_raffle_numbers_response(raffle, ranges=page.ranges, following=following)
        )


class _RaffleLifecycleView(IdempotentView, SingleRaffleView):
    """An address at which a raffle takes a step of its life."""

    scope = Scope.ADMIN

    def step(
        self, act: Callable[..., Raffle], request: Request, *, to: RaffleStatus, now: datetime
    ) -> Response:
        """Take a step; what stands there already stays so and says so.

        Args:
            act: a function of `lifecycle`.
            request: who asks.
            to: the status it leads to.
            now: the clock.

        Raises:
            RaffleNotFound, TransitionNotAllowed, NumbersMissing.

        """
        raffle, already = self.raffle(), False
        try:
            raffle = act(raffle.pk, now=now)
        except TransitionNotAllowed as refused:
            already = refused.details["current"] == to
            if not already:
                raise
            raffle.refresh_from_db()
        else:
            by = scopes.get_actor(request)
            _log.info("raffle_moved", raffle=raffle.pk, to=to.value, kind=by.kind, by=by.id)
        return orders.render_response(
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
                TransitionNotAllowed(current="CLOSED", wanted="OPEN"),
            ),
        },
    )
    def post(self, request: Request, **_: str) -> Response:
        """Let a raffle sell, for the first time or after a pause.

        A repeat changes nothing and says so.
        """
        return self.step(lifecycle.open_raffle, request, to=RaffleStatus.OPEN, now=timezone.now())


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
        return self.step(lifecycle.pause, request, to=RaffleStatus.PAUSED, now=timezone.now())


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
        return self.step(lifecycle.close, request, to=RaffleStatus.CLOSED, now=timezone.now())


def _load_range_page(raffle: Raffle, request: Request) -> RangePage:
    query = request.query_params
    after = query_params.parse_whole_number(query, "after", least=0, most=9_999_999, default=0)
    return number_ranges.load_range_page(
        raffle,
        after=after if query.get("after") else None,
        limit=query_params.parse_whole_number(
            query, "limit", least=1, default=number_ranges.MAX_RANGES_PER_PAGE
        ),
        status=_parse_ticket_status(request),
    )


def _parse_ticket_status(request: Request) -> TicketStatus | None:
    status = request.query_params.get("status", "").upper()
    if status and status not in set(TicketStatus):
        raise ValidationError({"status": ["Choose available, reserved or sold."]})
    return TicketStatus(status) if status else None


def _load_named_ranges(raffle: Raffle, request: Request) -> list[NumberRange]:
    """Look up the numbers that are asked for by name.

    Raises:
        ValidationError: some of them are none, or there are too many.

    """
    words = query_params.parse_list(request.query_params, "numbers")
    parts = [_parse_number_range(word, raffle=raffle) for word in words]
    if sum(map(len, parts)) > number_ranges.MAX_RANGES_PER_PAGE:
        raise _build_numbers_error(
            f"Ask for {number_ranges.MAX_RANGES_PER_PAGE:,} numbers at most."
        )
    for name in ("after", "limit"):
        if request.query_params.get(name):
            raise ValidationError({name: ["Numbers that are named come on one page."]})
    found = number_ranges.load_ranges_of_numbers(raffle, numbers=set(chain.from_iterable(parts)))
    return [each for each in found if _parse_ticket_status(request) in (None, each.status)]


def _parse_number_range(word: str, *, raffle: Raffle) -> range:
    found = _RANGE_PATTERN.fullmatch(word)
    if found is None:
        raise _build_numbers_error("Write numbers and ranges with commas between, such as 7,13-20.")
    first, last = int(found[1]), int(found[2] or found[1])
    if not raffle.first_number <= first <= last <= raffle.last_number:
        bounds = (
            raffle.format_ticket_number(raffle.first_number),
            raffle.format_ticket_number(raffle.last_number),
        )
        raise _build_numbers_error(f"{word} is not from {bounds[0]} to {bounds[1]}.")
    return range(first, last + 1)


def _build_numbers_error(words: str) -> ValidationError:
    return ValidationError({"numbers": [words]})


def _build_next_url(raffle: Raffle, request: Request, *, after: int) -> str:
    query = request.query_params.dict() | {"after": raffle.format_ticket_number(after)}
    return f"{pagination.build_base_url(request)}{request.path}?{urlencode(query)}"
