"""Views of orders: the list and a single order."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backoffice.api import filters
from backoffice.api.filters import OrderFilterSet
from backoffice.api.openapi.schema import describe_refusals
from backoffice.api.pagination import IdPaginator
from backoffice.api.responses import base, orders
from shared.core.enums import Scope
from shared.publishing import representations
from shared.raffles.errors import OrderNotFound
from shared.raffles.models import Order
from shared.raffles.services.queries import order_queries


class OrderListView(APIView):
    """`GET /api/orders?status=PENDING_PAYMENT`."""

    scope = Scope.READ

    @extend_schema(
        operation_id="orders_list",
        tags=["orders"],
        parameters=filters.build_filter_parameters(OrderFilterSet),
        responses={200: orders.OrderPageResponse},
    )
    def get(self, request: Request) -> Response:
        """List orders.

        The oldest first unless asked for otherwise. A parameter that does not exist is refused.
        """
        rows = filters.filter_rows(OrderFilterSet, request.query_params, Order.objects.all())
        page = IdPaginator(request).get_page(
            rows, load_from=representations.query_represented_orders()
        )
        results = [representations.represent_order(order) for order in page.rows]
        return base.render_response(
            orders.OrderPageResponse(**page.response_fields, results=results)
        )


class OrderDetailView(APIView):
    """`GET /api/orders/{id or code}`."""

    scope = Scope.READ

    @extend_schema(
        operation_id="order_retrieve",
        tags=["orders"],
        responses={
            200: orders.OrderDetailResponse,
            **describe_refusals(OrderNotFound(reference="R-7K3F9")),
        },
    )
    def get(self, request: Request, **_: str) -> Response:  # noqa: ARG002 - DRF gives it
        """Show an order with its history."""
        order = load_represented_order(self.kwargs["id"])
        return base.render_response(orders.build_order_detail_response(order))


def load_represented_order(reference: str) -> Order:
    """Return an order with the related rows that its responses show.

    Args:
        reference: the order's id, or its code in any spelling.

    Raises:
        OrderNotFound: there is no such order.

    """
    order_id = order_queries.find_order(reference)
    return representations.query_represented_orders().get(pk=order_id)
