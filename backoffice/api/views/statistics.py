"""How raffles sell: in all, one by one, and day by day."""

from typing import Final

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backoffice.api import pagination, query_params
from backoffice.api.openapi.schema import describe_refusals
from backoffice.api.responses import orders, statistics
from backoffice.api.responses.statistics import StatisticsSource
from backoffice.api.views.raffles import SingleRaffleView
from shared.core.enums import Scope
from shared.raffles.errors import RaffleNotFound
from shared.raffles.models import Raffle
from shared.raffles.services import pending_counts, sales

DEFAULT_DAYS: Final = 30
MAX_RAFFLES_LISTED: Final = 200
"""Raffles that are described one by one."""

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
        raffle = self.raffle()
        read = _load_statistics_source(raffle, zone=raffle.time_zone, days=days)
        return orders.render_response(statistics.build_raffle_statistics(raffle, read))


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
        read = _load_statistics_source(None, zone=settings.TIME_ZONE, days=days)
        numbers = sum(raffle.number_count for raffle in raffles)
        return orders.render_response(
            statistics.build_statistics(raffles, read, numbers=numbers, shown=MAX_RAFFLES_LISTED)
        )


_RAFFLE_FIELDS: Final = ("title", "status", "currency", "number_count")


def _parse_days(request: Request) -> int:
    pagination.refuse_unknown_parameters(request.query_params, known=["days"])
    return query_params.parse_whole_number(
        request.query_params, "days", least=1, most=sales.MAX_DAYS, default=DEFAULT_DAYS
    )


def _load_statistics_source(raffle: Raffle | None, *, zone: str, days: int) -> StatisticsSource:
    now, key = timezone.now(), None if raffle is None else raffle.pk
    return StatisticsSource(
        sums=sales.load_sales_sums(now=now, zone=zone, days=days, raffle_id=key, everything=True),
        standing=pending_counts.count_all_pending()
        if key is None
        else pending_counts.count_pending_in_raffle(key),
        zone=zone,
        at=now,
    )
