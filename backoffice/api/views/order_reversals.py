"""Views that undo the confirmation of a payment, or note its refund.

Both name the confirmation they answer, so that a repeated request never reverses a later one.
"""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.api import scopes
from backoffice.api.openapi import examples
from backoffice.api.openapi.schema import describe_refusals
from backoffice.api.responses import base, orders
from backoffice.api.serializers.order_decisions import (
    RefundSerializer,
    UndoSerializer,
    validate_body,
)
from backoffice.api.views.order_decisions import OrderDecisionView
from shared.core.enums import Scope
from shared.raffles.errors import (
    CashSaleNotUndone,
    ConfirmationReplaced,
    OrderNotFound,
    OrderNotPaid,
    OrderRefunded,
)
from shared.use_cases import reversals


class UndoConfirmationView(OrderDecisionView):
    """`POST /api/orders/{id or code}/undo-confirmation`."""

    @extend_schema(
        operation_id="order_undo_confirmation",
        tags=["orders"],
        request=UndoSerializer,
        responses={
            200: orders.UndoResponse,
            **describe_refusals(
                OrderNotFound(reference="R-7K3F9"),
                OrderNotPaid(status="PENDING_PAYMENT"),
                ConfirmationReplaced(confirmation_id=112),
                OrderRefunded(by="ana", at=None),
                CashSaleNotUndone(),
                *examples.TOO_LATE_REFUSALS,
            ),
        },
    )
    def post(self, request: Request, **_: str) -> Response:
        """Undo the confirmation of a payment that was a mistake.

        The order is under review again, holds its numbers, and the buyer is told, once: a repeat
        changes nothing and says so. From then on a person must decide: a token cannot confirm it.
        """
        body = validate_body(UndoSerializer(data=request.data))
        outcome = reversals.undo_confirmation(
            self.load_order().pk, **body, by=scopes.get_actor(request), now=timezone.now()
        )
        return base.render_response(
            orders.build_undo_response(
                self.load_order(),
                confirmation_id=body["confirmation_id"],
                already=outcome.repeated,
            )
        )


class RefundOrderView(OrderDecisionView):
    """`POST /api/orders/{id or code}/refund`."""

    scope = Scope.ADMIN

    @extend_schema(
        operation_id="order_refund",
        tags=["orders"],
        request=RefundSerializer,
        responses={
            200: orders.OrderRefundResponse,
            **describe_refusals(
                OrderNotFound(reference="R-7K3F9"),
                OrderNotPaid(status="PENDING_PAYMENT"),
                ConfirmationReplaced(confirmation_id=112),
            ),
        },
    )
    def post(self, request: Request, **_: str) -> Response:
        """Note that the money of a paid order goes back.

        The order is cancelled and its numbers are free again; once its raffle is sealed, it stays
        paid and only the refund is noted. The buyer is told, once: a repeat changes nothing and
        says so. No money is moved by it.
        """
        body = validate_body(RefundSerializer(data=request.data))
        outcome = reversals.refund_order(
            self.load_order().pk, **body, by=scopes.get_actor(request), now=timezone.now()
        )
        return base.render_response(
            orders.build_refund_response(self.load_order(), already=outcome.repeated)
        )
