"""What came in and what goes out over WhatsApp, and what needs a look."""

import json
from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice import words
from backoffice.admin import filters
from backoffice.admin.readonly import ReadOnlyAdmin
from shared.core import enums
from shared.core.enums import InboxStatus, OutboxStatus
from shared.whatsapp import messages as whatsapp_messages
from shared.whatsapp.models import (
    AccountNotice,
    Alarm,
    BusinessNumber,
    InboundMessage,
    OutboundMessage,
    UnreadableItem,
    WhatsAppContact,
)
from shared.whatsapp.services import alarms

_IN_STYLES: Final = {InboxStatus.PROCESSED: "success", InboxStatus.FAILED: "danger"}
_OUT_STYLES: Final = {
    OutboxStatus.SENT: "success",
    OutboxStatus.FAILED: "danger",
    OutboxStatus.UNKNOWN: "warning",
    OutboxStatus.WITHHELD: "warning",
}
_BODY_SHOWN: Final = 20_000
"""Bytes of an unreadable item that its page shows."""


def shortened(text: str, *, length: int = 90) -> str:
    """Cut a text for a list."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def pretty(value: Any) -> SafeString:
    """Show JSON as people read it."""
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    return format_html('<pre class="raw">{}</pre>', text)


@admin.register(InboundMessage)
class InboundMessageAdmin(ReadOnlyAdmin):
    """The inbox."""

    menu_name = "Messages in"
    list_display = ("buyer", "type", "said", "state", "problem", "sent")
    list_filter = (filters.ByInboxStatus,)
    list_select_related = ("contact",)
    search_fields: ClassVar[tuple[str, ...]] = (
        "contact__wa_id",
        "contact__profile_name",
        "wa_message_id__exact",
        "correlation_id__exact",
    )
    search_help_text = "Phone, name or message id"
    fields = (
        "buyer",
        "type",
        "text",
        "state",
        "error",
        "attempts",
        "sent",
        "received_at",
        "processed_at",
        "wa_message_id",
        "correlation_id",
        "raw",
    )

    @admin.display(description="From")
    def buyer(self, message: InboundMessage) -> str:
        """Who wrote."""
        return words.buyer(message.contact) if message.contact else "no sender"

    @admin.display(description="Message")
    def said(self, message: InboundMessage) -> str:
        """Give what a person reads of it, cut."""
        return shortened(message.text)

    @admin.display(description="Status", ordering="status")
    def state(self, message: InboundMessage) -> SafeString:
        """Status as a badge."""
        status = InboxStatus(message.status)
        return words.badge(enums.label(status), style=_IN_STYLES.get(status, "secondary"))

    @admin.display(description="Problem")
    def problem(self, message: InboundMessage) -> str:
        """Say what went wrong, cut."""
        return shortened(message.error)

    @admin.display(description="Sent (UTC)", ordering="sent_at")
    def sent(self, message: InboundMessage) -> str:
        """When the buyer sent it."""
        return words.clock(message.sent_at)

    @admin.display(description="As Meta sent it")
    def raw(self, message: InboundMessage) -> SafeString:
        """Show the payload."""
        return pretty(message.payload)


@admin.register(OutboundMessage)
class OutboundMessageAdmin(ReadOnlyAdmin):
    """The outbox."""

    menu_name = "Messages out"
    list_display = ("contact", "said", "about", "state", "delivery", "problem", "created")
    list_filter = (filters.ByOutboxStatus,)
    list_select_related = ("contact",)
    search_fields: ClassVar[tuple[str, ...]] = (
        "contact__wa_id",
        "contact__profile_name",
        "about__iexact",
        "wa_message_id__exact",
    )
    search_help_text = "Phone, name, order code or message id"
    fields = (
        "contact",
        "kind",
        "said_in_full",
        "about",
        "state",
        "delivery",
        "problem_in_full",
        "attempts",
        "created",
        "next_attempt_at",
        "sent_at",
        "wa_message_id",
        "correlation_id",
        "raw",
    )

    @admin.display(description="Message")
    def said(self, message: OutboundMessage) -> str:
        """Give what the buyer reads, cut."""
        return shortened(whatsapp_messages.preview(message.payload))

    @admin.display(description="Message")
    def said_in_full(self, message: OutboundMessage) -> SafeString:
        """Give what the buyer reads."""
        text = whatsapp_messages.preview(message.payload)
        return format_html('<div class="said">{}</div>', text)

    @admin.display(description="Status", ordering="status")
    def state(self, message: OutboundMessage) -> SafeString:
        """Status as a badge."""
        status = OutboxStatus(message.status)
        return words.badge(enums.label(status), style=_OUT_STYLES.get(status, "secondary"))

    @admin.display(description="Problem")
    def problem(self, message: OutboundMessage) -> str:
        """Say what went wrong, cut."""
        return shortened(_problem(message))

    @admin.display(description="Problem")
    def problem_in_full(self, message: OutboundMessage) -> str:
        """Say what went wrong."""
        return _problem(message) or "–"

    @admin.display(description="Written (UTC)", ordering="created_at")
    def created(self, message: OutboundMessage) -> str:
        """When it was queued."""
        return words.clock(message.created_at)

    @admin.display(description="As it is sent")
    def raw(self, message: OutboundMessage) -> SafeString:
        """Show the payload."""
        return pretty(message.payload)


@admin.register(WhatsAppContact)
class WhatsAppContactAdmin(ReadOnlyAdmin):
    """The buyers."""

    menu_name = "Contacts"
    list_display = ("__str__", "phone", "state", "is_blocked", "last_wrote")
    search_fields: ClassVar[tuple[str, ...]] = (
        "wa_id",
        "profile_name",
        "username",
        "user_id__exact",
    )
    search_help_text = "Phone, name or user id"
    fields = (
        "phone",
        "profile_name",
        "username",
        "user_id",
        "phone_number_id",
        "state",
        "last_wrote",
        "is_blocked",
        "identity_conflict",
        "send_after",
        "created_at",
        "remembered",
    )

    @admin.display(description="Phone", ordering="wa_id")
    def phone(self, contact: WhatsAppContact) -> str:
        """Phone number, or that it is hidden."""
        return f"+{contact.wa_id}" if contact.wa_id else "hidden"

    @admin.display(description="Last wrote (UTC)", ordering="last_inbound_at")
    def last_wrote(self, contact: WhatsAppContact) -> str:
        """When the buyer last wrote."""
        return words.clock(contact.last_inbound_at)

    @admin.display(description="What the bot remembers")
    def remembered(self, contact: WhatsAppContact) -> SafeString:
        """Show the context of the conversation."""
        return pretty(contact.context)


@admin.register(Alarm)
class AlarmAdmin(ReadOnlyAdmin):
    """What a person must look at."""

    menu_name = "Alarms"
    list_display = ("title", "state", "count", "last", "resolved_by")
    list_filter = (filters.ByAlarmState,)
    actions = ("mark_resolved",)
    fields = ("title", "detail", "state", "count", "first", "last", "resolved_by", "key")

    @admin.display(description="State")
    def state(self, alarm: Alarm) -> SafeString:
        """Open or resolved."""
        if alarm.resolved_at is None:
            return words.badge("Open", style="danger")
        return words.badge("Resolved", style="success")

    @admin.display(description="First (UTC)", ordering="first_at")
    def first(self, alarm: Alarm) -> str:
        """When it first rang."""
        return words.clock(alarm.first_at)

    @admin.display(description="Last (UTC)", ordering="last_at")
    def last(self, alarm: Alarm) -> str:
        """When it last rang."""
        return words.clock(alarm.last_at)

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Let those resolve alarms who may change them."""
        return request.user.has_perm("whatsapp.change_alarm")

    @admin.action(description="Mark as resolved", permissions=["resolve"])
    def mark_resolved(self, request: HttpRequest, chosen: QuerySet[Alarm]) -> None:
        """Close the chosen alarms; the same trouble again opens a new one."""
        resolved = sum(
            alarms.resolve(alarm.key, by=request.user.get_username(), now=timezone.now())
            for alarm in chosen.filter(resolved_at=None)
        )
        self.message_user(request, f"Alarms resolved: {resolved}.", messages.SUCCESS)


