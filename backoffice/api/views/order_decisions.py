"""Views of the decisions about an order: confirm, reject, cancel.

A repeated request gets the same response, with a field that says so. If the request names payment
proofs, a newer pending proof of the order stops the decision.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.api import already_done, scopes
from backoffice.api.idempotency.idempotent_view import IdempotentView
from backoffice.api.openapi import examples
from backoffice.api.openapi.schema import describe_refusals
from backoffice.api.responses import base, orders
from backoffice.api.serializers.order_decisions import (
    CancellationSerializer,
    ConfirmationSerializer,
    RejectionSerializer,
    validate_body,
)
from backoffice.api.views.orders import load_represented_order
from shared.core.constants import MAX_NOTE_LENGTH
from shared.core.enums import RejectReason, Scope
from shared.core.errors import DomainError
from shared.publishing import representations
from shared.raffles import sale_rules
from shared.raffles.errors import (
    AmountMismatch,
    ConfirmationUndone,
    DecisionMade,
    NoteTooLong,
    NothingToReview,
    NumbersTaken,
    NumbersUnknown,
    OrderAlreadyPaid,
    OrderEnded,
    OrderNotFound,
    OrderNotPlaced,
    OrderRefunded,
    RaffleDrawn,
    RaffleSealed,
)
from shared.raffles.models import Order
from shared.raffles.proof_errors import ProofElsewhere, ProofNotViewable, ProofUnseen
from shared.raffles.results import AlreadySettled, NeedsDecision
from shared.use_cases import order_endings, payments


def format_numbers_in_refusal(
    refusal: DomainError, *, format_number: Callable[[int], str]
) -> DomainError:
    """Replace the ticket numbers in a refusal's details by their formatted texts.

    Args:
        refusal: the refusal; it is changed in place.
        format_number: the formatter of the raffle's ticket numbers.

    Returns:
        The same refusal.

    """
    if isinstance(refusal, NumbersTaken | NumbersUnknown):
        refusal.details = {
            name: [format_number(number) for number in value]
            if isinstance(value, list)
            else format_number(value)
            for name, value in refusal.details.items()
        }
    return refusal


@dataclass(frozen=True, slots=True)
class AlreadyDecided:
    """Outcome of a decision that had been made before; nothing changed."""


class OrderDecisionView(IdempotentView):
    """Base of views that decide about one order, which the URL names by its id or code."""

    scope = Scope.REVIEW

    def load_order(self) -> Order:
        """Return the order that the URL names, as it is now.

        Raises:
            OrderNotFound: there is no such order.

        """
        return load_represented_order(self.kwargs["id"])


class ConfirmPaymentView(OrderDecisionView):
    """`POST /api/orders/{id or code}/confirm-payment`."""

    @extend_schema(
        operation_id="order_confirm_payment",
        tags=["orders"],
        request=ConfirmationSerializer,
        responses={
            200: orders.ConfirmationResponse,
            **describe_refusals(
                OrderNotFound(reference="R-7K3F9"),
                OrderNotPlaced(order_id=7),
                *examples.TOO_LATE_REFUSALS,
                ConfirmationUndone(by="ana", at=None),
                OrderRefunded(by="ana", at=None),
                ProofUnseen(proof_ids=[12]),
                ProofNotViewable(proof_ids=[12]),
                DecisionMade(by="ana", at=None),
                examples.NUMBERS_TAKEN_PROBLEM,
                AmountMismatch(
                    expected=Decimal("150.00"), received=Decimal("149.99"), currency="USD"
                ),
                NoteTooLong(maximum=MAX_NOTE_LENGTH),
                ProofElsewhere(proof_ids=[3]),
            ),
        },
    )
    def post(self, request: Request, **_: str) -> Response:
        """Confirm the payment of an order.

        Its numbers are sold and the buyer is told, once: a repeat changes nothing and says so. An
        order that had ended gets its numbers back if all are free; otherwise it is flagged, nothing
        is sold, and a person must decide. So must a person after an undone confirmation: a token is
        refused.
        """
        body = validate_body(ConfirmationSerializer(data=request.data))
        order = self.load_order()
        outcome = payments.confirm_payment(
            order.pk,
            by=scopes.get_actor(request),
            now=timezone.now(),
            seen_proofs=body.get("proofs"),
            received=None if body["accept_difference"] else body.get("amount"),
            reason=_build_reason(order, body),
        )
        order = self.load_order()
        if isinstance(outcome, NeedsDecision):
            return render_decision_needed(order, outcome)
        already = isinstance(outcome, AlreadySettled)
        return base.render_response(orders.build_confirmation_response(order, already=already))


class CancelOrderView(OrderDecisionView):
    """`POST /api/orders/{id or code}/cancel`."""

    @extend_schema(
        operation_id="order_cancel",
        tags=["orders"],
        request=CancellationSerializer,
        responses={
            200: orders.CancellationResponse,
            **describe_refusals(
                OrderNotFound(reference="R-7K3F9"),
                OrderAlreadyPaid(order_id=7, by="ana", at=None),
                OrderEnded(status="EXPIRED", by="time ran out", at=None),
                RaffleSealed(raffle_id=1),
                RaffleDrawn(raffle_id=1),
                ProofUnseen(proof_ids=[12]),
                ProofElsewhere(proof_ids=[3]),
            ),
        },
    )
    def post(self, request: Request, **_: str) -> Response:
        """Cancel an order that is not paid.

        Its numbers are free again and the buyer is told, once: a repeat changes nothing and says
        so.
        """
        body = validate_body(CancellationSerializer(data=request.data))

        def act(order: Order) -> None:
            order_endings.cancel_order(
                order.pk,
                by=scopes.get_actor(request),
                now=timezone.now(),
                reason=body["reason"],
                seen_proofs=body.get("proofs"),
            )

        outcome = decide_once(self.load_order(), act, unless=already_done.is_cancelled)
        already = isinstance(outcome, AlreadyDecided)
        return base.render_response(
            orders.build_cancellation_response(self.load_order(), already=already)
        )


class RejectPaymentView(OrderDecisionView):
    """`POST /api/orders/{id or code}/reject-payment`."""

    @extend_schema(
        operation_id="order_reject_payment",
        tags=["orders"],
        request=RejectionSerializer,
        responses={
            200: orders.RejectionResponse,
            **describe_refusals(
                OrderNotFound(reference="R-7K3F9"),
                NothingToReview(order_id=7, by=None, at=None),
                OrderAlreadyPaid(order_id=7, by="ana", at=None),
                OrderEnded(status="EXPIRED", by="time ran out", at=None),
                RaffleSealed(raffle_id=1),
                RaffleDrawn(raffle_id=1),
                ProofUnseen(proof_ids=[12]),
                ProofElsewhere(proof_ids=[3]),
            ),
        },
    )
    def post(self, request: Request, **_: str) -> Response:
        """Turn down the payment proofs of an order.

        The buyer is told why, once, and the time to pay runs anew: a repeat changes nothing and
        says so. Once the time of the draw has come, the order is cancelled instead. Of an order
        that was paid too late the decision is then made: it stays ended.
        """
        body = validate_body(RejectionSerializer(data=request.data))

        def act(order: Order) -> None:
            payments.reject_payment(
                order.pk,
                reason=RejectReason(body["reason"]),
                note=body["note"],
                by=scopes.get_actor(request),
                now=timezone.now(),
                seen_proofs=body.get("proofs"),
            )

        outcome = decide_once(self.load_order(), act, unless=already_done.is_rejected)
        already = isinstance(outcome, AlreadyDecided)
        return base.render_response(
            orders.build_rejection_response(self.load_order(), already=already)
        )


def decide_once[Outcome](
    order: Order, act: Callable[[Order], Outcome], *, unless: Callable[[Order], bool]
) -> Outcome | AlreadyDecided:
    """Make a decision, or detect that the same decision was made before.

    Args:
        order: the order.
        act: the decision.
        unless: whether the same decision was made before and still holds; called if `act` fails.

    Returns:
        The result of `act`, or `AlreadyDecided`.

    Raises:
        DomainError: the decision was refused and had not been made before.

    """
    try:
        return act(order)
    except DomainError as refusal:
        order.refresh_from_db()
        if unless(order):
            return AlreadyDecided()
        raise format_numbers_in_refusal(
            refusal, format_number=order.raffle.format_ticket_number
        ) from None


def _build_reason(order: Order, body: dict[str, Any]) -> str:
    """Return the reason of a confirmation for the order's history."""
    amount = body.get("amount")
    difference = ""
    if amount is not None and amount != order.total:
        difference = f"{amount} {order.currency} accepted for {order.total}"
    return " · ".join(part for part in (body["reference"], body["note"], difference) if part)


def render_decision_needed(order: Order, outcome: NeedsDecision) -> Response:
    """Return the response 409 for an ended order that was paid and cannot have its numbers."""
    fields: dict[str, Any] = {
        "taken": [order.raffle.format_ticket_number(number) for number in outcome.taken],
        "free": [order.raffle.format_ticket_number(number) for number in outcome.free],
        "needs_decision": True,
    }
    code, why = _explain_needed_decision(order, outcome)
    problem = orders.DecisionNeededResponse(
        code=code,
        message=f"{why} Nothing was sold; a person must decide.",
        detail=fields,
        retryable=False,
        order=representations.represent_order(order),
        **fields,
    )
    return base.render_response(problem, status=409)


def _explain_needed_decision(order: Order, outcome: NeedsDecision) -> tuple[str, str]:
    """Return the code and the sentences that say why an ended order was not sold."""
    refusal = sale_rules.find_settling_refusal(order.raffle, now=timezone.now())
    if refusal is not None:
        return refusal.code, refusal.message()
    if outcome.taken:
        return (
            NumbersTaken.code,
            "The order had ended and some of its numbers belong to somebody else by now.",
        )
    return (
        OrderEnded.code,
        "The order was cancelled, and only a person may give it its numbers back.",
    )
