"""Page that asks before a buyer is erased, and the export of what is stored about them."""

from tempfile import TemporaryFile
from typing import Any, Final

from django.contrib import admin, messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from backoffice.ui import audit_log
from backoffice.ui.actions import ActionResult, build_staff_actor, run_action
from backoffice.ui.permissions import require_permission
from shared.core.errors import DomainError
from shared.use_cases.contacts import buyer_erasure, buyer_export, buyers
from shared.use_cases.contacts.buyers import Buyer
from shared.use_cases.errors import BuyerErased
from shared.whatsapp.models import WhatsAppContact

ERASE_BUYER_PERMISSION: Final = "whatsapp.erase_whatsappcontact"
EXPORT_BUYER_PERMISSION: Final = "raffles.export_order"


@require_http_methods(["GET", "POST"])
def erase_buyer_view(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Show what goes and what stays; erase the buyer once the user is sure."""
    require_permission(request, ERASE_BUYER_PERMISSION)
    contact = get_object_or_404(WhatsAppContact, pk=contact_id)
    buyer = _find_buyer(contact)
    if request.method == "POST" and request.POST.get("sure") == "yes":
        run_action(request, lambda: _erase(request, contact, buyer))
        return redirect("admin:whatsapp_whatsappcontact_change", contact.pk)
    plan = buyer_erasure.plan_erasure(buyer, now=timezone.now())
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "opts": WhatsAppContact._meta,  # noqa: SLF001 - as Django's admin does
        "original": contact,
        "title": f"Erase {contact}?",
        "plan": plan,
        "refusals": [(refusal.message(), _list_orders(refusal)) for refusal in plan.refusals],
    }
    return TemplateResponse(request, "admin/whatsapp/whatsappcontact/erase.html", context)


@require_POST
def export_buyer_view(request: HttpRequest, contact_id: int) -> HttpResponseBase:
    """Send everything that is stored about a buyer as a ZIP file, and log it."""
    require_permission(request, EXPORT_BUYER_PERMISSION)
    contact = get_object_or_404(WhatsAppContact, pk=contact_id)
    buyer = _find_buyer(contact)
    target = TemporaryFile()  # noqa: SIM115 - the response closes it
    buyer_export.write_buyer_archive(buyer, target, now=timezone.now())
    target.seek(0)
    audit_log.record_action(request, contact, "Exported what is stored about the buyer")
    response = FileResponse(target, as_attachment=True, filename=f"buyer-{contact.pk}.zip")
    response["Cache-Control"] = "private, no-store"
    return response


def _erase(request: HttpRequest, contact: WhatsAppContact, buyer: Buyer) -> ActionResult:
    erased = buyer_erasure.erase_buyer(buyer, by=build_staff_actor(request), now=timezone.now())
    contact.refresh_from_db()  # the log must not have the name
    audit_log.record_action(
        request,
        contact,
        f"Erased the buyer's personal data: {erased.messages} messages, {erased.proofs} payment "
        f"proofs, texts of {len(erased.order_ids)} orders",
    )
    return messages.SUCCESS, (
        "The buyer is erased. Backups, exports and what other systems received still have the data."
    )


def _find_buyer(contact: WhatsAppContact) -> Buyer:
    try:
        return buyers.find_buyer_of_contact(contact.pk)
    except BuyerErased as refusal:
        raise Http404(refusal.message()) from refusal


def _list_orders(refusal: DomainError) -> str:
    return ", ".join(refusal.details.get("orders", ()))
