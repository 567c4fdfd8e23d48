"""Admin of payment proofs, and the views that send their files and pictures."""

from http import HTTPStatus
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.changelists.read_only import ReadOnlyAdmin
from backoffice.messaging.contacts import contact_search
from backoffice.orders import search
from backoffice.orders.changelist.filters import (
    ProofOrderFilter,
    ProofStatusFilter,
    ProofVerdictFilter,
)
from backoffice.orders.proofs import proof_cards, proof_files
from backoffice.orders.proofs.proof_cards import PROOF_DISPLAY_LABELS, ProofDisplay
from backoffice.ui import display, file_responses
from shared.core import enums
from shared.core.enums import OrderStatus, Verdict
from shared.raffles.models import PaymentProof
from shared.raffles.rendering.renderer import RendererBusy
from shared.raffles.services.payment_proofs import renditions
from shared.raffles.services.payment_proofs.renditions import RenditionKind

_FILE_PERMISSIONS: Final = (
    "raffles.view_paymentproof",
    "raffles.view_order",
    "raffles.change_order",
)
"""Each of these permissions is enough to see the files."""

_CACHE_CONTROL: Final = "private, max-age=3600"
"""The file of a proof never changes; the review page prefetches the next one."""

_FILE_LABELS: Final = PROOF_DISPLAY_LABELS | {ProofDisplay.FILE: "Other file"}


@admin.register(PaymentProof)
class PaymentProofAdmin(ReadOnlyAdmin):
    """All payment proofs, with and without an order."""

    menu_name = "Payment proofs"
    list_display = ("id", "decided_at", "buyer", "kind", "judged", "is_late", "arrived")
    list_filter = (ProofOrderFilter, ProofVerdictFilter, ProofStatusFilter)
    list_select_related = ("order__raffle", "contact")
    search_fields: ClassVar[tuple[str, ...]] = ("sha256",)
    search_help_text = "Order code, phone, name or SHA-256"
    change_form_template = "admin/raffles/paymentproof/change_form.html"

    @admin.display(description="Order", ordering="order")
    def decided_at(self, proof: PaymentProof) -> SafeString:
        """Return a link to the page where staff decide about the proof."""
        return format_html(
            '<a href="{}">{}</a>', build_decision_url(proof), proof.order or "No order yet"
        )

    @admin.display(description="Buyer")
    def buyer(self, proof: PaymentProof) -> str:
        """Return name and phone number of the buyer."""
        return display.format_contact(proof.contact)

    @admin.display(description="File", ordering="status")
    def kind(self, proof: PaymentProof) -> str:
        """Return the kind of file, or that it is still being fetched."""
        return _FILE_LABELS[proof_cards.choose_proof_display(proof)]

    @admin.display(description="Verdict", ordering="verdict")
    def judged(self, proof: PaymentProof) -> SafeString:
        """Return the verdict as a badge."""
        verdict = Verdict(proof.verdict)
        return display.render_badge(
            enums.format_label(verdict), style=proof_cards.get_verdict_style(verdict)
        )

    @admin.display(description="Late", ordering="late")
    def is_late(self, proof: PaymentProof) -> str:
        """Return "Late" if its order had ended before the proof was sent."""
        return "Late" if proof.late else ""

    @admin.display(description="Arrived", ordering="arrived_at")
    def arrived(self, proof: PaymentProof) -> str:
        """Return the time the buyer sent it."""
        return _format_arrival_time(proof)

    def find_rows(
        self, request: HttpRequest, queryset: QuerySet[PaymentProof], term: str
    ) -> QuerySet[PaymentProof]:
        """Return the proofs with an order code, buyer or hash, in any spelling."""
        found = search.search_proofs(queryset, term)
        if found.too_many:
            contact_search.warn_about_many_matches(request)
        return found.proofs

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses of the file and its pictures, and Django's own."""
        view = self.admin_site.admin_view
        return [
            path(f"<id:proof_id>/{name}/", view(send, True), name=f"raffles_paymentproof_{name}")
            for name, send in (
                ("file", proof_file_view),
                ("picture", proof_picture_view),
                ("thumbnail", proof_thumbnail_view),
            )
        ] + super().get_urls()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Return the page of one proof, shown as on the page of its order."""
        proof: PaymentProof = kwargs["obj"]
        zone = proof.order.raffle.time_zone if proof.order else "UTC"
        context |= {
            "shown": proof_cards.build_proof_cards([proof], zone=zone)[0],
            "buyer": display.format_contact(proof.contact),
            "decided_at": build_decision_url(proof),
        }
        return super().render_change_form(request, context, *args, **kwargs)


def build_decision_url(proof: PaymentProof) -> str:
    """Return the address of the page where staff decide about a proof."""
    second = proof.verdict == Verdict.PENDING and (
        proof.order is not None and proof.order.status == OrderStatus.PAID
    )
    if proof.order is None or second:
        return reverse("admin:desk_orphan", args=[proof.pk])
    return reverse("admin:desk_review", args=[proof.order_id])


def proof_file_view(request: HttpRequest, proof_id: int) -> HttpResponseBase:
    """Return the file of a proof, for staff who may see proofs or orders."""
    proof = _load_visible_proof(request, proof_id)
    response = proof_files.build_proof_file_response(proof)
    response["Cache-Control"] = _CACHE_CONTROL
    return response


def proof_thumbnail_view(request: HttpRequest, proof_id: int) -> HttpResponseBase:
    """Return the thumbnail of a proof, for staff who may see proofs or orders."""
    return _send_rendition(request, proof_id, RenditionKind.THUMBNAIL)


def proof_picture_view(request: HttpRequest, proof_id: int) -> HttpResponseBase:
    """Return the bounded picture of a proof, for staff who may see proofs or orders."""
    return _send_rendition(request, proof_id, RenditionKind.PICTURE)


def _send_rendition(request: HttpRequest, proof_id: int, kind: RenditionKind) -> HttpResponseBase:
    proof = _load_visible_proof(request, proof_id)
    try:
        picture = (
            renditions.load_rendition(proof, kind) if proof_cards.is_proof_showable(proof) else None
        )
    except RendererBusy:
        return HttpResponse(status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "5"})
    if picture is None:
        raise Http404("There is no picture of it.")
    response = file_responses.build_jpeg_response(picture)
    response["Cache-Control"] = _CACHE_CONTROL
    return response


def _load_visible_proof(request: HttpRequest, proof_id: int) -> PaymentProof:
    if not any(request.user.has_perm(permission) for permission in _FILE_PERMISSIONS):
        raise PermissionDenied
    return get_object_or_404(PaymentProof.objects.select_related("order"), pk=proof_id)


def _format_arrival_time(proof: PaymentProof) -> str:
    if proof.order is None:
        return display.format_time(proof.arrived_at)
    return display.format_time(proof.arrived_at, zone=proof.order.raffle.time_zone)
