"""Admin of the ledger: money that came in or went back, by raffle, kind and date."""
# ruff: noqa: ARG002 - Django passes these arguments

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.changelists.filters import ConditionFilter
from backoffice.changelists.selects import FilteredAdmin
from backoffice.messaging.contacts import contact_search
from backoffice.orders import search
from backoffice.ui import display, ids
from shared.conversation import formatting
from shared.core.enums import LedgerKind
from shared.raffles.models import LedgerEntry, Order, Raffle

LEDGER_KIND_BADGES: Final = {
    LedgerKind.CONFIRMED: ("Money in", "success"),
    LedgerKind.UNDONE: ("Undone", "warning"),
    LedgerKind.REFUNDED: ("Refunded", "danger"),
    LedgerKind.LATE_REFUNDED: ("Late payment refunded", "secondary"),
}
"""By kind, its label and the Bootstrap colour of its badge."""

_MAX_RAFFLES_OFFERED: Final = 100
"""Newest raffles in the filter."""


class LedgerKindFilter(ConditionFilter):
    """Entries by kind."""

    title = "Kind"
    parameter_name = "kind"
    answers: ClassVar = {
        kind.value: (label, Q(kind=kind)) for kind, (label, _) in LEDGER_KIND_BADGES.items()
    }


class LedgerRaffleFilter(admin.SimpleListFilter):
    """Entries of one of the newest raffles."""

    title = "Raffle"
    parameter_name = "raffle"
    as_select = True

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the raffles as pairs of id and title."""
        newest = Raffle.objects.order_by("-id").values_list("id", "title")[:_MAX_RAFFLES_OFFERED]
        return [(str(key), title) for key, title in newest]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Return the entries of the chosen raffle, or all if none is chosen."""
        raffle_id = ids.parse_digits(self.value() or "")
        return queryset if raffle_id is None else queryset.filter(raffle_id=raffle_id)


class LedgerDateFilter(admin.SimpleListFilter):
    """Entries of the last days, in the time zone of the installation."""

    title = "Date"
    parameter_name = "days"
    as_select = True

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the spans as pairs of their number of days and label."""
        return [("1", "Today"), ("7", "Last 7 days"), ("30", "Last 30 days"), ("365", "Last year")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Return the entries of the chosen span, which ends today, or all if none is chosen."""
        if self.value() not in {value for value, _ in self.lookup_choices}:
            return queryset
        return queryset.filter(at__gte=_compute_start(days=int(self.value() or 1)))


@admin.register(LedgerEntry)
class LedgerEntryAdmin(FilteredAdmin):
    """The ledger, newest first; nobody adds, changes or deletes an entry by hand."""

    menu_name = "Ledger"
    lead = (
        "Money in less what was undone and refunded is what the raffle has. Refunds of late "
        "payments are listed and counted in no sum, as that money was never confirmed."
    )
    list_display = ("moment", "what", "sum", "buyer_order", "raffle", "who", "reference")
    list_filter = (LedgerKindFilter, LedgerRaffleFilter, LedgerDateFilter)
    list_select_related = ("order", "raffle")
    search_fields: ClassVar[tuple[str, ...]] = ("reference",)
    search_help_text = "Order code, phone, name or reference"
    ordering = ("-id",)
    fields = ("moment", "what", "sum", "buyer_order", "raffle", "quantity", "who", "reference")
    readonly_fields = fields

    def find_rows(
        self, request: HttpRequest, queryset: QuerySet[LedgerEntry], term: str
    ) -> QuerySet[LedgerEntry]:
        """Return the entries with a reference, or of the orders that the same search finds."""
        orders = search.search_orders(
            Order.objects.order_by(), search.parse_search_term(term), raffle_id=None, sort=False
        )
        if orders.too_many:
            contact_search.warn_about_many_matches(request)
        newest = orders.orders.order_by("-pk").values_list("pk", flat=True)
        ids = list(newest[: contact_search.MAX_SEARCH_MATCHES])
        return queryset.filter(Q(reference__icontains=term) | Q(order_id__in=ids))

    @admin.display(description="When")
    def moment(self, entry: LedgerEntry) -> str:
        """Return the time of the entry."""
        return display.format_time(entry.at)

    @admin.display(description="Kind")
    def what(self, entry: LedgerEntry) -> SafeString:
        """Return the kind as a badge."""
        label, style = LEDGER_KIND_BADGES[LedgerKind(entry.kind)]
        if entry.kind == LedgerKind.LATE_REFUNDED and entry.confirmation_id is not None:
            label = "Second payment refunded"
        return display.render_badge(label, style=style)

    @admin.display(description="Amount")
    def sum(self, entry: LedgerEntry) -> str:
        """Return the amount, with a minus sign if the money went back."""
        sign = "" if entry.kind == LedgerKind.CONFIRMED else "−"
        return sign + formatting.format_money(entry.amount, entry.currency)

    @admin.display(description="Order")
    def buyer_order(self, entry: LedgerEntry) -> SafeString:
        """Return a link to the order."""
        page = reverse("admin:raffles_order_change", args=[entry.order_id])
        return format_html('<a href="{}">{}</a>', page, entry.order)

    @admin.display(description="By", empty_value="")
    def who(self, entry: LedgerEntry) -> str:
        """Return the name of the author."""
        return entry.actor_label


def _compute_start(*, days: int) -> datetime:
    """Return the beginning of the first of so many days, the last of which is today."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days - 1)
