"""Admin of inbound messages."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from backoffice.changelists.facets import CountedConditionFilter
from backoffice.changelists.tabs import TabbedAdmin
from backoffice.messaging import channel_actions, message_page
from backoffice.messaging.contacts import contact_search
from backoffice.ui import actions, display
from shared.core.enums import InboxStatus
from shared.whatsapp import predicates
from shared.whatsapp.models import InboundMessage


class InboxStateFilter(CountedConditionFilter):
    """Inbound messages by state."""

    title = "Status"
    parameter_name = "status"
    answers: ClassVar = {
        "FAILED": ("Could not be answered", predicates.FAILED_INBOUND),
        "RECEIVED": ("Waits for its answer", predicates.WAITING_INBOUND),
        "PROCESSED": ("Dealt with", Q(status=InboxStatus.PROCESSED)),
        "IGNORED": ("Needs no answer", Q(status=InboxStatus.IGNORED)),
    }
    counted = ("FAILED", "RECEIVED")


@admin.register(InboundMessage)
class InboundMessageAdmin(TabbedAdmin):
    """Inbound messages."""

    menu_name = "Messages in"
    list_display = ("said", "buyer", "state", "sent")
    list_filter = (InboxStateFilter,)
    list_select_related = ("contact",)
    search_fields: ClassVar[tuple[str, ...]] = ("wa_message_id",)
    search_help_text = "Phone, name or message id"
    sortable_by = ()
    actions = ("answer_again",)
    change_form_template = "admin/whatsapp/inboundmessage/change_form.html"

    @admin.display(description="Message")
    def said(self, message: InboundMessage) -> str:
        """Return the beginning of the text, or the kind of message."""
        return display.shorten_text(message.text) or f"[{message.type}]"

    @admin.display(description="From")
    def buyer(self, message: InboundMessage) -> str:
        """Return name and phone number of the sender."""
        return display.format_contact(message.contact) if message.contact else "no sender"

    @admin.display(description="Status")
    def state(self, message: InboundMessage) -> SafeString:
        """Return the state as a badge."""
        state, style = message_page.INBOX_STATUS_BADGES[message.status]
        return display.render_badge(state, style=style)

    @admin.display(description="Written")
    def sent(self, message: InboundMessage) -> str:
        """Return when the buyer sent it."""
        return display.format_time(message.sent_at)

    def find_rows(
        self, request: HttpRequest, queryset: QuerySet[InboundMessage], term: str
    ) -> QuerySet[InboundMessage]:
        """Return messages by phone number, name or id, with a separate query for the contacts."""
        buyers = contact_search.find_buyers_of_messages(request, term)
        return queryset.filter(Q(wa_message_id=term) | Q(contact_id__in=buyers))

    def has_answer_again_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may let the bot answer again."""
        return request.user.has_perm(channel_actions.ANSWER_AGAIN_PERMISSION)

    @admin.action(description="Answer again", permissions=["answer_again"])
    def answer_again(self, request: HttpRequest, chosen: QuerySet[InboundMessage]) -> None:
        """Queue the chosen messages for another answer."""
        actions.apply_to_each_row(
            request,
            chosen.select_related("contact"),
            channel_actions.answer_message_again,
            done="Answered again within seconds",
            name=lambda message: (
                display.format_contact(message.contact) if message.contact else "no sender"
            ),
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the URL that queues a message for another answer."""
        view = self.admin_site.admin_view(channel_actions.answer_message_again_view)
        return [
            path("<id:message_id>/again/", view, name="whatsapp_inboundmessage_again"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundMessage]:
        """Return the messages with their contacts."""
        return super().get_queryset(request).select_related("contact")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Add the message's page to the context."""
        now = timezone.now()
        context["page"] = message_page.load_inbound_message_page(
            kwargs["obj"], request=request, now=now
        )
        return super().render_change_form(request, context, *args, **kwargs)
