"""Admin of orders: the list with its filters and bulk actions, and the page of one order."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from backoffice.changelists.read_only import ReadOnlyAdmin
from backoffice.changelists.selects import FilteredChangeList
from backoffice.messaging.contacts import contact_search
from backoffice.orders import (
    detail_page,
    order_actions,
    search,
    source_labels,
    summary,
    ticket_numbers,
)
from backoffice.orders.changelist import bulk_actions, filter_counts, tabs
from backoffice.orders.changelist.bulk_confirmation import BulkAction
from backoffice.orders.changelist.filters import (
    OrderDecisionFilter,
    OrderExpiryFilter,
    OrderRaffleFilter,
    OrderReviewFilter,
    OrderSaleFilter,
    OrderStatusFilter,
    parse_chosen_raffle_id,
)
from backoffice.orders.payment_decisions import decisions, reversals
from backoffice.orders.permissions import may_decide_orders, may_refund_orders
from backoffice.orders.prefetched import format_first_ticket_numbers, format_order_buyer
from backoffice.ui import display, ids
from shared.core import enums
from shared.core.enums import RejectReason
from shared.raffles.models import Order


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Orders, which are read-only apart from the decisions about them."""

    menu_name = "Orders"
    list_display = (
        "code",
        "buyer",
        "raffle",
        "numbers",
        "state",
        "amount",
        "waiting",
        "created",
    )
    list_filter = (
        OrderReviewFilter,
        OrderExpiryFilter,
        OrderDecisionFilter,
        OrderSaleFilter,
        OrderStatusFilter,
        OrderRaffleFilter,
    )
    list_select_related = ("raffle", "contact")
    ordering = ("-id",)
    search_fields: ClassVar[tuple[str, ...]] = ("code",)
    search_help_text = search.SEARCH_HELP
    sortable_by = (
        "code",
        "created",
    )  # columns with an index; tabs and selects filter by the others
    actions = ("confirm_payments", "reject_proofs", "give_more_time", "cancel_orders")
    actions_on_bottom = False
    change_form_template = "admin/raffles/order/change_form.html"

    @admin.display(description="Buyer")
    def buyer(self, order: Order) -> SafeString:
        """Return name, phone number and what led to the chat, each on its own line."""
        source = source_labels.describe_source(order.source)
        who = format_order_buyer(order).rsplit(", ", 1)
        return _render_lines(*who, *([source] if source else []))

    @admin.display(description="Numbers")
    def numbers(self, order: Order) -> str:
        """Return the first few ticket numbers."""
        return format_first_ticket_numbers(order, limit=3)

    @admin.display(description="Status")
    def state(self, order: Order) -> SafeString:
        """Return the status as a badge, or that a decision is needed."""
        status, style = summary.describe_order_status(order)
        return display.render_badge(status, style=style)

    @admin.display(description="Total")
    def amount(self, order: Order) -> str:
        """Return the total with its currency."""
        return display.format_order_total(order)

    @admin.display(description="Waiting", empty_value="")
    def waiting(self, order: Order) -> str | None:
        """Return the time since the review began, or the time left for the buyer to pay."""
        now = timezone.now()
        if order.under_review_since is not None:
            return f"{display.format_time_since(order.under_review_since, now=now)} for review"
        if order.status in Order.LIVE and order.expires_at is not None:
            left = display.format_time_since(now, now=order.expires_at)
            return f"{left} left" if order.expires_at > now else "time is over"
        return None

    @admin.display(description="Created", ordering="id")
    def created(self, order: Order) -> SafeString:
        """Return day and time in the raffle's time zone, each on its own line."""
        day, clock = display.format_time(order.created_at, zone=order.raffle.time_zone).rsplit(
            ", ", 1
        )
        return _render_lines(day, clock)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """Return orders with the rows that the list and the page show."""
        orders = super().get_queryset(request).select_related("raffle", "contact")
        return orders.defer("contact__context").prefetch_related(
            ticket_numbers.TICKETS_PREFETCH, "ledger"
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        """Return the change list with drop-down filters."""
        return FilteredChangeList

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Return newest first; orders to review or expiring soon in the order of work."""
        if request.GET.get(OrderReviewFilter.parameter_name):
            return ("under_review_since", "id")
        if request.GET.get(OrderExpiryFilter.parameter_name):
            return ("expires_at", "id")
        return ("-id",)

    def find_rows(
        self, request: HttpRequest, queryset: QuerySet[Order], term: str
    ) -> QuerySet[Order]:
        """Return the orders with a code, phone number, name or ticket number, in any spelling."""
        found = search.search_orders(
            queryset,
            search.parse_search_term(term),
            raffle_id=parse_chosen_raffle_id(request),
            sort="o" not in request.GET,
        )
        if found.too_many:
            contact_search.warn_about_many_matches(request)
        return found.orders

    def get_action_choices(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> list[tuple[str, str]]:
        """Return the actions, with a first line in place of Django's dashes."""
        _, *choices = super().get_action_choices(request, *args, **kwargs)
        return [("", "With the ticked orders…"), *choices]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whether the user may decide about orders; Django asks for `permissions=["decide"]`."""
        return may_decide_orders(request)

    @admin.action(description="Confirm payments…", permissions=["decide"])
    def confirm_payments(self, request: HttpRequest, chosen: QuerySet[Order]) -> HttpResponse:
        """Return the page that asks to confirm the payments of the chosen orders."""
        return bulk_actions.render_bulk_confirmation(request, chosen, action=BulkAction.CONFIRM)

    @admin.action(description="Reject proofs…", permissions=["decide"])
    def reject_proofs(self, request: HttpRequest, chosen: QuerySet[Order]) -> HttpResponse:
        """Return the page that asks why the proofs of the chosen orders are rejected."""
        return bulk_actions.render_bulk_confirmation(request, chosen, action=BulkAction.REJECT)

    @admin.action(description="Give more time…", permissions=["decide"])
    def give_more_time(self, request: HttpRequest, chosen: QuerySet[Order]) -> HttpResponse:
        """Return the page that asks to give the chosen orders more time."""
        return bulk_actions.render_bulk_confirmation(request, chosen, action=BulkAction.MORE_TIME)

    @admin.action(description="Cancel orders…", permissions=["decide"])
    def cancel_orders(self, request: HttpRequest, chosen: QuerySet[Order]) -> HttpResponse:
        """Return the page that asks to confirm the cancellation of the chosen orders."""
        return bulk_actions.render_bulk_confirmation(request, chosen, action=BulkAction.CANCEL)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Return the list, with the most used filters as tabs above it.

        Raises:
            PermissionDenied: A POST by a user who may not decide about orders.

        """
        if request.method == "POST" and not self.has_decide_permission(request):
            raise PermissionDenied
        response: Any = super().changelist_view(request, extra_context)
        changes = getattr(response, "context_data", {}).get("cl")
        if changes is not None:
            counts = filter_counts.get_filter_counts(now=timezone.now())
            total = counts.count_all_orders(raffle_id=parse_chosen_raffle_id(request))
            response.context_data["tabs"] = tabs.build_tabs(changes, total=total)
        return response

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses of the decisions about one order or many, and Django's own."""
        view = self.admin_site.admin_view
        one = "<id:order_id>"
        return [
            path(
                f"{one}/confirm/",
                view(decisions.confirm_payment_view),
                name="raffles_order_confirm",
            ),
            path(
                f"{one}/reject/", view(decisions.reject_payment_view), name="raffles_order_reject"
            ),
            path(f"{one}/cancel/", view(decisions.cancel_order_view), name="raffles_order_cancel"),
            path(f"{one}/note/", view(order_actions.add_note_view), name="raffles_order_note"),
            path(
                f"{one}/more-time/",
                view(order_actions.give_more_time_view),
                name="raffles_order_more_time",
            ),
            path(f"{one}/undo/", view(reversals.undo_confirmation_view), name="raffles_order_undo"),
            path(f"{one}/refund/", view(reversals.refund_order_view), name="raffles_order_refund"),
            path(
                "many/confirm/",
                view(bulk_actions.confirm_payments_view),
                name="raffles_order_confirm_many",
            ),
            path(
                "many/reject/",
                view(bulk_actions.reject_proofs_view),
                name="raffles_order_reject_many",
            ),
            path(
                "many/cancel/",
                view(bulk_actions.cancel_orders_view),
                name="raffles_order_cancel_many",
            ),
            path(
                "many/more-time/",
                view(bulk_actions.give_more_time_view),
                name="raffles_order_more_time_many",
            ),
            path("many/done/", view(bulk_actions.bulk_result_view), name="raffles_order_done"),
            *super().get_urls(),
        ]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Return the history of an order, with the entries of its own history."""
        order_id = ids.parse_digits(object_id)
        order = self.get_queryset(request).filter(pk=order_id).first() if order_id else None
        own = detail_page.load_own_history(order, now=timezone.now()) if order else []
        return super().history_view(
            request, object_id, {"own_history": own, **(extra_context or {})}
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Return the page of one order."""
        page = detail_page.load_order_page(kwargs["obj"], request=request, now=timezone.now())
        context |= {
            "page": page,
            "review": page.review,
            "may_decide": self.has_decide_permission(request),
            "may_refund": may_refund_orders(request),
            "reasons": enums.build_choices(RejectReason),
        }
        return super().render_change_form(request, context, *args, **kwargs)


def _render_lines(*parts: str) -> SafeString:
    """Return the parts of a cell, each on its own line."""
    return format_html_join("", '<span class="line">{}</span>', ((part,) for part in parts))
