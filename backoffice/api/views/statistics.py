"""How raffles sell: in all, one by one, and day by day."""

from typing import Final

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backoffice.api import pagination, query_params
from backoffice.api.openapi.schema import refusals
from backoffice.api.responses import orders, statistics
from backoffice.api.responses.statistics import Read
from backoffice.api.views.raffles import OneRaffle
from shared.core.enums import Scope
from shared.raffles.models import Raffle
from shared.raffles.services import pending_counts, sales
from shared.raffles.services.lifecycle import RaffleNotFound

DAYS: Final = 30
RAFFLES: Final = 200
"""Raffles that are described one by one."""

_DAYS: Final = OpenApiParameter(
    "days",
    {"type": "integer", "minimum": 1, "maximum": sales.MAX_DAYS, "default": DAYS},
    description="How many days are listed, today included.",
)


class RaffleStatistics(OneRaffle):
    """`GET /api/raffles/{id}/statistics`."""

    @extend_schema(
        operation_id="raffle_statistics",
        tags=["statistics"],
        parameters=[_DAYS],
        responses={
            200: statistics.RaffleStatistics,
            **refusals(RaffleNotFound(reference="7")),
        },
    )
    def get(self, request: Request, **_: str) -> Response:
        """Sum up how a raffle sells.

        Orders, numbers and money, what waits for a person, and the last days in the raffle's own
        time zone.
        """
        days = _days(request)
        raffle = self.raffle()
        read = _read(raffle, zone=raffle.time_zone, days=days)
        return orders.response(statistics.of_raffle(raffle, read))


class Statistics(APIView):
    """`GET /api/statistics`."""

    scope = Scope.READ

    @extend_schema(
        operation_id="statistics",
        tags=["statistics"],
        parameters=[_DAYS],
        responses={200: statistics.Statistics},
    )
    def get(self, request: Request) -> Response:
        """Sum up how all raffles sell.

        Orders, numbers and money in all and of each raffle, what waits for a person, and the last
        days in the seller's time zone.
        """
        days = _days(request)
        raffles = list(Raffle.objects.order_by("-pk").only(*_READ))
        read = _read(None, zone=settings.TIME_ZONE, days=days)
        numbers = sum(raffle.number_count for raffle in raffles)
        return orders.response(statistics.of_all(raffles, read, numbers=numbers, shown=RAFFLES))


_READ: Final = ("title", "status", "currency", "number_count")


def _days(request: Request) -> int:
    pagination.refuse_unknown(request.query_params, known=["days"])
    return query_params.whole(
        request.query_params, "days", least=1, most=sales.MAX_DAYS, default=DAYS
    )


def _read(raffle: Raffle | None, *, zone: str, days: int) -> Read:
    now, key = timezone.now(), None if raffle is None else raffle.pk
    return Read(
        sums=sales.load_sales_sums(now=now, zone=zone, days=days, raffle_id=key, everything=True),
        standing=pending_counts.count_all_pending()
        if key is None
        else pending_counts.count_pending_in_raffle(key),
        zone=zone,
        at=now,
    )
