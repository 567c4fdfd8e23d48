"""Views of payment proofs and of their files."""
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

from backoffice.api import filters, links, pagination, query_params
from backoffice.api.filters import (
    ApiBooleanFilter,
    ApiChoicesFilter,
    ApiDateTimeFilter,
    ApiTextFilter,
)
from backoffice.api.openapi.schema import describe_refusals
from backoffice.api.pagination import IdPaginator
from backoffice.api.responses import base, proofs
from backoffice.api.responses.proofs import ProofPageResponse
from backoffice.orders import search
from backoffice.orders.proofs import proof_files
from backoffice.ui.file_responses import DOWNLOAD_CONTENT_TYPES, INLINE_CONTENT_TYPES
from shared.core import enums
from shared.core.enums import ProofStatus, Scope, Verdict
from shared.core.errors import DomainError
from shared.publishing import signed_links
from shared.publishing.errors import ProofLinkBroken, ProofLinkExpired
from shared.raffles import codes
from shared.raffles.errors import OrderNotFound
from shared.raffles.models import PaymentProof
from shared.raffles.predicates import UNSORTED_PROOFS
from shared.raffles.proof_errors import ProofNotFound
from shared.raffles.services.queries import order_queries

SIGNATURE_PARAMETER: Final = "signature"
_NO_STORE: Final = "private, no-store"
"""`Cache-Control` of files: a link is valid for a week, and no proxy may keep its file longer."""


class ProofFileFetching(DomainError):
    """The file of this payment proof is still being fetched; ask again in a moment."""

    code = "proof_fetching"
    retryable = True


class ProofFileFailed(DomainError):
    """The file of this payment proof cannot be opened; the buyer was asked for another one."""

    code = "proof_failed"


class ProofFileErased(DomainError):
    """The file of this payment proof was erased with the personal data of its buyer."""

    code = "proof_erased"


class ProofFileNotFound(DomainError):
    """The storage has not got the file of this payment proof any more."""

    code = "proof_file_not_found"


_CONTENT_TYPES: Final = (
    *INLINE_CONTENT_TYPES,
    *DOWNLOAD_CONTENT_TYPES,
    "application/octet-stream",
)
_PROOF_NOT_FOUND: Final = ProofNotFound(reference="12")


class ProofFilterSet(django_filters.FilterSet):
    """Filters of the list of payment proofs."""

    order = ApiTextFilter(
        method="filter_by_order",
        help_text="Id or code of the order; `none`: those that fit no order.",
    )
    status = ApiChoicesFilter(
        "status", choices=enums.build_choices(ProofStatus), help_text="One or several."
    )
    verdict = ApiChoicesFilter(
        "verdict", choices=enums.build_choices(Verdict), help_text="One or several."
    )
    to_sort = ApiBooleanFilter(
        method="filter_by_sorting",
        help_text="A person sorts it: it fits no order, or its order is paid already.",
    )
    arrived_since = ApiDateTimeFilter(
        "arrived_at", lookup_expr="gte", help_text="Sent then or later."
    )
    search = ApiTextFilter(
        method="filter_by_search",
        help_text="As on the page of proofs: order code, phone, name or SHA-256, in any spelling.",
    )

    class Meta:
        """Model without generated filters."""

        model = PaymentProof
        fields: ClassVar[list[str]] = []

    def filter_by_order(
        self, rows: QuerySet[PaymentProof], _: str, reference: str
    ) -> QuerySet[PaymentProof]:
        """Keep the proofs of an order, or with `none` those without an order."""
        if reference.lower() == "none":
            return rows.filter(order__isnull=True)
        if order_id := query_params.parse_id(reference):
            return rows.filter(order=order_id)
        return rows.filter(order__code=codes.normalise_code(reference) or "")

    def filter_by_search(
        self, rows: QuerySet[PaymentProof], _: str, term: str
    ) -> QuerySet[PaymentProof]:
        """Keep the proofs that the same search finds on the page.

        Raises:
            ValidationError: too many buyers match, so the result would be incomplete.

        """
        result = search.search_proofs(rows, term)
        filters.refuse_too_many_buyers(result.too_many, parameter="search")
        return result.proofs

    def filter_by_sorting(
        self, rows: QuerySet[PaymentProof], _: str, wanted: bool
    ) -> QuerySet[PaymentProof]:
        """Keep the proofs that stand in the list of receipts to sort, or the others."""
        return rows.filter(UNSORTED_PROOFS) if wanted else rows.exclude(UNSORTED_PROOFS)


class ProofListView(APIView):
    """`GET /api/proofs?order=none`."""

    scope = Scope.READ

    @extend_schema(
        operation_id="proofs_list",
        tags=["proofs"],
        parameters=filters.build_filter_parameters(ProofFilterSet),
        responses={200: ProofPageResponse},
    )
    def get(self, request: Request) -> Response:
        """List payment proofs.

        Those that fit no order are among them. The oldest first unless asked for otherwise.
        """
        return _render_proof_page(
            request, filters.filter_rows(ProofFilterSet, request.query_params, _query_proofs())
        )


