"""The business numbers, and what else Meta says about the account."""

from typing import Any, ClassVar, Final

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from backoffice.changelists.facets import CountedConditionFilter
from backoffice.changelists.tabs import TabbedAdmin
from backoffice.messaging import business_numbers, channel_actions
from backoffice.ui import display
from shared.whatsapp.models import AccountNotice, BusinessNumber, UnreadableItem

_BODY_BYTES_SHOWN: Final = 20_000
"""Bytes of an unreadable item that its page shows."""


class AccountNoticeAttentionFilter(CountedConditionFilter):
    """Account notices a person should read."""

    title = "Attention"
    parameter_name = "attention"
    answers: ClassVar = {
        "yes": ("Needs attention", Q(needs_attention=True)),
        "no": ("For the record", Q(needs_attention=False)),
    }
    counted = ("yes", "no")


@admin.register(BusinessNumber)
class BusinessNumberAdmin(TabbedAdmin):
    """How each business number fares."""

    menu_name = "Business numbers"
    list_display = ("__str__", "state", "reason", "heard")
    sortable_by = ()
    change_form_template = "admin/whatsapp/businessnumber/change_form.html"

    @admin.display(description="State")
    def state(self, number: BusinessNumber) -> SafeString:
        """Sending, slowed down or paused."""
        state, style = business_numbers.describe_sending_state(number, now=timezone.now())
        return display.render_badge(state, style=style)

    @admin.display(description="Why", empty_value="")
    def reason(self, number: BusinessNumber) -> str | None:
        """Why it does not send freely."""
        return business_numbers.explain_sending_state(number, now=timezone.now()) or None

    @admin.display(description="Last webhook")
    def heard(self, number: BusinessNumber) -> str:
        """When Meta last called for it."""
        return display.format_time(number.last_webhook_at)

    def get_urls(self) -> list[URLPattern]:
        """Add the address that tries a paused number at once."""
        view = self.admin_site.admin_view(channel_actions.try_business_number_view)
        return [
            path("<int:number_id>/try/", view, name="whatsapp_businessnumber_try"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Draw the page from what `account` reads."""
        number: BusinessNumber = kwargs["obj"]
        page = business_numbers.load_business_number_page(
            number, request=request, now=timezone.now()
        )
        context |= {"number": number, "page": page}
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(AccountNotice)
class AccountNoticeAdmin(TabbedAdmin):
    """What else Meta says; what needs a look comes first."""

    menu_name = "Account notices"
    list_display = ("what", "attention", "received")
    list_filter = (AccountNoticeAttentionFilter,)
    ordering = ("-needs_attention", "-id")
    sortable_by = ()
    change_form_template = "admin/whatsapp/accountnotice/change_form.html"

    @admin.display(description="Notice")
    def what(self, notice: AccountNotice) -> str:
        """Say in words what it is about."""
        return business_numbers.describe_account_notice(notice)

    @admin.display(description="Attention")
    def attention(self, notice: AccountNotice) -> SafeString:
        """Say whether a person should read it."""
        if notice.needs_attention:
            return display.render_badge("Needs attention", style="warning")
        return display.render_badge("For the record", style="secondary")

    @admin.display(description="Received")
    def received(self, notice: AccountNotice) -> str:
        """When it came."""
        return display.format_time(notice.received_at)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Draw what Meta says as names and values."""
        notice: AccountNotice = kwargs["obj"]
        context |= {
            "notice": notice,
            "what": business_numbers.describe_account_notice(notice),
            "facts": business_numbers.list_notice_details(notice),
            "received": display.format_time(notice.received_at),
            "raw": business_numbers.format_notice_payload(notice),
        }
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(UnreadableItem)
class UnreadableItemAdmin(TabbedAdmin):
    """What Meta signed and nobody could read."""

    menu_name = "Unreadable items"
    list_display = ("reason", "received")
    sortable_by = ()
    change_form_template = "admin/whatsapp/unreadableitem/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnreadableItem]:
        """Leave the bytes out of the list."""
        found = super().get_queryset(request)
        kwargs = request.resolver_match.kwargs if request.resolver_match else {}
        return found if "object_id" in kwargs else found.defer("body")

    @admin.display(description="Received")
    def received(self, item: UnreadableItem) -> str:
        """When it came."""
        return display.format_time(item.received_at)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Draw its beginning as text, with marks where it is none."""
        item: UnreadableItem = kwargs["obj"]
        body = bytes(item.body)
        context |= {
            "item": item,
            "received": display.format_time(item.received_at),
            "size": f"{len(body):,} bytes",
            "cut": len(body) > _BODY_BYTES_SHOWN,
            "beginning": body[:_BODY_BYTES_SHOWN].decode(errors="replace"),
        }
        return super().render_change_form(request, context, *args, **kwargs)
