"""Views of sales statistics: of all raffles and of a single one."""

from typing import Final

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backoffice.api import query_params
from backoffice.api.openapi.schema import describe_refusals
from backoffice.api.responses import base, statistics
from backoffice.api.responses.statistics import StatisticsSource
from backoffice.api.views.raffles import SingleRaffleView
from shared.core.enums import Scope
from shared.raffles.errors import RaffleNotFound
from shared.raffles.models import Raffle
from shared.raffles.services import sales
from shared.raffles.services.queries import pending_counts

DEFAULT_DAYS: Final = 30
MAX_RAFFLES_LISTED: Final = 200
"""Largest count of raffles with figures of their own."""
_RAFFLE_FIELDS: Final = ("title", "status", "currency", "number_count")

_DAYS_PARAMETER: Final = OpenApiParameter(
    "days",
    {"type": "integer", "minimum": 1, "maximum": sales.MAX_DAYS, "default": DEFAULT_DAYS},
    description="How many days are listed, today included.",
)


class RaffleStatisticsView(SingleRaffleView):
    """`GET /api/raffles/{id}/statistics`."""

    @extend_schema(
        operation_id="raffle_statistics",
        tags=["statistics"],
        parameters=[_DAYS_PARAMETER],
        responses={
            200: statistics.RaffleStatisticsResponse,
            **describe_refusals(RaffleNotFound(reference="7")),
        },
    )
    def get(self, request: Request, **_: str) -> Response:
        """Sum up how a raffle sells.

        Orders, numbers and money, what waits for a person, and the last days in the raffle's own
        time zone.
        """
        days = _parse_days(request)
        raffle = self.load_raffle()
        source = _load_statistics_source(raffle, zone=raffle.time_zone, days=days)
        return base.render_response(statistics.build_raffle_statistics(raffle, source))


class StatisticsView(APIView):
    """`GET /api/statistics`."""

    scope = Scope.READ

    @extend_schema(
        operation_id="statistics",
        tags=["statistics"],
        parameters=[_DAYS_PARAMETER],
        responses={200: statistics.StatisticsResponse},
    )
    def get(self, request: Request) -> Response:
        """Sum up how all raffles sell.

        Orders, numbers and money in all and of each raffle, what waits for a person, and the last
        days in the seller's time zone.
        """
        days = _parse_days(request)
        raffles = list(Raffle.objects.order_by("-pk").only(*_RAFFLE_FIELDS))
        source = _load_statistics_source(None, zone=settings.TIME_ZONE, days=days)
        numbers = sum(raffle.number_count for raffle in raffles)
        return base.render_response(
            statistics.build_statistics(raffles, source, numbers=numbers, shown=MAX_RAFFLES_LISTED)
        )


def _parse_days(request: Request) -> int:
    query_params.refuse_unknown_parameters(request.query_params, known=["days"])
    return query_params.parse_whole_number(
        request.query_params, "days", least=1, most=sales.MAX_DAYS, default=DEFAULT_DAYS
    )


def _load_statistics_source(raffle: Raffle | None, *, zone: str, days: int) -> StatisticsSource:
    now, raffle_id = timezone.now(), None if raffle is None else raffle.pk
    return StatisticsSource(
        sums=sales.load_sales_sums(
            now=now, zone=zone, days=days, raffle_id=raffle_id, everything=True
        ),
        pending=pending_counts.count_all_pending()
        if raffle_id is None
        else pending_counts.count_pending_in_raffle(raffle_id),
        zone=zone,
        loaded_at=now,
    )
