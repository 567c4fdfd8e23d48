"""Payment proofs: the list, the page, and the file itself for those who may see it."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path

from backoffice import files, words
from backoffice.admin import filters
from backoffice.admin.readonly import ReadOnlyAdmin
from backoffice.desk import review
from shared.raffles.models import PaymentProof


@admin.register(PaymentProof)
class PaymentProofAdmin(ReadOnlyAdmin):
    """Every proof that came in, also those that fit no order."""

    list_display = ("id", "order", "buyer", "status", "verdict", "late", "arrived")
    list_filter = (filters.ByHavingAnOrder, filters.ByVerdict, filters.ByProofStatus)
    list_select_related = ("order", "contact")
    search_fields: ClassVar[tuple[str, ...]] = (
        "order__code__iexact",
        "contact__wa_id",
        "contact__profile_name",
        "sha256",
    )
    search_help_text = "Order code, phone, name or SHA-256"
    change_form_template = "admin/raffles/paymentproof/change_form.html"

    @admin.display(description="Buyer")
    def buyer(self, proof: PaymentProof) -> str:
        """Name and phone."""
        return words.buyer(proof.contact)

    @admin.display(description="Arrived (UTC)", ordering="arrived_at")
    def arrived(self, proof: PaymentProof) -> str:
        """When the buyer sent it."""
        return words.clock(proof.arrived_at)

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the file."""
        file = self.admin_site.admin_view(send_file)
        return [
            path("<int:proof_id>/file/", file, name="raffles_paymentproof_file"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Draw the proof as the page of its order does."""
        proof: PaymentProof = kwargs["obj"]
        zone = proof.order.raffle.time_zone if proof.order else "UTC"
        context |= {
            "shown": review.shown_proofs([proof], zone=zone)[0],
            "buyer": words.buyer(proof.contact),
        }
        return super().render_change_form(request, context, *args, **kwargs)


def send_file(request: HttpRequest, proof_id: int) -> HttpResponseBase:
    """Send a proof's file to staff who may see proofs or orders."""
    seeing = ("raffles.view_paymentproof", "raffles.view_order", "raffles.change_order")
    if not any(request.user.has_perm(permission) for permission in seeing):
        raise PermissionDenied
    proof = get_object_or_404(PaymentProof.objects.select_related("order"), pk=proof_id)
    name = f"{proof.order or 'proof'}-{proof.pk}"
    return files.send(proof.file, content_type=proof.content_type, name=name)
