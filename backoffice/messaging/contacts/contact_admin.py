"""Admin of contacts: identity, conversation state, 24-hour window and orders."""
# ruff: noqa: ARG002 - Django passes these arguments

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from backoffice.changelists import filters
from backoffice.changelists.tabs import TabbedAdmin
from backoffice.messaging import channel_actions, chat_state
from backoffice.messaging.contacts import (
    buyer_erasure,
    contact_joins,
    contact_page,
    contact_search,
    replies,
)
from backoffice.ui import display
from shared.core.constants import SERVICE_WINDOW, SERVICE_WINDOW_MARGIN
from shared.core.enums import State
from shared.raffles.models import Order
from shared.whatsapp import window
from shared.whatsapp.models import WhatsAppContact


class ContactBlockedFilter(filters.ConditionFilter):
    """Blocked contacts, or contacts that the bot answers."""

    title = "Answered or blocked"
    parameter_name = "blocked"
    answers: ClassVar = {
        "yes": ("Blocked", Q(is_blocked=True)),
        "no": ("Answered", Q(is_blocked=False)),
    }


class ContactHandoverFilter(filters.ConditionFilter):
    """Contacts that wait for a person, or that wrote STOP."""

    title = "Person or STOP"
    parameter_name = "handover"
    answers: ClassVar = {
        "waits": (
            "Waits for a person",
            Q(wants_person_at__isnull=False, is_blocked=False),
        ),
        "stopped": ("Wrote STOP", Q(stopped_at__isnull=False)),
    }


