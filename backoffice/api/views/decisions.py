"""What a program decides about an order: confirmed, cancelled."""

from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backoffice.api import answers, callers
from backoffice.api.errors import problem
from backoffice.api.serializers import Cancellation, Confirmation, checked
from shared.conversation import described, settlement
from shared.conversation.settlement import AlreadySettled, NeedsDecision, Settled
from shared.core.enums import OrderStatus, Scope
from shared.core.errors import DomainError
from shared.raffles.models import Order


class AmountMismatch(DomainError):
    """The amount is not the order's total; send accept_difference to confirm all the same."""

    code = "amount_mismatch"


class ConfirmPayment(APIView):
    """`POST /api/orders/{id or code}/confirm-payment`."""

    scope = Scope.REVIEW

    def post(self, request: Request, reference: str) -> Response:
        """Sell the order's numbers to its buyer; a repeat changes nothing and says so."""
        wanted = checked(Confirmation(data=request.data))
        order_id = settlement.find_order(reference)
        _refuse_another_amount(order_id, wanted)
        outcome = settlement.confirm_payment(
            order_id,
            by=callers.actor(request),
            now=timezone.now(),
            seen_proofs=wanted.get("proofs"),
        )
        order = described.orders().get(pk=order_id)
        match outcome:
            case Settled():
                return answers.response(answers.confirmation(order, already=False))
            case AlreadySettled():
                return answers.response(answers.confirmation(order, already=True))
            case NeedsDecision():
                return Response(_numbers_taken(order, outcome), status=409)


class CancelOrder(APIView):
    """`POST /api/orders/{id or code}/cancel`."""

    scope = Scope.REVIEW

    def post(self, request: Request, reference: str) -> Response:
        """Give the order's numbers back; a repeat changes nothing and says so."""
        wanted = checked(Cancellation(data=request.data))
        order_id = settlement.find_order(reference)
        already = False
        try:
            settlement.cancel_order(
                order_id, by=callers.actor(request), now=timezone.now(), reason=wanted["reason"]
            )
        except DomainError as error:
            already = error.details.get("status") == OrderStatus.CANCELLED
            if not already:
                raise
        order = described.orders().get(pk=order_id)
        return answers.response(answers.cancellation(order, already=already))


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
