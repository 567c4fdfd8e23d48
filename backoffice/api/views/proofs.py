"""Payment proofs, and their files."""
# ruff: noqa: ARG002 - DRF gives these arguments

from datetime import UTC, datetime
from typing import Any, ClassVar, Final

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backoffice.api import filters, pagination, query_params
from backoffice.api.filters import Moment, OneOf, Text
from backoffice.api.openapi.schema import refusals
from backoffice.api.pagination import IdPages
from backoffice.api.responses import orders, proofs
from backoffice.api.responses.proofs import ProofPage
from backoffice.orders import proof_files
from backoffice.ui.file_responses import SHOWN_TYPES
from shared.core import enums
from shared.core.enums import ProofStatus, Scope, Verdict
from shared.core.errors import DomainError
from shared.publishing import signed_links
from shared.publishing.signed_links import ProofLinkBroken, ProofLinkExpired
from shared.raffles import codes
from shared.raffles.models import PaymentProof
from shared.raffles.services import orders as orders_service
from shared.raffles.services.orders import OrderNotFound

SIGNATURE: Final = "signature"
_NO_STORE: Final = "private, no-store"
"""A link is good for a week; what it led to shall not lie in a proxy for longer."""


class ProofNotFound(DomainError):
    """There is no such payment proof."""

    code = "proof_not_found"


class ProofFetching(DomainError):
    """The file of this payment proof is still being fetched; ask again in a moment."""

    code = "proof_fetching"
    retryable = True


class ProofFailed(DomainError):
    """The file of this payment proof could not be had; the buyer was asked to send it again."""

    code = "proof_failed"


class ProofFileNotFound(DomainError):
    """The storage has not got the file of this payment proof any more."""

    code = "proof_file_not_found"


_KINDS: Final = (*SHOWN_TYPES, "application/octet-stream")
_NOT_FOUND: Final = ProofNotFound(reference="12")


class ProofFilter(django_filters.FilterSet):
    """What payment proofs are chosen by."""

    order = Text(
        method="by_order", help_text="Id or code of the order; `none`: those that fit no order."
    )
    status = OneOf("status", choices=enums.build_choices(ProofStatus), help_text="One or several.")
    verdict = OneOf("verdict", choices=enums.build_choices(Verdict), help_text="One or several.")
    arrived_since = Moment("arrived_at", lookup_expr="gte", help_text="Sent then or later.")

    class Meta:
        """No filters but those above."""

        model = PaymentProof
        fields: ClassVar[list[str]] = []

    def by_order(self, rows: QuerySet[PaymentProof], _: str, order: str) -> QuerySet[PaymentProof]:
        """Keep the proofs of an order, or those without one."""
        if order.lower() == "none":
            return rows.filter(order__isnull=True)
        if key := query_params.key(order):
            return rows.filter(order=key)
        return rows.filter(order__code=codes.normalise_code(order) or "")


class ProofList(APIView):
    """`GET /api/proofs?order=none`."""

    scope = Scope.READ

    @extend_schema(
        operation_id="proofs_list",
        tags=["proofs"],
        parameters=filters.parameters(ProofFilter),
        responses={200: ProofPage},
    )
    def get(self, request: Request) -> Response:
        """List payment proofs.

        Those that fit no order are among them. The oldest first unless asked for otherwise.
        """
        return _page(request, filters.chosen(ProofFilter, request.query_params, _proofs()))


class OrderProofs(APIView):
    """`GET /api/orders/{id or code}/proofs`."""

    scope = Scope.READ

    @extend_schema(
        operation_id="order_proofs",
        tags=["proofs"],
        parameters=pagination.parameters(),
        responses={200: ProofPage, **refusals(OrderNotFound(reference="R-7K3F9"))},
    )
    def get(self, request: Request, **_: str) -> Response:
        """List the payment proofs of an order."""
        pagination.refuse_unknown(request.query_params, known=pagination.PARAMETERS)
        order_id = orders_service.find_order(self.kwargs["id"])
        return _page(request, _proofs().filter(order=order_id))


