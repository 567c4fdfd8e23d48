"""View of the decision about a payment that came too late."""

import secrets
from typing import Any, Final, assert_never

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.api import already_done, scopes
from backoffice.api.late_decisions import LatePaymentDecision
from backoffice.api.openapi import examples
from backoffice.api.openapi.schema import describe_refusals
from backoffice.api.responses import base, orders
from backoffice.api.serializers.order_decisions import ResolutionSerializer, validate_body
from backoffice.api.views.order_decisions import (
    AlreadyDecided,
    OrderDecisionView,
    decide_once,
    format_numbers_in_refusal,
    render_decision_needed,
)
from shared.raffles.errors import (
    DecisionMade,
    NumbersTaken,
    NumbersUnknown,
    OrderNotFound,
    OrderRefunded,
    QuantityOutOfBounds,
    TooFewLeft,
)
from shared.raffles.models import Order
from shared.raffles.proof_errors import ProofElsewhere, ProofNotViewable, ProofUnseen
from shared.raffles.results import NeedsDecision
from shared.use_cases import late_payments

_format_three_digits: Final = "{:03d}".format


class ResolveLatePaymentView(OrderDecisionView):
    """`POST /api/orders/{id or code}/resolve-late`."""

    @extend_schema(
        operation_id="order_resolve_late",
        tags=["orders"],
        request=ResolutionSerializer,
        responses={
            200: orders.ResolutionResponse,
            **describe_refusals(
                OrderNotFound(reference="R-7K3F9"),
                DecisionMade(by="ana", at=None),
                *examples.TOO_LATE_REFUSALS,
                OrderRefunded(by="ana", at=None),
                ProofUnseen(proof_ids=[12]),
                ProofNotViewable(proof_ids=[12]),
                TooFewLeft(available=1),
                format_numbers_in_refusal(
                    NumbersTaken(taken=[7], free=[13]), format_number=_format_three_digits
                ),
                format_numbers_in_refusal(
                    NumbersUnknown(unknown=[5000], first=1, last=999),
                    format_number=_format_three_digits,
                ),
                QuantityOutOfBounds(minimum=2, maximum=2),
                ProofElsewhere(proof_ids=[3]),
            ),
        },
    )
    def post(self, request: Request, **_: str) -> Response:
        """Decide about a payment that came too late.

        Sell the old numbers after all, or others in their place, or note that the money goes back.
        The buyer is told, once: a repeat of the same decision changes nothing and says so.
        """
        body = validate_body(ResolutionSerializer(data=request.data))
        decision, numbers = LatePaymentDecision(body["decision"]), body.get("numbers")

        def act(order: Order) -> object:
            return _resolve_late_payment(order, decision, body, request)

        def is_resolved(order: Order) -> bool:
            return already_done.is_resolved(order, decision=decision, numbers=numbers)

        outcome = decide_once(self.load_order(), act, unless=is_resolved)
        order = self.load_order()
        if isinstance(outcome, NeedsDecision):
            return render_decision_needed(order, outcome)
        already = isinstance(outcome, AlreadyDecided)
        return base.render_response(
            orders.build_resolution_response(order, decision=decision, already=already)
        )


def _resolve_late_payment(
    order: Order, decision: LatePaymentDecision, body: dict[str, Any], request: Request
) -> object:
    by, now = scopes.get_actor(request), timezone.now()
    seen, note = body.get("proofs"), body["note"]
    match decision:
        case LatePaymentDecision.TAKE_BACK:
            return late_payments.take_back_numbers(
                order.pk, by=by, now=now, seen_proofs=seen, reason=note
            )
        case LatePaymentDecision.REPLACE:
            return late_payments.replace_numbers(
                order.pk,
                numbers=body.get("numbers"),
                pivot=secrets.randbits(31),
                by=by,
                now=now,
                seen_proofs=seen,
                reason=note,
            )
        case LatePaymentDecision.REFUND:
            return late_payments.note_refund(order.pk, note=note, by=by, now=now, seen_proofs=seen)
        case _:
            assert_never(decision)
