"""The seller's list of orders, and the page of one."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from backoffice.changelists.read_only import ReadOnlyAdmin
from backoffice.orders import decisions, detail_page, search, ticket_numbers
from backoffice.orders.changelist import bulk_actions, bulk_confirmation, filter_counts, tabs
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
from backoffice.orders.prefetched import format_first_ticket_numbers, format_order_buyer
from backoffice.ui import display
from shared.core import enums
from shared.core.enums import RejectReason
from shared.raffles.models import Order


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Orders: facts that are read, and decisions that are buttons."""

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
    sortable_by = ("code", "created")  # what an index sorts; the tabs and selects do the rest
    actions = ("confirm_payments", "reject_proofs", "cancel_orders")
    actions_on_bottom = False
    change_form_template = "admin/raffles/order/change_form.html"

    @admin.display(description="Buyer")
    def buyer(self, order: Order) -> SafeString:
        """Name and phone, each on a line of its own."""
        return _render_lines(*format_order_buyer(order).rsplit(", ", 1))

    @admin.display(description="Numbers")
    def numbers(self, order: Order) -> str:
        """Give the first few numbers."""
        return format_first_ticket_numbers(order, limit=3)

    @admin.display(description="Status")
    def state(self, order: Order) -> SafeString:
        """Give the status as a badge, or that a person is asked."""
        status, style = bulk_confirmation.describe_order_status(order)
        return display.render_badge(status, style=style)

    @admin.display(description="Total")
    def amount(self, order: Order) -> str:
        """Total with its currency."""
        return display.format_order_total(order)

    @admin.display(description="Waiting", empty_value="")
    def waiting(self, order: Order) -> str | None:
        """Say for how long a proof waits for us, or how long we wait for the buyer."""
        now = timezone.now()
        if order.under_review_since is not None:
            return f"{display.format_time_since(order.under_review_since, now=now)} for review"
        if order.status in Order.LIVE and order.expires_at is not None:
            left = display.format_time_since(now, now=order.expires_at)
            return f"{left} left" if order.expires_at > now else "time is over"
        return None

    @admin.display(description="Created", ordering="id")
    def created(self, order: Order) -> SafeString:
        """When, in the raffle's time zone; day and clock on a line each."""
        day, clock = display.format_time(order.created_at, zone=order.raffle.time_zone).rsplit(
            ", ", 1
        )
        return _render_lines(day, clock)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """Fetch along what the list and the page read."""
        orders = super().get_queryset(request).select_related("raffle", "contact")
        return orders.defer("contact__context").prefetch_related(ticket_numbers.TICKETS_PREFETCH)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Show the newest first; what waits for somebody in the order it should be done."""
        if request.GET.get(OrderReviewFilter.parameter_name):
            return ("under_review_since", "id")
        if request.GET.get(OrderExpiryFilter.parameter_name):
            return ("expires_at", "id")
        return ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """Find by code, phone, name or ticket number, each in any spelling."""
        if not search_term.strip():
            return queryset, False
        found = search.search_orders(
            queryset,
            search.parse_search_term(search_term),
            raffle_id=parse_chosen_raffle_id(request),
            sort="o" not in request.GET,
        )
        if found.too_many and request.method == "GET":
            messages.info(
                request,
                f"Very many buyers match; shown are the newest {search.MAX_SEARCH_MATCHES:,}. "
                "Type a little more to find somebody else.",
            )
        return found.orders, False

    def get_action_choices(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> list[tuple[str, str]]:
        """Say what the list of actions is for, where Django shows dashes."""
        _, *choices = super().get_action_choices(request, *args, **kwargs)
        return [("", "With the ticked orders…"), *choices]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Let those decide about money who may change orders."""
        return request.user.has_perm("raffles.change_order")

    @admin.action(description="Confirm payments…", permissions=["decide"])
    def confirm_payments(self, request: HttpRequest, chosen: QuerySet[Order]) -> HttpResponse:
        """Show the chosen orders with their proofs before anything is confirmed."""
        return bulk_actions.render_bulk_confirmation(request, chosen, action=BulkAction.CONFIRM)

    @admin.action(description="Reject proofs…", permissions=["decide"])
    def reject_proofs(self, request: HttpRequest, chosen: QuerySet[Order]) -> HttpResponse:
        """Show the chosen orders and ask why their proofs are turned down."""
        return bulk_actions.render_bulk_confirmation(request, chosen, action=BulkAction.REJECT)

    @admin.action(description="Cancel orders…", permissions=["decide"])
    def cancel_orders(self, request: HttpRequest, chosen: QuerySet[Order]) -> HttpResponse:
        """Show the chosen orders once more before they are cancelled."""
        return bulk_actions.render_bulk_confirmation(request, chosen, action=BulkAction.CANCEL)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Show the list, with the filters one reaches for most as tabs above it."""
        if request.method == "POST" and not self.has_decide_permission(request):
            raise PermissionDenied
        answer: Any = super().changelist_view(request, extra_context)
        changes = getattr(answer, "context_data", {}).get("cl")
        if changes is not None:
            counts = filter_counts.get_filter_counts(now=timezone.now())
            total = counts.total(raffle_id=parse_chosen_raffle_id(request))
            answer.context_data |= {
                "tabs": tabs.build_tabs(changes, total=total),
                "selects": tabs.build_selects(changes),
                "kept": tabs.collect_kept_parameters(changes),
            }
        return answer

    def get_urls(self) -> list[URLPattern]:
        """Add an address for each decision, about one order or many."""
        view = self.admin_site.admin_view
        one = "<int:order_id>"
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
            path("many/done/", view(bulk_actions.bulk_result_view), name="raffles_order_done"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Draw the page of one order."""
        page = detail_page.load_order_page(kwargs["obj"], request=request, now=timezone.now())
        context |= {
            "page": page,
            "review": page.review,
            "may_decide": self.has_decide_permission(request),
            "reasons": enums.build_choices(RejectReason),
        }
        return super().render_change_form(request, context, *args, **kwargs)


def _render_lines(*parts: str) -> SafeString:
    """Put the parts of a cell on a line each."""
    return format_html_join("", '<span class="line">{}</span>', ((part,) for part in parts))