class ProofInFull(APIView):
    """`GET /api/proofs/{id}`."""

    scope = Scope.READ

    @extend_schema(
        operation_id="proof_retrieve",
        tags=["proofs"],
        responses={200: proofs.ProofInFull, **refusals(_NOT_FOUND)},
    )
    def get(self, request: Request, **_: str) -> Response:
        """Show a payment proof, with a link to its file that needs no token."""
        proof = _one(self.kwargs["id"])
        [found] = proofs.proofs([proof], public_url=pagination.base(request), now=timezone.now())
        return orders.response(found)


class ProofFile(APIView):
    """`GET /api/proofs/{id}/file`, with a token or with the signature of a link."""

    scope = Scope.READ

    def get_authenticators(self) -> list[Any]:
        """Ask for no token where a link was signed."""
        return [] if self._has_signature else super().get_authenticators()

    def get_permissions(self) -> list[Any]:
        """Let anybody in who has a signed link; `get` looks at the signature."""
        return [AllowAny()] if self._has_signature else list(super().get_permissions())

    def get_throttles(self) -> list[Any]:
        """Count no signed links: nobody says who asks, and one bad guesser must not stop all."""
        return [] if self._has_signature else super().get_throttles()

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Send the file whatever kind is asked for: only refusals are JSON."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        operation_id="proof_file",
        tags=["proofs"],
        parameters=[
            OpenApiParameter(
                SIGNATURE, str, description="As in the links of events and proofs; no token then."
            )
        ],
        responses={
            **{(200, kind): OpenApiTypes.BINARY for kind in _KINDS},
            **refusals(
                _NOT_FOUND,
                ProofFetching(),
                ProofFailed(),
                ProofFileNotFound(),
                ProofLinkBroken(),
                ProofLinkExpired(expired_at=datetime(2026, 11, 29, 12, 0, tzinfo=UTC)),
            ),
        },
    )
    def get(self, request: Request, **_: str) -> HttpResponseBase:
        """Send the file of a payment proof: the picture or PDF itself.

        A link from an event or a proof has a `signature` and needs no token; it is good for a week.
        """
        pagination.refuse_unknown(request.query_params, known=[SIGNATURE])
        if self._has_signature:
            self._check(request.query_params[SIGNATURE])
        response = _send(_one(self.kwargs["id"]))
        response["Cache-Control"] = _NO_STORE
        return response

    @property
    def _has_signature(self) -> bool:
        request = getattr(self, "request", None)  # none while the schema is written
        return request is not None and SIGNATURE in request.GET

    def _check(self, signature: str) -> None:
        """Go on only if the signature is one for this very proof.

        Raises:
            ProofLinkBroken, ProofLinkExpired.

        """
        if signed_links.verify_proof_signature(signature, now=timezone.now()) != query_params.key(
            self.kwargs["id"]
        ):
            raise ProofLinkBroken


def _proofs() -> QuerySet[PaymentProof]:
    return PaymentProof.objects.select_related("order", "contact")


def _one(reference: str) -> PaymentProof:
    proof = _proofs().filter(pk=query_params.key(reference)).first()
    if proof is None:
        raise ProofNotFound(reference=reference)
    return proof


def _page(request: Request, rows: QuerySet[PaymentProof]) -> Response:
    page = IdPages(request).of(rows)
    found = proofs.proofs(page.rows, public_url=pagination.base(request), now=timezone.now())
    return orders.response(ProofPage(**page.links, results=found))


def _send(proof: PaymentProof) -> HttpResponseBase:
    """Send a proof's file.

    Raises:
        ProofFetching, ProofFailed, ProofFileNotFound: there is none, for now or for good.

    """
    match ProofStatus(proof.status):
        case ProofStatus.FETCHING:
            raise ProofFetching
        case ProofStatus.FAILED:
            raise ProofFailed
        case ProofStatus.KEPT:
            try:
                return proof_files.send(proof)
            except Http404:
                raise ProofFileNotFound from None
