"""The seller's list of orders, and the page where a payment is decided."""
# ruff: noqa: ARG002 - Django gives these arguments

import re
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from backoffice import words
from backoffice.admin import filters
from backoffice.admin.readonly import ReadOnlyAdmin
from backoffice.desk import decisions, review
from shared.core import enums
from shared.core.enums import OrderStatus, RejectReason
from shared.raffles import codes
from shared.raffles.models import Order


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Orders: facts that are read, and decisions that are buttons."""

    menu_name = "Orders"
    list_display = ("code", "raffle", "buyer", "state", "quantity", "amount", "waiting", "created")
    list_filter = (
        filters.ByReview,
        filters.ByOrderStatus,
        filters.ByRaffle,
        filters.ByDecision,
    )
    list_select_related = ("raffle", "contact")
    ordering = ("-id",)
    search_fields: ClassVar[tuple[str, ...]] = ("code",)
    search_help_text = "Order code, phone or name"
    sortable_by = ("code", "state", "amount", "waiting", "created")
    change_form_template = "admin/raffles/order/change_form.html"

    @admin.display(description="Buyer")
    def buyer(self, order: Order) -> str:
        """Name and phone."""
        return words.buyer(order.contact)

    @admin.display(description="Status", ordering="status")
    def state(self, order: Order) -> SafeString:
        """Give the status as a badge, or that a decision is needed."""
        if order.needs_decision:
            return words.badge("Needs a decision", style="danger")
        status = OrderStatus(order.status)
        return words.badge(enums.label(status), style=review.STATUS_STYLES[status])

    @admin.display(description="Total", ordering="total")
    def amount(self, order: Order) -> str:
        """Total with its currency."""
        return words.money(order)

    @admin.display(description="Proof waiting", ordering="under_review_since", empty_value="")
    def waiting(self, order: Order) -> str | None:
        """For how long a proof waits for review."""
        since = order.under_review_since
        return words.ago(since, now=timezone.now()) if since else None

    @admin.display(description="Created (raffle's time)", ordering="created_at")
    def created(self, order: Order) -> str:
        """When, in the raffle's time zone."""
        return words.clock(order.created_at, zone=order.raffle.time_zone)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """Find by code in any case and spacing, by part of the phone, by part of the name."""
        term = search_term.strip()
        if not term:
            return queryset, False
        name = Q(contact__profile_name__icontains=term) | Q(contact__username__icontains=term)
        wanted = name
        if code := codes.normalised(term):
            wanted |= Q(code=code)
        digits = re.sub(r"\D", "", term)
        if digits and not re.search(r"[^\d\s()+.-]", term):
            wanted |= Q(contact__wa_id__contains=digits)
        return queryset.filter(wanted), False

    def get_urls(self) -> list[URLPattern]:
        """Add an address for each decision."""
        view = self.admin_site.admin_view
        return [
            path("<int:order_id>/confirm/", view(decisions.confirm), name="raffles_order_confirm"),
            path("<int:order_id>/reject/", view(decisions.reject), name="raffles_order_reject"),
            path("<int:order_id>/cancel/", view(decisions.cancel), name="raffles_order_cancel"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Draw the page of one order from what `review` reads."""
        context |= {
            "review": review.of(kwargs["obj"], now=timezone.now()),
            "may_decide": request.user.has_perm("raffles.change_order"),
            "reasons": enums.choices(RejectReason),
            "next_order": _next_waiting(kwargs["obj"]),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """Fetch along what the page of an order reads."""
        return super().get_queryset(request).select_related("raffle", "contact")


def _next_waiting(order: Order) -> Order | None:
    """Give the order that waits longest for review, other than this one."""
    waiting = Order.objects.filter(under_review_since__isnull=False).exclude(pk=order.pk)
    return waiting.order_by("under_review_since", "id").first()
