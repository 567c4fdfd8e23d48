"""List filters of one parameter each: Jazzmin's selects carry no more."""
# ruff: noqa: ARG002 - Django gives these arguments

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from shared.core import enums
from shared.core.enums import (
    InboxStatus,
    OrderStatus,
    OutboxStatus,
    ProofStatus,
    RaffleStatus,
    Verdict,
)
from shared.raffles.models import Raffle


class OneOf(admin.SimpleListFilter):
    """Rows by the answer to one question; each answer is a condition."""

    answers: ClassVar[dict[str, tuple[str, Q]]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Give the answers one can choose."""
        return [(value, words) for value, (words, _) in self.answers.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Keep the rows of the chosen answer."""
        chosen = self.answers.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen[1])


def _by_status(kind: Any, field: str = "status") -> dict[str, tuple[str, Q]]:
    return {member.value: (enums.label(member), Q(**{field: member.value})) for member in kind}


class ByRaffleStatus(OneOf):
    """Raffles by status."""

    title = "Status"
    parameter_name = "status"
    answers = _by_status(RaffleStatus)


class ByOrderStatus(OneOf):
    """Orders by status."""

    title = "Status"
    parameter_name = "status"
    answers = _by_status(OrderStatus)


class ByReview(OneOf):
    """Orders whose proof waits for a decision, or not."""

    title = "Review"
    parameter_name = "review"
    answers: ClassVar = {
        "waiting": ("Proof waits for review", Q(under_review_since__isnull=False)),
        "none": ("No proof waiting", Q(under_review_since__isnull=True)),
    }


class ByDecision(OneOf):
    """Orders that were paid too late."""

    title = "Decision"
    parameter_name = "decision"
    answers: ClassVar = {
        "yes": ("Needs a decision", Q(needs_decision=True)),
        "no": ("Needs none", Q(needs_decision=False)),
    }


class ByRaffle(admin.SimpleListFilter):
    """Orders of one raffle; the newest hundred are offered."""

    title = "Raffle"
    parameter_name = "raffle"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Give the raffles one can choose."""
        newest = Raffle.objects.order_by("-id").values_list("id", "title")[:100]
        return [(str(key), title) for key, title in newest]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Keep the chosen raffle's rows."""
        value = self.value() or ""
        if not value.isdecimal():
            return queryset
        return queryset.filter(raffle__in=Raffle.objects.filter(pk=int(value)))


class ByProofStatus(OneOf):
    """Proofs by where their file is."""

    title = "File"
    parameter_name = "status"
    answers = _by_status(ProofStatus)


class ByVerdict(OneOf):
    """Proofs by what was decided."""

    title = "Verdict"
    parameter_name = "verdict"
    answers = _by_status(Verdict, "verdict")


class ByHavingAnOrder(OneOf):
    """Proofs that fit an order, or none."""

    title = "Order"
    parameter_name = "order"
    answers: ClassVar = {
        "none": ("Without an order", Q(order__isnull=True)),
        "some": ("With an order", Q(order__isnull=False)),
    }


class ByInboxStatus(OneOf):
    """Messages in by status."""

    title = "Status"
    parameter_name = "status"
    answers = _by_status(InboxStatus)


class ByOutboxStatus(OneOf):
    """Messages out by status."""

    title = "Status"
    parameter_name = "status"
    answers = _by_status(OutboxStatus)


class ByAlarmState(OneOf):
    """Alarms that are open, or resolved."""

    title = "State"
    parameter_name = "open"
    answers: ClassVar = {
        "yes": ("Open", Q(resolved_at__isnull=True)),
        "no": ("Resolved", Q(resolved_at__isnull=False)),
    }


class ByAttention(OneOf):
    """Account notices a person should read."""

    title = "Attention"
    parameter_name = "attention"
    answers: ClassVar = {
        "yes": ("Needs attention", Q(needs_attention=True)),
        "no": ("For the record", Q(needs_attention=False)),
    }
