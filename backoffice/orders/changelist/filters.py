"""Filters of the lists of orders and of payment proofs."""
# ruff: noqa: ARG002 - Django gives these arguments

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from backoffice.changelists.filters import ConditionFilter, build_enum_answers
from backoffice.orders import worklists
from backoffice.orders.changelist import filter_counts
from shared.core.enums import OrderStatus, ProofStatus, Verdict
from shared.raffles.models import Raffle


class CountedOrderFilter(ConditionFilter):
    """Orders by the answer to one question; each answer comes with how many it would show."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Give the answers one can choose, counted within the chosen raffle."""
        counts, raffle_id = (
            filter_counts.get_filter_counts(now=timezone.now()),
            parse_chosen_raffle_id(request),
        )
        asked = self.parameter_name or ""
        return [
            (value, f"{words} ({counts.count(asked, value, raffle_id=raffle_id):,})")
            for value, words in super().lookups(request, model_admin)
        ]


class OrderStatusFilter(CountedOrderFilter):
    """Orders by status."""

    title = "Status"
    parameter_name = "status"
    answers = build_enum_answers(OrderStatus)


class OrderReviewFilter(CountedOrderFilter):
    """Orders whose proof waits for a decision, or whose buyer was asked for a better one."""

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
    """Orders whose clock ends within ten minutes."""

    title = "Clock"
    parameter_name = "expiring"
    answers: ClassVar = {"soon": ("Expiring soon", Q())}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Keep those of the chosen answer; which they are, the clock decides."""
        if self.value() != "soon":
            return queryset
        return queryset.filter(worklists.build_expiring_soon_condition(now=timezone.now()))


class OrderSaleFilter(CountedOrderFilter):
    """Orders that were sold for cash, without a chat."""

    title = "Sale"
    parameter_name = "sale"
    answers: ClassVar = {"cash": ("Cash", Q(contact__isnull=True))}


class OrderRaffleFilter(admin.SimpleListFilter):
    """Orders of one raffle; the newest hundred are offered."""

    title = "Raffle"
    parameter_name = "raffle"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Give the raffles one can choose, each with how many orders it has."""
        if request.method == "POST":  # nothing is drawn, yet Django drops a filter without answers
            return [(str(parse_chosen_raffle_id(request) or ""), "")]
        counts = filter_counts.get_filter_counts(now=timezone.now())
        newest = Raffle.objects.order_by("-id").values_list("id", "title")[:100]
        return [(str(key), f"{title} ({counts.total(raffle_id=key):,})") for key, title in newest]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Keep the chosen raffle's rows."""
        raffle_id = parse_chosen_raffle_id(request)
        return queryset if raffle_id is None else queryset.filter(raffle_id=raffle_id)


def parse_chosen_raffle_id(request: HttpRequest) -> int | None:
    """Give the raffle that a list of orders is filtered by; None for all."""
    value = request.GET.get(OrderRaffleFilter.parameter_name, "")
    return int(value) if value.isdecimal() and len(value) <= _MAX_KEY_DIGITS else None


_MAX_KEY_DIGITS: Final = 18
"""Digits of the largest key that fits every database."""


class ProofStatusFilter(ConditionFilter):
    """Proofs by where their file is."""

    title = "File"
    parameter_name = "status"
    answers = build_enum_answers(ProofStatus)


class ProofVerdictFilter(ConditionFilter):
    """Proofs by what was decided."""

    title = "Verdict"
    parameter_name = "verdict"
    answers = build_enum_answers(Verdict, "verdict")


class ProofOrderFilter(ConditionFilter):
    """Proofs that fit an order, or none."""

    title = "Order"
    parameter_name = "order"
    answers: ClassVar = {
        "none": ("Without an order", Q(order__isnull=True)),
        "some": ("With an order", Q(order__isnull=False)),
    }
