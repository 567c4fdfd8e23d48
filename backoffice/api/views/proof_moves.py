"""View that puts a payment proof to the order that it pays."""

from datetime import UTC, datetime
from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.api import links, scopes
from backoffice.api.idempotency.idempotent_view import IdempotentView
from backoffice.api.openapi.schema import describe_refusals
from backoffice.api.responses import base, proofs
from backoffice.api.serializers.order_decisions import validate_body
from backoffice.api.serializers.proof_moves import MoveSerializer
from backoffice.api.views.proofs import load_proof
from shared.core.enums import Scope, Verdict
from shared.raffles.errors import OrderAlreadyPaid, OrderNotFound
from shared.raffles.proof_errors import (
    ProofNotFound,
    ProofNotViewable,
    ProofRowExists,
    ProofSettled,
)
from shared.raffles.services.queries import order_queries
from shared.use_cases import orphan_proofs, proof_sorting

_EXAMPLE_TIME: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class MoveProofView(IdempotentView):
    """`POST /api/proofs/{id}/move`."""

    scope = Scope.REVIEW

    @extend_schema(
        operation_id="proof_move",
        tags=["proofs"],
        request=MoveSerializer,
        responses={
            200: proofs.ProofMoveResponse,
            **describe_refusals(
                ProofNotFound(reference="12"),
                OrderNotFound(reference="R-7K3F9"),
                ProofSettled(by="ana", at=_EXAMPLE_TIME, order_code="R-4M8TQ", verdict="PENDING"),
                ProofRowExists(order_id=7, order_code="R-7K3F9"),
                ProofNotViewable(proof_ids=[12]),
                OrderAlreadyPaid(order_id=7, by="ana", at=None),
            ),
        },
    )
    def post(self, request: Request, **_: str) -> Response:
        """Put a payment proof to the order that it pays.

        Either it fits no order yet, or it moves from one order to another; `from_order` says which,
        so that of two people who move it at once only one does. That order then waits for a
        verdict. The order that loses its last proof waits for its payment again. Buyers are told
        what changes for them, once: a repeat changes nothing and says so.
        """
        body = validate_body(MoveSerializer(data=request.data))
        proof_id = load_proof(self.kwargs["id"]).pk
        source = body["from_order"]
        already = _put_to_order(
            proof_id,
            from_order_id=None if source is None else order_queries.find_order(source),
            to_order_id=order_queries.find_order(body["order"]),
            request=request,
        )
        return base.render_response(
            proofs.build_move_response(
                load_proof(str(proof_id)),
                already=already,
                public_url=links.build_base_url(request),
                now=timezone.now(),
            )
        )


def _put_to_order(
    proof_id: int, *, from_order_id: int | None, to_order_id: int, request: Request
) -> bool:
    """Attach or move a proof; return whether that was done before.

    Raises:
        DomainError: it was refused, and had not been done before.

    """
    terms: dict[str, Any] = {"by": scopes.get_actor(request), "now": timezone.now()}
    try:
        if from_order_id is None:
            orphan_proofs.attach_proof(proof_id, order_id=to_order_id, **terms)
        else:
            proof_sorting.move_proof(
                proof_id, from_order_id=from_order_id, to_order_id=to_order_id, **terms
            )
    except ProofSettled:
        proof = load_proof(str(proof_id))
        if proof.order_id == to_order_id and proof.verdict == Verdict.PENDING:
            return True
        raise
    return False
