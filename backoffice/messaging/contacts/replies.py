"""Actions of staff in a chat: write to the buyer, quiet the bot, let it answer again."""

from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from backoffice.messaging.contacts import contact_joins, contact_page
from backoffice.messaging.contacts.contact_page import ANSWER_BUYER_PERMISSION
from backoffice.ui import audit_log
from backoffice.ui.actions import ActionResult, StaffAction, build_staff_actor, run_action
from backoffice.ui.permissions import require_permission
from shared.use_cases.contacts import handover
from shared.whatsapp.models import WhatsAppContact
from shared.whatsapp.services import handover as handover_service


@require_POST
def reply_view(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Send a message to a buyer; a refused one stays in the box of the page that is shown."""
    require_permission(request, ANSWER_BUYER_PERMISSION)
    contact = get_object_or_404(WhatsAppContact, pk=contact_id)
    text = request.POST.get("text", "").replace("\r\n", "\n")
    key = _read_request_key(request)
    with StaffAction(request) as action:
        sent = handover.send_staff_message(
            contact.pk,
            text=text,
            by=build_staff_actor(request),
            now=timezone.now(),
            request_key=key,
        )
        if not sent.repeated:
            audit_log.record_action(request, contact, "Wrote to the buyer")
        action.report(messages.SUCCESS, f"Your message to {contact} is on its way.")
    if action.succeeded:
        return redirect(build_chat_url(contact.pk, sent_key=key))
    return render_contact_page(request, contact, draft=text)


def _read_request_key(request: HttpRequest) -> UUID | None:
    """Return the key of the form, or None for one without a valid key."""
    try:
        return UUID(request.POST.get("request_key", ""))
    except ValueError:
        return None


@require_POST
def pause_bot_view(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Quiet the bot for a buyer, because a person takes the chat over."""
    require_permission(request, ANSWER_BUYER_PERMISSION)
    contact = get_object_or_404(WhatsAppContact, pk=contact_id)

    def act() -> ActionResult:
        handover.pause(contact.pk, by=build_staff_actor(request), now=timezone.now())
        audit_log.record_action(request, contact, "Quieted the bot")
        return messages.SUCCESS, f"The bot is quiet for {contact}: you answer their words."

    run_action(request, act)
    return redirect(build_chat_url(contact.pk))


@require_POST
def resume_bot_view(request: HttpRequest, contact_id: int) -> HttpResponse:
    """End the pause of the bot; the buyer does not wait for a person any more."""
    require_permission(request, ANSWER_BUYER_PERMISSION)
    contact = get_object_or_404(WhatsAppContact, pk=contact_id)

    was_paused = handover_service.is_paused(contact, now=timezone.now())

    def act() -> ActionResult:
        handover.resume(contact.pk, by=build_staff_actor(request), now=timezone.now())
        if not was_paused:
            audit_log.record_action(request, contact, "Took the buyer off the list of waits")
            return messages.SUCCESS, f"{contact} is not listed as waiting for a person any more."
        audit_log.record_action(request, contact, "Let the bot answer again")
        return messages.SUCCESS, f"The bot answers {contact} again, from their next message on."

    run_action(request, act)
    return redirect(build_chat_url(contact.pk))


def build_chat_url(contact_id: int, *, sent_key: UUID | None = None) -> str:
    """Return the address of the chat on a contact's page.

    Args:
        contact_id: the contact.
        sent_key: the key of a form that was sent, whose text the browser need not keep any more.

    """
    page = reverse("admin:whatsapp_whatsappcontact_change", args=[contact_id])
    return f"{page}{'' if sent_key is None else f'?sent={sent_key}'}#chat"


def render_contact_page(
    request: HttpRequest, contact: WhatsAppContact, *, draft: str
) -> TemplateResponse:
    """Return a contact's page with a text in the box that was not sent."""
    contact.refresh_from_db()
    context = {
        **admin.site.each_context(request),
        "opts": WhatsAppContact._meta,  # noqa: SLF001 - as Django's admin does
        "original": contact,
        "title": str(contact),
        "buyer": contact_page.load_contact_page(
            contact, request=request, now=timezone.now(), draft=draft
        ),
        "joins": contact_joins.load_join_card(contact, request=request),
    }
    return TemplateResponse(request, contact_page.TEMPLATE, context, status=409)
