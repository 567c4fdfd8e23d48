"""Views of raffles and of their ticket numbers."""
# ruff: noqa: ARG002 - DRF gives these arguments

import re
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

from backoffice.api import filters, links, query_params
from backoffice.api.filters import ApiChoicesFilter
from backoffice.api.openapi.schema import describe_refusals
from backoffice.api.pagination import IdPaginator
from backoffice.api.query_params import MAX_TICKET_NUMBER, MAX_TICKET_NUMBER_DIGITS
from backoffice.api.responses import base, raffles
from shared.core import enums
from shared.core.enums import RaffleStatus, Scope, TicketStatus
from shared.raffles import sale_rules
from shared.raffles.errors import RaffleNotFound
from shared.raffles.models import Raffle
from shared.raffles.services import availability
from shared.raffles.services.ticket_numbers import number_ranges
from shared.raffles.services.ticket_numbers.number_ranges import NumberRange, RangePage

_NUMBER_EXPRESSION: Final = f"[0-9]{{1,{MAX_TICKET_NUMBER_DIGITS}}}"
_RANGE_PATTERN: Final = re.compile(f"({_NUMBER_EXPRESSION})(?:-({_NUMBER_EXPRESSION}))?")
_RANGE_EXPRESSION: Final = f"{_NUMBER_EXPRESSION}(-{_NUMBER_EXPRESSION})?"
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
        {"type": "string", "pattern": f"^{_NUMBER_EXPRESSION}$"},
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


class RaffleFilterSet(django_filters.FilterSet):
    """Filters of the list of raffles."""

    status = ApiChoicesFilter(
        "status", choices=enums.build_choices(RaffleStatus), help_text="One or several."
    )

    class Meta:
        """Model without generated filters."""

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
        described = Raffle.objects.prefetch_related("prizes")
        rows = filters.filter_rows(RaffleFilterSet, request.query_params, described)
        page, now = IdPaginator(request).get_page(rows), timezone.now()
        results = [raffles.build_raffle_response(raffle, now=now) for raffle in page.rows]
        return base.render_response(
            raffles.RafflePageResponse(**page.response_fields, results=results)
        )


class SingleRaffleView(APIView):
    """Base of views whose URL names a raffle by its id."""

    scope = Scope.READ

    def load_raffle(self) -> Raffle:
        """Return the raffle that the URL names.

        Raises:
            RaffleNotFound: there is no such raffle.

        """
        raffle = Raffle.objects.filter(pk=query_params.parse_id(self.kwargs["id"])).first()
        if raffle is None:
            raise RaffleNotFound(reference=self.kwargs["id"])
        return raffle


class RaffleDetailView(SingleRaffleView):
    """`GET /api/raffles/{id}`."""

    @extend_schema(
        operation_id="raffle_retrieve",
        tags=["raffles"],
        responses={200: raffles.RaffleResponse, **describe_refusals(_RAFFLE_NOT_FOUND)},
    )
    def get(self, request: Request, **_: str) -> Response:
        """Show a raffle: what is raffled and on which terms."""
        return base.render_response(
            raffles.build_raffle_response(self.load_raffle(), now=timezone.now())
        )


class RaffleAvailabilityView(SingleRaffleView):
    """`GET /api/raffles/{id}/availability`."""

    @extend_schema(
        operation_id="raffle_availability",
        tags=["raffles"],
        responses={200: raffles.AvailabilityResponse, **describe_refusals(_RAFFLE_NOT_FOUND)},
    )
    def get(self, request: Request, **_: str) -> Response:
        """Count a raffle's numbers: free, held and sold.

        Of a large raffle the counts may be two seconds old.
        """
        raffle, now = self.load_raffle(), timezone.now()
        return base.render_response(
            raffles.build_availability_response(
                raffle,
                counts=availability.load_recent_counts(raffle.pk, now=now),
                why_not=sale_rules.get_not_selling_reason(raffle, now=now),
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
        query_params.refuse_unknown_parameters(
            request.query_params, known=[each.name for each in _NUMBERS_PARAMETERS]
        )
        raffle = self.load_raffle()
        if request.query_params.get("numbers"):
            page = RangePage(_load_named_ranges(raffle, request), after=None)
        else:
            page = _load_range_page(raffle, request)
        following = (
            None if page.after is None else _build_next_link(raffle, request, after=page.after)
        )
        return base.render_response(
            raffles.build_raffle_numbers_response(raffle, ranges=page.ranges, following=following)
        )


def _load_range_page(raffle: Raffle, request: Request) -> RangePage:
    query = request.query_params
    return number_ranges.load_range_page(
        raffle,
        after=query_params.parse_whole_number(
            query, "after", least=0, most=MAX_TICKET_NUMBER, default=None
        ),
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
    """Return the ranges of the ticket numbers that the parameter `numbers` lists.

    Raises:
        ValidationError: a number is malformed or not one of the raffle, there are too many, or
            another parameter of pages is there.

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
    ranges = number_ranges.load_ranges_of_numbers(raffle, numbers=set(chain.from_iterable(parts)))
    return [each for each in ranges if _parse_ticket_status(request) in (None, each.status)]


def _parse_number_range(word: str, *, raffle: Raffle) -> range:
    match = _RANGE_PATTERN.fullmatch(word)
    if match is None:
        raise _build_numbers_error("Write numbers and ranges with commas between, such as 7,13-20.")
    first, last = int(match[1]), int(match[2] or match[1])
    if not raffle.first_number <= first <= last <= raffle.last_number:
        bounds = (
            raffle.format_ticket_number(raffle.first_number),
            raffle.format_ticket_number(raffle.last_number),
        )
        raise _build_numbers_error(f"{word} is not from {bounds[0]} to {bounds[1]}.")
    return range(first, last + 1)


def _build_numbers_error(words: str) -> ValidationError:
    return ValidationError({"numbers": [words]})


def _build_next_link(raffle: Raffle, request: Request, *, after: int) -> str:
    parameters = request.query_params.dict() | {"after": raffle.format_ticket_number(after)}
    return links.build_link_with_query(request, urlencode(parameters))
