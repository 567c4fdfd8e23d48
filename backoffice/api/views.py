"""The endpoints: each checks its input, calls one use case and describes what came of it."""
# ruff: noqa: ARG002 - DRF gives these arguments

from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import NotFound
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backoffice.api import representations
from backoffice.api.errors import problem
from backoffice.api.serializers import Cancellation, Confirmation, OrderQuery
from shared.conversation import described, settlement
from shared.conversation.settlement import AlreadySettled, NeedsDecision, Settled
from shared.core.enums import ActorKind, OrderStatus
from shared.core.errors import DomainError
from shared.raffles.actor import Actor
from shared.raffles.models import Order, Raffle
from shared.raffles.services import availability, lifecycle

_DIGITS: Final = 18
"""A longer number is no key of either database."""


class AmountMismatch(DomainError):
    """The amount is not the order's total; send accept_difference to confirm all the same."""

    code = "amount_mismatch"


class ConfirmPayment(APIView):
    """`POST /api/orders/{id or code}/confirm-payment`."""

    needs = "raffles.change_order"

    def post(self, request: Request, reference: str) -> Response:
        """Sell the order's numbers to its buyer; a repeat changes nothing and says so."""
        wanted = _checked(Confirmation(data=request.data))
        order_id = settlement.find_order(reference)
        _refuse_another_amount(order_id, wanted)
        outcome = settlement.confirm_payment(
            order_id, by=_actor(request), now=timezone.now(), seen_proofs=wanted.get("proofs")
        )
        order = described.orders().get(pk=order_id)
        match outcome:
            case Settled():
                return Response(representations.confirmation(order, already_confirmed=False))
            case AlreadySettled():
                return Response(representations.confirmation(order, already_confirmed=True))
            case NeedsDecision():
                return Response(_numbers_taken(order, outcome), status=409)


class CancelOrder(APIView):
    """`POST /api/orders/{id or code}/cancel`."""

    needs = "raffles.change_order"

    def post(self, request: Request, reference: str) -> Response:
        """Give the order's numbers back; a repeat changes nothing and says so."""
        wanted = _checked(Cancellation(data=request.data))
        order_id = settlement.find_order(reference)
        already = False
        try:
            settlement.cancel_order(
                order_id, by=_actor(request), now=timezone.now(), reason=wanted["reason"]
            )
        except DomainError as error:
            already = error.details.get("status") == OrderStatus.CANCELLED
            if not already:
                raise
        order = described.orders().get(pk=order_id)
        return Response(representations.cancellation(order, already_cancelled=already))


class OrderPages(PageNumberPagination):
    """Fifty orders a page unless asked for more, two hundred at most."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class OrderList(APIView):
    """`GET /api/orders?status=PENDING_PAYMENT`."""

    needs = "raffles.view_order"

    def get(self, request: Request) -> Response:
        """List orders, the oldest first."""
        wanted = _checked(OrderQuery(data=request.query_params))
        pages = OrderPages()
        page = pages.paginate_queryset(_filtered(wanted), request, view=self)
        return pages.get_paginated_response(
            [described.order(order).model_dump(mode="json") for order in page or []]
        )


class RaffleAvailability(APIView):
    """`GET /api/raffles/{id}/availability`."""

    needs = "raffles.view_raffle"

    def get(self, request: Request, raffle_id: str) -> Response:
        """Count a raffle's numbers, free, held and sold."""
        raffle = Raffle.objects.filter(pk=_key(raffle_id)).first()
        if raffle is None:
            raise lifecycle.RaffleNotFound(reference=raffle_id)
        return Response(
            representations.availability(
                raffle,
                counts=availability.counts(raffle.pk),
                why_not=availability.why_not_selling(raffle, now=timezone.now()),
            )
        )


class Nowhere(APIView):
    """Every other address below `/api/`."""

    authentication_classes = ()
    permission_classes = ()
    http_method_names = []  # whatever the method, it comes to the line below

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Say that nothing is here."""
        raise NotFound


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


def _checked(serializer: Any) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def _refuse_another_amount(order_id: int, wanted: dict[str, Any]) -> None:
    """Compare before anything is locked: an order's total never changes."""
    amount = wanted.get("amount")
    if amount is None or wanted["accept_difference"]:
        return
    order = Order.objects.only("total", "currency").get(pk=order_id)
    if amount != order.total:
        raise AmountMismatch(
            expected=str(order.total), received=str(amount), currency=order.currency
        )


def _numbers_taken(order: Order, outcome: NeedsDecision) -> dict[str, Any]:
    written = order.raffle.written
    found: dict[str, Any] = {
        "taken": [written(number) for number in outcome.taken],
        "free": [written(number) for number in outcome.free],
        "needs_decision": True,
    }
    return problem(
        "numbers_taken",
        "The order had ended and some of its numbers belong to somebody else by now; "
        "nothing was sold, a person must decide.",
        detail=found,
        **found,
        order=described.order(order).model_dump(mode="json"),
    )


def _actor(request: Request) -> Actor:
    """Say who asks; never by the token itself, which is its own primary key."""
    kind = ActorKind.TOKEN if isinstance(request.auth, Token) else ActorKind.STAFF
    return Actor(kind, id=str(request.user.pk), label=request.user.get_username())


def _key(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else 0
