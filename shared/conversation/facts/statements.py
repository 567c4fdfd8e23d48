"""Statements that read the facts about buyers, for any number of them at a time.

They run for every message, so they are kept compiled; `facts` says what they are for.
"""

from typing import Final

from django.db import models
from django.db.models import Case, F, Q, Value, When, Window
from django.db.models.functions import RowNumber

from shared.core.enums import OrderStatus, ProofStatus, Verdict
from shared.core.statements.compiled_queries import CompiledQuery, IsIn, Parameter
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.predicates import UNSORTED_PROOFS

ENDED_STATUSES: Final = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)

MAX_ENDED_ORDERS: Final = 10
"""The most cancelled or expired orders that the chat knows, besides all live and paid ones."""

_ORDER_FIELDS: Final = (
    "code",
    "raffle_id",
    "contact_id",
    "status",
    "mode",
    "quantity",
    "total",
    "currency",
    "expires_at",
    "under_review_since",
    "needs_decision",
    "asked_again_at",
    "placed_at",
    "receipt_entry",
    "receipt_head",
)

_HAS_ENDED: Final = Case(When(status__in=ENDED_STATUSES, then=Value(1)), default=Value(0))

ORDERS_OF_BUYERS: Final[CompiledQuery[Order]] = CompiledQuery(
    lambda: (
        Order.objects.filter(IsIn("contact_id", "contacts"))
        .alias(
            newest=Window(
                RowNumber(), partition_by=[F("contact_id"), _HAS_ENDED], order_by=F("id").desc()
            )
        )
        .filter(~Q(status__in=ENDED_STATUSES) | Q(newest__lte=MAX_ENDED_ORDERS))
        .only(*_ORDER_FIELDS)
        .order_by()
    )
)
"""In any order, the live and paid orders of buyers, and of each the last that ended."""

NAMED_ORDERS: Final = CompiledQuery(
    lambda: (
        Order.objects.filter(
            IsIn("contact_id", "contacts"), IsIn("id", "ids") | IsIn("code", "codes")
        )
        .only(*_ORDER_FIELDS)
        .order_by()  # sorted by id, SQLite may read the whole table
    )
)
"""In any order, orders of buyers by id or code."""

RAFFLES: Final = CompiledQuery(lambda: Raffle.objects.filter(IsIn("id", "ids")))

ORDERS_WITH_RECEIPT: Final = CompiledQuery(
    lambda: (
        PaymentProof.objects.filter(
            IsIn("order_id", "orders"), verdict__in=(Verdict.PENDING, Verdict.ACCEPTED)
        )
        .exclude(status=ProofStatus.FAILED)
        .order_by()
        .values_list("order_id", flat=True)
        .distinct()
    )
)
"""Orders with a proof that may be paid money: not lost or turned down."""

UNPLACED_PROOFS: Final = CompiledQuery(
    lambda: (
        PaymentProof.objects.filter(
            UNSORTED_PROOFS,
            IsIn("contact_id", "contacts"),
            order__isnull=True,
            arrived_at__gte=Parameter("since", models.DateTimeField()),
        )
        .order_by("arrived_at", "id")
        .values_list("contact_id", "pk")
    )
)
"""The proofs of buyers that arrived of late and have no order, the latest last."""