@admin.register(AccountNotice)
class AccountNoticeAdmin(ReadOnlyAdmin):
    """What else Meta says."""

    menu_name = "Account notices"
    list_display = ("field", "needs_attention", "waba_id", "received")
    list_filter = (filters.ByAttention,)
    fields = ("field", "needs_attention", "waba_id", "received", "raw")

    @admin.display(description="Received (UTC)", ordering="received_at")
    def received(self, notice: AccountNotice) -> str:
        """When it came."""
        return words.clock(notice.received_at)

    @admin.display(description="As Meta sent it")
    def raw(self, notice: AccountNotice) -> SafeString:
        """Show the payload."""
        return pretty(notice.payload)


@admin.register(UnreadableItem)
class UnreadableItemAdmin(ReadOnlyAdmin):
    """What Meta signed and nobody could read."""

    menu_name = "Unreadable items"
    list_display = ("reason", "received")
    fields = ("reason", "received", "sha256", "raw")

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnreadableItem]:
        """Leave the bytes out of the list."""
        found = super().get_queryset(request)
        return found if "object_id" in _kwargs(request) else found.defer("body")

    @admin.display(description="Received (UTC)", ordering="received_at")
    def received(self, item: UnreadableItem) -> str:
        """When it came."""
        return words.clock(item.received_at)

    @admin.display(description="Its beginning")
    def raw(self, item: UnreadableItem) -> SafeString:
        """Show the first bytes as text, with marks where they are none."""
        text = bytes(item.body)[:_BODY_SHOWN].decode(errors="replace")
        return format_html('<pre class="raw">{}</pre>', text)


@admin.register(BusinessNumber)
class BusinessNumberAdmin(ReadOnlyAdmin):
    """How each business number fares."""

    menu_name = "Business numbers"
    list_display = ("__str__", "state", "pause_reason", "last_webhook")
    fields = (
        "display_phone_number",
        "phone_number_id",
        "state",
        "pause_reason",
        "pause_code",
        "probe_at",
        "send_after",
        "last_webhook",
    )

    @admin.display(description="State")
    def state(self, number: BusinessNumber) -> SafeString:
        """Sending or paused."""
        if number.paused_at is None:
            return words.badge("Sending", style="success")
        return words.badge("Paused", style="danger")

    @admin.display(description="Last webhook (UTC)", ordering="last_webhook_at")
    def last_webhook(self, number: BusinessNumber) -> str:
        """When Meta last called for it."""
        return words.clock(number.last_webhook_at)


def _problem(message: OutboundMessage) -> str:
    code = f" (code {message.error_code})" if message.error_code is not None else ""
    return f"{message.error}{code}".strip()


def _kwargs(request: HttpRequest) -> dict[str, Any]:
    return request.resolver_match.kwargs if request.resolver_match else {}
