"""Admin of business numbers, account notices and unreadable items."""

from typing import Any, ClassVar, Final

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from backoffice.changelists.facets import CountedConditionFilter
from backoffice.changelists.tabs import TabbedAdmin
from backoffice.messaging import account_notices, business_numbers, channel_actions
from backoffice.ui import display
from shared.whatsapp.models import AccountNotice, BusinessNumber, UnreadableItem

_BODY_BYTES_SHOWN: Final = 20_000
"""Maximum bytes of an unreadable item on its page."""


class AccountNoticeAttentionFilter(CountedConditionFilter):
    """Account notices that need attention, or do not."""

    title = "Attention"
    parameter_name = "attention"
    answers: ClassVar = {
        "yes": ("Needs attention", Q(needs_attention=True)),
        "no": ("For the record", Q(needs_attention=False)),
    }
    counted = ("yes", "no")


@admin.register(BusinessNumber)
class BusinessNumberAdmin(TabbedAdmin):
    """Business numbers with their sending state."""

    menu_name = "Business numbers"
    list_display = ("__str__", "state", "reason", "heard")
    sortable_by = ()
    change_form_template = "admin/whatsapp/businessnumber/change_form.html"

    @admin.display(description="State")
    def state(self, number: BusinessNumber) -> SafeString:
        """Return the sending state as a badge."""
        state, style = business_numbers.describe_sending_state(number, now=timezone.now())
        return display.render_badge(state, style=style)

    @admin.display(description="Why", empty_value="")
    def reason(self, number: BusinessNumber) -> str | None:
        """Return why the number is slowed down or paused."""
        return business_numbers.explain_sending_state(number, now=timezone.now()) or None

    @admin.display(description="Last webhook")
    def heard(self, number: BusinessNumber) -> str:
        """Return the time of the last webhook for the number."""
        return display.format_time(number.last_webhook_at)

    def get_urls(self) -> list[URLPattern]:
        """Add the URL that retries a paused number at once."""
        view = self.admin_site.admin_view(channel_actions.try_business_number_view)
        return [
            path("<id:number_id>/try/", view, name="whatsapp_businessnumber_try"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Add the number's state to the context."""
        number: BusinessNumber = kwargs["obj"]
        page = business_numbers.load_business_number_page(
            number, request=request, now=timezone.now()
        )
        context |= {"number": number, "page": page}
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(AccountNotice)
class AccountNoticeAdmin(TabbedAdmin):
    """Account notices, those that need attention first."""

    menu_name = "Account notices"
    list_display = ("what", "attention", "received")
    list_filter = (AccountNoticeAttentionFilter,)
    ordering = ("-needs_attention", "-id")
    sortable_by = ()
    change_form_template = "admin/whatsapp/accountnotice/change_form.html"

    @admin.display(description="Notice")
    def what(self, notice: AccountNotice) -> str:
        """Return the subject of the notice."""
        return account_notices.describe_account_notice(notice)

    @admin.display(description="Attention")
    def attention(self, notice: AccountNotice) -> SafeString:
        """Return whether the notice needs attention, as a badge."""
        if notice.needs_attention:
            return display.render_badge("Needs attention", style="warning")
        return display.render_badge("For the record", style="secondary")

    @admin.display(description="Received")
    def received(self, notice: AccountNotice) -> str:
        """Return when it was received."""
        return display.format_time(notice.received_at)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Add the notice's details as names and values to the context."""
        notice: AccountNotice = kwargs["obj"]
        context |= {
            "notice": notice,
            "what": account_notices.describe_account_notice(notice),
            "facts": account_notices.list_notice_details(notice),
            "received": display.format_time(notice.received_at),
            "raw": account_notices.format_notice_payload(notice),
        }
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(UnreadableItem)
class UnreadableItemAdmin(TabbedAdmin):
    """Signed webhook items that the program could not parse."""

    menu_name = "Unreadable items"
    list_display = ("reason", "received")
    sortable_by = ()
    change_form_template = "admin/whatsapp/unreadableitem/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnreadableItem]:
        """Defer the bytes, except for a detail page."""
        items = super().get_queryset(request)
        kwargs = request.resolver_match.kwargs if request.resolver_match else {}
        return items if "object_id" in kwargs else items.defer("body")

    @admin.display(description="Received")
    def received(self, item: UnreadableItem) -> str:
        """Return when it was received."""
        return display.format_time(item.received_at)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Add the beginning of the item to the context, decoded with replacement characters."""
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
