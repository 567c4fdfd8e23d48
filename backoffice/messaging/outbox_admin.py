"""Admin of outbound messages."""
# ruff: noqa: ARG002 - Django passes these arguments

from typing import Any, ClassVar, Final

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.changelists.facets import CountedConditionFilter
from backoffice.changelists.tabs import TabbedAdmin, TabbedChangeList
from backoffice.messaging import channel_actions, delivery_reasons, message_page
from backoffice.messaging.contacts import contact_search
from backoffice.ui import actions, display
from shared.core.enums import MessageDeliveryStatus, OutboxStatus
from shared.raffles import codes
from shared.raffles.models import Order
from shared.whatsapp import messages as whatsapp_messages
from shared.whatsapp import predicates
from shared.whatsapp.models import OutboundMessage

_TICK_ICONS: Final = {
    MessageDeliveryStatus.SENT: ("fa-check", "sent"),
    MessageDeliveryStatus.DELIVERED: ("fa-check-double", "delivered"),
    MessageDeliveryStatus.READ: ("fa-check-double", "read"),
    MessageDeliveryStatus.PLAYED: ("fa-check-double", "read"),
}


class OutboxStateFilter(CountedConditionFilter):
    """Outbound messages by state, those that need attention first."""

    title = "Status"
    parameter_name = "status"
    answers: ClassVar = {
        "FAILED": ("Failed or not delivered", predicates.FAILED_OUTBOUND),
        "WITHHELD": ("Waits for the buyer", predicates.WITHHELD_OUTBOUND),
        "UNKNOWN": ("No answer yet", predicates.UNKNOWN_OUTBOUND),
        "QUEUED": ("Waiting to be sent", predicates.QUEUED_OUTBOUND),
        "SENDING": ("Being sent", predicates.SENDING_OUTBOUND),
        "SENT": ("Sent", Q(status=OutboxStatus.SENT)),
        "STALE": ("Not sent", Q(status=OutboxStatus.STALE)),
    }
    counted = ("FAILED", "WITHHELD", "UNKNOWN", "QUEUED", "SENDING")


class OutboxChangeList(TabbedChangeList):
    """A list of messages, each with the reason for its state."""

    def get_results(self, request: HttpRequest) -> None:
        """Load the page, and what its queued messages wait for."""
        super().get_results(request)
        now = timezone.now()
        self.result_list: list[OutboundMessage] = list(self.result_list)
        context = delivery_reasons.load_sending_context(self.result_list)
        for message in self.result_list:
            vars(message)["why"] = delivery_reasons.explain_message_state(
                message, now=now, context=context
            )


@admin.register(OutboundMessage)
class OutboundMessageAdmin(TabbedAdmin):
    """Outbound messages."""

    menu_name = "Messages out"
    list_display = ("said", "buyer", "order", "state", "written")
    list_filter = (OutboxStateFilter,)
    list_select_related = ("contact",)
    search_fields: ClassVar[tuple[str, ...]] = ("wa_message_id",)
    search_help_text = "Phone, name, order code or message id"
    sortable_by = ()
    actions = ("send_again",)
    change_form_template = "admin/whatsapp/outboundmessage/change_form.html"

    @admin.display(description="Message")
    def said(self, message: OutboundMessage) -> str:
        """Return the beginning of the text."""
        return display.shorten_text(whatsapp_messages.render_preview(message.payload))

    @admin.display(description="To")
    def buyer(self, message: OutboundMessage) -> str:
        """Return name and phone number of the recipient."""
        return display.format_contact(message.contact)

    @admin.display(description="About", empty_value="")
    def order(self, message: OutboundMessage) -> SafeString | None:
        """Return a link to the order that the message is about."""
        if codes.normalise_code(message.about) is None:
            return None
        orders = reverse("admin:raffles_order_changelist")
        return format_html('<a href="{}?q={}">{}</a>', orders, message.about, message.about)

    @admin.display(description="Status")
    def state(self, message: OutboundMessage) -> SafeString:
        """Return the state as a tick and a badge, with the reason below."""
        state, style = delivery_reasons.describe_message_state(message)
        icon, tone = _TICK_ICONS.get(
            MessageDeliveryStatus(message.delivery or MessageDeliveryStatus.FAILED), ("", "")
        )
        tick = (
            format_html('<i class="fas {} tick {}" aria-hidden="true"></i> ', icon, tone)
            if icon and message.status == OutboxStatus.SENT
            else ""
        )
        return format_html(
            '{}{}<span class="why">{}</span>',
            tick,
            display.render_badge(state, style=style),
            vars(message).get("why", ""),
        )

    @admin.display(description="Written")
    def written(self, message: OutboundMessage) -> str:
        """Return when the message was queued."""
        return display.format_time(message.created_at)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the change list with the reasons."""
        return OutboxChangeList

    def find_rows(
        self, request: HttpRequest, queryset: QuerySet[OutboundMessage], term: str
    ) -> QuerySet[OutboundMessage]:
        """Return messages by phone number, name, order code or message id."""
        buyers = contact_search.find_buyers_of_messages(request, term)
        condition = Q(wa_message_id=term) | Q(contact_id__in=buyers)
        if code := codes.normalise_code(term):
            of_order = Order.objects.filter(code=code).values("contact_id")
            condition |= Q(about=code, contact_id__in=of_order)
        return queryset.filter(condition)

    def has_send_again_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may send messages again."""
        return request.user.has_perm(channel_actions.SEND_AGAIN_PERMISSION)

    @admin.action(description="Send again", permissions=["send_again"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[OutboundMessage]) -> None:
        """Queue the chosen messages again if they failed."""
        actions.apply_to_each_row(
            request,
            chosen.select_related("contact").order_by("pk"),
            channel_actions.send_message_again,
            done="Queued again",
            name=lambda message: display.format_contact(message.contact),
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the URL that sends a message again."""
        view = self.admin_site.admin_view(channel_actions.send_message_again_view)
        return [
            path("<id:message_id>/again/", view, name="whatsapp_outboundmessage_again"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboundMessage]:
        """Return the messages with their contacts."""
        return super().get_queryset(request).select_related("contact")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Add the message's page to the context."""
        now = timezone.now()
        context["page"] = message_page.load_outbound_message_page(
            kwargs["obj"], request=request, now=now
        )
        return super().render_change_form(request, context, *args, **kwargs)
