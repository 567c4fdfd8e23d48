"""Orders, as lists show them."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backoffice.api import answers
from backoffice.api.pages import IdPages
from backoffice.api.serializers import OrderQuery, checked
from shared.conversation import described
from shared.core.enums import Scope
from shared.raffles.models import Order


class OrderList(APIView):
    """`GET /api/orders?status=PENDING_PAYMENT`."""

    scope = Scope.READ

    def get(self, request: Request) -> Response:
        """List orders, the oldest first."""
        wanted = checked(OrderQuery(data=request.query_params))
        page = IdPages(request).of(_filtered(wanted))
        listed = [described.order(order) for order in page.rows]
        return answers.response(answers.OrderPage(**page.links, results=listed))


def _filtered(wanted: dict[str, Any]) -> QuerySet[Order]:
    found = described.orders().order_by("id")
    if "status" in wanted:
        found = found.filter(status=wanted["status"])
    if "raffle" in wanted:
        found = found.filter(raffle=wanted["raffle"])
    if wanted["under_review"] is not None:
        found = found.filter(under_review_since__isnull=not wanted["under_review"])
    if wanted["needs_decision"] is not None:
        found = found.filter(needs_decision=wanted["needs_decision"])
    return found
