"""Statements that lock the orders of a buyer before numbers are held."""

from typing import Final

from django.db.models import BigIntegerField

from shared.core.enums import OrderStatus
from shared.core.statements.bound_statements import BoundStatement
from shared.core.statements.compiled_queries import CompiledQuery, IsIn, Parameter
from shared.raffles.models import Order


def bind_orders_lock(
    raffle_id: int, *, contact_id: int | None, replacing: Order | None
) -> BoundStatement[list[Order]]:
    """Return the statement that locks a buyer's orders in this raffle without the cancelled ones.

    Its result are the orders, oldest first. Without a contact it is the replaced draft alone.
    """
    if replacing is not None and (replacing.raffle_id, replacing.contact_id) != (
        raffle_id,
        contact_id,
    ):
        raise ValueError("a draft is replaced by its own buyer and in its own raffle only")
    if contact_id is None:
        return _LOCKED_DRAFTS.bind(ids=[] if replacing is None else [replacing.pk])
    return _LOCKED_ORDERS_OF_BUYER.bind(raffle=raffle_id, contact=contact_id)


_LOCKED_DRAFTS: Final = CompiledQuery(
    lambda: Order.objects.select_for_update(no_key=True).filter(
        IsIn("id", "ids"), status=OrderStatus.DRAFT
    )
)


_LOCKED_ORDERS_OF_BUYER: Final = CompiledQuery(
    lambda: (
        Order.objects.select_for_update(no_key=True)
        .filter(
            raffle_id=Parameter("raffle", BigIntegerField()),
            contact_id=Parameter("contact", BigIntegerField()),
        )
        .exclude(status=OrderStatus.CANCELLED)
        .order_by("id")
    )
)
