"""Filters of the lists of orders and of payment proofs."""
# ruff: noqa: ARG002 - Django passes these arguments

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from backoffice.changelists.filters import ConditionFilter, build_enum_answers
from backoffice.orders import worklists
from backoffice.orders.changelist import filter_counts
from backoffice.ui import ids
from shared.core.enums import OrderStatus, ProofStatus, Verdict
from shared.raffles.models import Raffle


class CountedOrderFilter(ConditionFilter):
    """A filter of orders that shows the count of orders beside each value."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the values to choose from, with counts within the chosen raffle."""
        counts = filter_counts.get_filter_counts(now=timezone.now())
        raffle_id = parse_chosen_raffle_id(request)
        parameter = self.parameter_name or ""
        return [
            (value, f"{label} ({counts.count_orders(parameter, value, raffle_id=raffle_id):,})")
            for value, label in super().lookups(request, model_admin)
        ]


class OrderStatusFilter(CountedOrderFilter):
    """Orders by status."""

    title = "Status"
    parameter_name = "status"
    as_select = True
    answers = build_enum_answers(OrderStatus)


class OrderReviewFilter(CountedOrderFilter):
    """Orders under review, or only those whose buyer was asked for a better proof."""

    title = "Review"
    parameter_name = "review"
    answers: ClassVar = {
        "waiting": ("To review", filter_counts.UNDER_REVIEW),
        "asked": ("Asked again", filter_counts.UNDER_REVIEW & Q(asked_again_at__isnull=False)),
    }


class OrderDecisionFilter(CountedOrderFilter):
    """Orders that were paid too late."""

    title = "Decision"
    parameter_name = "decision"
    answers: ClassVar = {"yes": ("Late payments", Q(needs_decision=True))}


class OrderExpiryFilter(CountedOrderFilter):
    """Orders that expire within ten minutes."""

    title = "Clock"
    parameter_name = "expiring"
    answers: ClassVar = {"soon": ("Expiring soon", Q())}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Return the orders that expire soon, by the current time."""
        if self.value() != "soon":
            return queryset
        return queryset.filter(worklists.build_expiring_soon_condition(now=timezone.now()))


class OrderSaleFilter(CountedOrderFilter):
    """Orders of cash sales, without a chat."""

    title = "Sale"
    parameter_name = "sale"
    answers: ClassVar = {"cash": ("Cash", Q(contact__isnull=True))}


class OrderRaffleFilter(admin.SimpleListFilter):
    """Orders of one of the newest hundred raffles."""

    title = "Raffle"
    parameter_name = "raffle"
    as_select = True

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the raffles to choose from, with the count of their orders."""
        if request.method == "POST":  # nothing is drawn, yet Django drops a filter without values
            return [(str(parse_chosen_raffle_id(request) or ""), "")]
        counts = filter_counts.get_filter_counts(now=timezone.now())
        newest = Raffle.objects.order_by("-id").values_list("id", "title")[:100]
        return [
            (str(key), f"{title} ({counts.count_all_orders(raffle_id=key):,})")
            for key, title in newest
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Return the orders of the chosen raffle."""
        raffle_id = parse_chosen_raffle_id(request)
        return queryset if raffle_id is None else queryset.filter(raffle_id=raffle_id)


def parse_chosen_raffle_id(request: HttpRequest) -> int | None:
    """Return the id of the raffle that the list is filtered by; None for all raffles."""
    return ids.parse_digits(request.GET.get(OrderRaffleFilter.parameter_name, ""))


class ProofStatusFilter(ConditionFilter):
    """Proofs by the state of their file."""

    title = "File"
    parameter_name = "status"
    answers = build_enum_answers(ProofStatus)


class ProofVerdictFilter(ConditionFilter):
    """Proofs by verdict."""

    title = "Verdict"
    parameter_name = "verdict"
    answers = build_enum_answers(Verdict, "verdict")


class ProofOrderFilter(ConditionFilter):
    """Proofs with or without an order."""

    title = "Order"
    parameter_name = "order"
    answers: ClassVar = {
        "none": ("Without an order", Q(order__isnull=True)),
        "some": ("With an order", Q(order__isnull=False)),
    }
