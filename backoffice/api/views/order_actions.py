"""Views that give an order more time, or add a note to its history."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.api import already_done, scopes
from backoffice.api.openapi import examples
from backoffice.api.openapi.schema import describe_refusals
from backoffice.api.responses import base, orders
from backoffice.api.serializers.order_decisions import NoteSerializer, validate_body
from backoffice.api.views.order_decisions import AlreadyDecided, OrderDecisionView, decide_once
from shared.raffles.errors import (
    EnoughTimeLeft,
    OrderAlreadyPaid,
    OrderEnded,
    OrderNotFound,
    OrderUnderReview,
)
from shared.raffles.models import Order
from shared.use_cases import order_deadlines, order_notes


class GiveMoreTimeView(OrderDecisionView):
    """`POST /api/orders/{id or code}/more-time`."""

    @extend_schema(
        operation_id="order_give_more_time",
        tags=["orders"],
        request=None,
        responses={
            200: orders.MoreTimeResponse,
            **describe_refusals(
                OrderNotFound(reference="R-7K3F9"),
                OrderAlreadyPaid(order_id=7, by="ana", at=None),
                OrderEnded(status="EXPIRED", by="time ran out", at=None),
                OrderUnderReview(order_id=7),
                EnoughTimeLeft(expires_at=None),
                *examples.TOO_LATE_REFUSALS,
            ),
        },
    )
    def post(self, request: Request, **_: str) -> Response:
        """Start the time to confirm or to pay an order anew.

        It never goes beyond the draw. The buyer reads the new deadline, once: a repeat within a
        minute changes nothing and says so.
        """
        now = timezone.now()

        def act(order: Order) -> None:
            order_deadlines.give_more_time(order.pk, by=scopes.get_actor(request), now=now)

        outcome = decide_once(
            self.load_order(), act, unless=lambda order: already_done.is_time_given(order, now=now)
        )
        already = isinstance(outcome, AlreadyDecided)
        return base.render_response(
            orders.build_more_time_response(self.load_order(), already=already)
        )


class AddNoteView(OrderDecisionView):
    """`POST /api/orders/{id or code}/note`."""

    @extend_schema(
        operation_id="order_add_note",
        tags=["orders"],
        request=NoteSerializer,
        responses={
            200: orders.NoteResponse,
            **describe_refusals(OrderNotFound(reference="R-7K3F9")),
        },
    )
    def post(self, request: Request, **_: str) -> Response:
        """Add a note to the history of an order, whatever its status.

        Staff read it on the order's page and beside its proofs, the buyer never. The same note
        again changes nothing and says so, unless another one was written since.
        """
        note = validate_body(NoteSerializer(data=request.data))["note"]
        order, by = self.load_order(), scopes.get_actor(request)
        already = already_done.is_noted(order, note=note, by=by)
        if not already:
            order_notes.add_order_note(order.pk, note=note, by=by, now=timezone.now())
        return base.render_response(orders.build_note_response(self.load_order(), already=already))