class ContactWindowFilter(admin.SimpleListFilter):
    """Contacts with an open or a closed 24-hour window."""

    title = "24-hour window"
    parameter_name = "window"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the answers as pairs of value and label."""
        return [("open", "Window open"), ("closed", "Window closed")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[WhatsAppContact]
    ) -> QuerySet[WhatsAppContact] | None:
        """Return the rows that match the chosen answer, or all rows if none is chosen."""
        is_open = Q(last_inbound_at__gt=_compute_window_start(timezone.now()))
        match self.value():
            case "open":
                return queryset.filter(is_open)
            case "closed":
                return queryset.exclude(is_open)
            case _:
                return queryset


@admin.register(WhatsAppContact)
class WhatsAppContactAdmin(TabbedAdmin):
    """Contacts, which are the buyers."""

    menu_name = "Contacts"
    list_display = ("name", "phone", "doing", "wrote", "may_write", "orders")
    list_filter = (ContactHandoverFilter, ContactBlockedFilter, ContactWindowFilter)
    search_fields: ClassVar[tuple[str, ...]] = ("wa_id", "profile_name")
    search_help_text = "Phone, name or user id"
    sortable_by = ("wrote",)
    change_form_template = contact_page.TEMPLATE

    @admin.display(description="Name")
    def name(self, contact: WhatsAppContact) -> SafeString:
        """Return the name, with a badge for each thing that is not as usual."""
        badges = []
        if contact.wants_person_at is not None and not contact.is_blocked:
            waits = display.format_time_since(contact.wants_person_at, now=timezone.now())
            badges.append(display.render_badge(f"Waits {waits} for a person", style="warning"))
        if contact.stopped_at is not None:
            badges.append(display.render_badge("STOP", style="dark"))
        if contact.is_blocked:
            badges.append(display.render_badge("Blocked", style="danger"))
        return format_html_join(" ", "{}", ((part,) for part in (contact, *badges)))

    @admin.display(description="Phone")
    def phone(self, contact: WhatsAppContact) -> str:
        """Return the phone number, or that it is hidden."""
        return contact_page.format_phone_number(contact) or "hidden"

    @admin.display(description="In the chat")
    def doing(self, contact: WhatsAppContact) -> str:
        """Return the state of the conversation."""
        return contact_page.CONVERSATION_STATE_LABELS[State(contact.state)].capitalize()

    @admin.display(description="Last wrote", ordering="last_inbound_at")
    def wrote(self, contact: WhatsAppContact) -> str:
        """Return when the buyer last wrote."""
        return display.format_time(contact.last_inbound_at)

    @admin.display(description="24-hour window")
    def may_write(self, contact: WhatsAppContact) -> SafeString:
        """Return whether the 24-hour window is open, as a badge."""
        is_open = window.is_window_open(contact.last_inbound_at, now=timezone.now())
        return (
            display.render_badge("Open", style="success")
            if is_open
            else display.render_badge("Closed", style="secondary")
        )

    @admin.display(description="Orders")
    def orders(self, contact: WhatsAppContact) -> int:
        """Return the number of orders."""
        return vars(contact).get("order_count") or 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[WhatsAppContact]:
        """Return the contacts, each with its number of orders.

        The list has neither joined nor erased ones.
        """
        orders = Order.objects.filter(contact=OuterRef("pk")).order_by().values("contact")
        count = Subquery(orders.annotate(count=Count("pk")).values("count"))
        contacts: QuerySet[WhatsAppContact] = super().get_queryset(request)
        kwargs = request.resolver_match.kwargs if request.resolver_match else {}
        if "object_id" not in kwargs:
            contacts = contacts.filter(joined_into=None, erased_at=None)
        return contacts.annotate(order_count=count)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Return newest first; those who wait for a person in the order in which they asked."""
        if request.GET.get(ContactHandoverFilter.parameter_name) == "waits":
            return ("wants_person_at", "id")
        return ("-id",)

    def find_rows(
        self, request: HttpRequest, queryset: QuerySet[WhatsAppContact], term: str
    ) -> QuerySet[WhatsAppContact]:
        """Return the contacts with a phone number, name or user id, in any spelling."""
        return queryset.filter(contact_search.build_contact_condition(term))

    def get_urls(self) -> list[URLPattern]:
        """Add the URLs that block, answer, join, export and erase a contact."""
        view = self.admin_site.admin_view
        return [
            path(
                "<id:contact_id>/block/",
                view(channel_actions.block_contact_view),
                name="whatsapp_whatsappcontact_block",
            ),
            path(
                "<id:contact_id>/unblock/",
                view(channel_actions.unblock_contact_view),
                name="whatsapp_whatsappcontact_unblock",
            ),
            path(
                "<id:contact_id>/reply/",
                view(replies.reply_view),
                name="whatsapp_whatsappcontact_reply",
            ),
            path(
                "<id:contact_id>/pause-bot/",
                view(replies.pause_bot_view),
                name="whatsapp_whatsappcontact_pause_bot",
            ),
            path(
                "<id:contact_id>/resume-bot/",
                view(replies.resume_bot_view),
                name="whatsapp_whatsappcontact_resume_bot",
            ),
            path(
                "<id:contact_id>/chat-state/",
                view(chat_state.chat_state_view),
                name="whatsapp_whatsappcontact_chat_state",
            ),
            path(
                "<id:contact_id>/join/",
                view(contact_joins.join_contact_view),
                name="whatsapp_whatsappcontact_join",
            ),
            path(
                "<id:contact_id>/undo-join/",
                view(contact_joins.undo_join_view),
                name="whatsapp_whatsappcontact_undo_join",
            ),
            path(
                "<id:contact_id>/keep-apart/",
                view(contact_joins.keep_apart_view),
                name="whatsapp_whatsappcontact_keep_apart",
            ),
            path(
                "<id:contact_id>/erase/",
                view(buyer_erasure.erase_buyer_view),
                name="whatsapp_whatsappcontact_erase",
            ),
            path(
                "<id:contact_id>/export/",
                view(buyer_erasure.export_buyer_view),
                name="whatsapp_whatsappcontact_export",
            ),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Add the contact's page to the context."""
        contact: WhatsAppContact = kwargs["obj"]
        context["buyer"] = contact_page.load_contact_page(
            contact, request=request, now=timezone.now()
        )
        context["joins"] = contact_joins.load_join_card(contact, request=request)
        return super().render_change_form(request, context, *args, **kwargs)


def _compute_window_start(now: datetime) -> datetime:
    return now - SERVICE_WINDOW + SERVICE_WINDOW_MARGIN