class OrderProofListView(APIView):
    """`GET /api/orders/{id or code}/proofs`."""

    scope = Scope.READ

    @extend_schema(
        operation_id="order_proofs",
        tags=["proofs"],
        parameters=pagination.build_page_parameters(),
        responses={200: ProofPageResponse, **describe_refusals(OrderNotFound(reference="R-7K3F9"))},
    )
    def get(self, request: Request, **_: str) -> Response:
        """List the payment proofs of an order."""
        query_params.refuse_unknown_parameters(
            request.query_params, known=pagination.PAGE_PARAMETERS
        )
        order_id = order_queries.find_order(self.kwargs["id"])
        return _render_proof_page(request, _query_proofs().filter(order=order_id))


class ProofDetailView(APIView):
    """`GET /api/proofs/{id}`."""

    scope = Scope.READ

    @extend_schema(
        operation_id="proof_retrieve",
        tags=["proofs"],
        responses={200: proofs.ProofDetailResponse, **describe_refusals(_PROOF_NOT_FOUND)},
    )
    def get(self, request: Request, **_: str) -> Response:
        """Show a payment proof, with a link to its file that needs no token."""
        proof = load_proof(self.kwargs["id"])
        [response] = proofs.build_proof_responses(
            [proof], public_url=links.build_base_url(request), now=timezone.now()
        )
        return base.render_response(response)


class ProofFileView(APIView):
    """`GET /api/proofs/{id}/file`, with a token or with the signature of a link."""

    scope = Scope.READ

    def get_authenticators(self) -> list[Any]:
        """Return no authenticators for a signed link."""
        return [] if self._has_signature else super().get_authenticators()

    def get_permissions(self) -> list[Any]:
        """Return `AllowAny` for a signed link; `get` verifies the signature."""
        return [AllowAny()] if self._has_signature else list(super().get_permissions())

    def get_throttles(self) -> list[Any]:
        """Return no throttles for a signed link.

        Such requests name no caller, and one who guesses signatures must not stop all others.
        """
        return [] if self._has_signature else super().get_throttles()

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Ignore the `Accept` header: the response is the file, and only errors are JSON."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        operation_id="proof_file",
        tags=["proofs"],
        parameters=[
            OpenApiParameter(
                SIGNATURE_PARAMETER,
                str,
                description="As in the links of events and proofs; no token then.",
            )
        ],
        responses={
            **{(200, kind): OpenApiTypes.BINARY for kind in _CONTENT_TYPES},
            **describe_refusals(
                _PROOF_NOT_FOUND,
                ProofFileFetching(),
                ProofFileFailed(),
                ProofFileErased(),
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
        query_params.refuse_unknown_parameters(request.query_params, known=[SIGNATURE_PARAMETER])
        if self._has_signature:
            self._verify_signature(request.query_params[SIGNATURE_PARAMETER])
        response = _build_proof_file_response(load_proof(self.kwargs["id"]))
        response["Cache-Control"] = _NO_STORE
        return response

    @property
    def _has_signature(self) -> bool:
        request = getattr(self, "request", None)  # None while the schema is generated
        return request is not None and SIGNATURE_PARAMETER in request.GET

    def _verify_signature(self, signature: str) -> None:
        """Raise an error unless the signature is valid for the proof that the URL names.

        Raises:
            ProofLinkBroken: the signature is not valid, or it is one for another proof.
            ProofLinkExpired: the signature is too old.

        """
        proof_id = signed_links.verify_proof_signature(signature, now=timezone.now())
        if proof_id != query_params.parse_id(self.kwargs["id"]):
            raise ProofLinkBroken


def _query_proofs() -> QuerySet[PaymentProof]:
    return PaymentProof.objects.select_related("order", "contact")


def load_proof(reference: str) -> PaymentProof:
    """Return the proof with this id, with its order and contact.

    Raises:
        ProofNotFound: there is no such proof.

    """
    proof = _query_proofs().filter(pk=query_params.parse_id(reference)).first()
    if proof is None:
        raise ProofNotFound(reference=reference)
    return proof


def _render_proof_page(request: Request, rows: QuerySet[PaymentProof]) -> Response:
    page = IdPaginator(request).get_page(rows)
    results = proofs.build_proof_responses(
        page.rows, public_url=links.build_base_url(request), now=timezone.now()
    )
    return base.render_response(ProofPageResponse(**page.response_fields, results=results))


def _build_proof_file_response(proof: PaymentProof) -> HttpResponseBase:
    """Return the response with a proof's file.

    Raises:
        ProofFileFetching: the file is still being fetched.
        ProofFileFailed: the file could not be fetched.
        ProofFileErased: it was erased with the personal data of its buyer.
        ProofFileNotFound: the storage no longer has the file.

    """
    match ProofStatus(proof.status):
        case ProofStatus.FETCHING:
            raise ProofFileFetching
        case ProofStatus.FAILED:
            raise ProofFileFailed
        case ProofStatus.ERASED:
            raise ProofFileErased
        case ProofStatus.KEPT:
            try:
                return proof_files.build_proof_file_response(proof)
            except Http404:
                raise ProofFileNotFound from None
