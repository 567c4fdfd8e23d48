"""Actions of staff on messages, contacts, alarms and business numbers.

Each view is a POST for one row; the change lists call the functions below for many rows. Each row
is its own transaction, and a message reports the result of each.
"""

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from backoffice.ui import audit_log, display
from backoffice.ui.actions import ActionResult, run_action
from backoffice.ui.permissions import require_permission
from shared.core.enums import OutboxKind
from shared.whatsapp import window
from shared.whatsapp.errors import AlarmResolved
from shared.whatsapp.models import (
    Alarm,
    BusinessNumber,
    InboundMessage,
    OutboundMessage,
    WhatsAppContact,
)
from shared.whatsapp.services import alarms, business_numbers, opt_out
from shared.whatsapp.services.inbox import contacts, inbox_queue
from shared.whatsapp.services.outbox import outbox_queue

SEND_AGAIN_PERMISSION: Final = "whatsapp.change_outboundmessage"
ANSWER_AGAIN_PERMISSION: Final = "whatsapp.change_inboundmessage"
RESOLVE_ALARM_PERMISSION: Final = "whatsapp.change_alarm"
TRY_NUMBER_PERMISSION: Final = "whatsapp.change_businessnumber"
BLOCK_CONTACT_PERMISSION: Final = "whatsapp.change_whatsappcontact"


@require_POST
def send_message_again_view(request: HttpRequest, message_id: int) -> HttpResponse:
    """Queue a failed message again."""
    require_permission(request, SEND_AGAIN_PERMISSION)
    message = get_object_or_404(OutboundMessage.objects.select_related("contact"), pk=message_id)

    def act() -> ActionResult:
        send_message_again(request, message)
        return messages.SUCCESS, _describe_sending_time(message)

    run_action(request, act)
    return redirect("admin:whatsapp_outboundmessage_change", message.pk)


@require_POST
def answer_message_again_view(request: HttpRequest, message_id: int) -> HttpResponse:
    """Queue an inbound message whose answer failed for another answer."""
    require_permission(request, ANSWER_AGAIN_PERMISSION)
    message = get_object_or_404(InboundMessage, pk=message_id)

    def act() -> ActionResult:
        answer_message_again(request, message)
        return messages.SUCCESS, "The message is answered within seconds; look again in a moment."

    run_action(request, act)
    return redirect("admin:whatsapp_inboundmessage_change", message.pk)


@require_POST
def resolve_alarm_view(request: HttpRequest, alarm_id: int) -> HttpResponse:
    """Resolve an alarm."""
    require_permission(request, RESOLVE_ALARM_PERMISSION)
    alarm = get_object_or_404(Alarm, pk=alarm_id)

    def act() -> ActionResult:
        try:
            close_alarm(request, alarm)
        except AlarmResolved as refusal:
            by, at = refusal.details["by"], display.format_time(refusal.details["at"])
            return messages.INFO, f"This alarm was resolved already: {by}, {at}."
        return messages.SUCCESS, "Resolved. If the trouble comes again, a new alarm opens."

    run_action(request, act)
    return redirect("admin:whatsapp_alarm_change", alarm.pk)


@require_POST
def try_business_number_view(request: HttpRequest, number_id: int) -> HttpResponse:
    """Retry a paused number's next message at once."""
    require_permission(request, TRY_NUMBER_PERMISSION)
    number = get_object_or_404(BusinessNumber, pk=number_id)

    def act() -> ActionResult:
        business_numbers.try_sending_now(number.phone_number_id, now=timezone.now())
        audit_log.record_action(request, number, "Let the number try its next message at once")
        return messages.SUCCESS, (
            "The next waiting message is tried within seconds. If it goes through, the number "
            "sends again."
        )

    run_action(request, act)
    return redirect("admin:whatsapp_businessnumber_change", number.pk)


@require_POST
def block_contact_view(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Block a contact, so that the bot no longer answers."""
    return _set_blocked(request, contact_id, blocked=True)


@require_POST
def unblock_contact_view(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Unblock a contact."""
    return _set_blocked(request, contact_id, blocked=False)


def send_message_again(request: HttpRequest, message: OutboundMessage) -> None:
    """Queue a failed message again and log it.

    Raises:
        MessageNotFailed: the message has not failed.

    """
    outbox_queue.resend_message(message.pk)
    audit_log.record_action(request, message, "Sent the message again")


def answer_message_again(request: HttpRequest, message: InboundMessage) -> None:
    """Queue a failed inbound message for another answer and log it.

    Raises:
        MessageAnswered: the message is not a failed one.

    """
    inbox_queue.requeue_failed_message(message.pk)
    audit_log.record_action(request, message, "Had the message answered again")


def close_alarm(request: HttpRequest, alarm: Alarm) -> None:
    """Resolve an alarm and log it.

    Raises:
        AlarmResolved: the alarm was resolved before.

    """
    alarms.close_alarm(alarm.pk, by=request.user.get_username(), now=timezone.now())
    audit_log.record_action(request, alarm, "Resolved the alarm")


def _set_blocked(request: HttpRequest, contact_id: int, *, blocked: bool) -> HttpResponse:
    require_permission(request, BLOCK_CONTACT_PERMISSION)
    contact = get_object_or_404(WhatsAppContact, pk=contact_id)

    def act() -> ActionResult:
        change = contacts.block_contact if blocked else contacts.unblock_contact
        if not change(contact.pk):
            state = "blocked" if blocked else "not blocked"
            return messages.INFO, f"{contact} was {state} already; nothing was changed."
        audit_log.record_action(
            request, contact, f"{'Blocked' if blocked else 'Unblocked'} the contact"
        )
        if blocked:
            return messages.SUCCESS, f"{contact} is blocked: the bot does not answer them any more."
        return messages.SUCCESS, f"{contact} is answered again from their next message on."

    run_action(request, act)
    return redirect("admin:whatsapp_whatsappcontact_change", contact.pk)


def _describe_sending_time(message: OutboundMessage) -> str:
    if opt_out.forbids_message(message.contact, kind=message.kind):
        return "The buyer wrote STOP: it is sent as soon as they write again."
    if window.is_window_open(message.contact.last_inbound_at, now=timezone.now()):
        return "The message is queued again and goes out within seconds."
    if message.kind == OutboxKind.NOTICE:
        return "More than 24 hours since the buyer wrote: it is sent as soon as they write again."
    return "More than 24 hours since the buyer wrote: an answer this old is not sent any more."
