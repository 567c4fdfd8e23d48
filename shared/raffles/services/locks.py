"""The locks of a sale and the one order in which they are taken.

Contact, then order, then raffle (shared), then ticket numbers in ascending order, then the raffle's
receipt chain. Whoever opens, closes, moves, seals or calls off a raffle locks it exclusively and
holds no other lock of this page. With another order PostgreSQL reports deadlocks.

Reading the raffle under its shared lock makes status and times certain: no order is confirmed
behind a seal. Payments, undos and refunds of one raffle queue for its receipt chain, so its holder
waits for nothing more: afterwards it writes new rows, and rows that it has locked before. All locks
end with the transaction, so each function refuses to work outside one. SQLite has one lock for
everything; there the functions only read.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import BigIntegerField, QuerySet
from django.db.transaction import TransactionManagementError

from shared.core.statements.bound_statements import BoundStatement, read_nothing, run_together
from shared.core.statements.compiled_queries import CompiledQuery, IsIn, Parameter
from shared.raffles.errors import OrderNotFound, RaffleNotFound
from shared.raffles.models import Order, Raffle, TicketNumber
from shared.raffles.services.queries import raffle_queries

_RAFFLE_LOCKS: Final = 0x52_41_46
"""First key of the advisory locks of raffles; the second is the raffle's id."""

_RECEIPT_CHAIN_LOCKS: Final = 0x43_48_41
"""First key of the advisory locks of receipt chains; the second is the raffle's id."""

_MAX_TICKET_NUMBER: Final = 2**31 - 1
"""Largest value of the column; PostgreSQL refuses to look for a larger one."""


def lock_order_with_contacts(order_id: int, *, sender_id: int | None = None) -> Order:
    """Lock an order's contact, the order and its raffle (shared).

    Args:
        order_id: primary key of the order.
        sender_id: another contact to lock, e.g. a friend who paid; contacts are locked in
            ascending order of their ids.

    Returns:
        The order, with its raffle as it is now.

    Raises:
        OrderNotFound: there is no such order.

    """
    _require_transaction()
    locked = _lock_contacts_of_orders([order_id], sender_id=sender_id)
    order = lock_order(order_id)
    _lock_contacts({order.contact_id} - locked)  # it was joined into another one at this moment
    return order


def lock_two_orders_with_contacts(
    first_id: int, second_id: int, *, sender_id: int | None = None
) -> tuple[Order, Order]:
    """Lock the contacts of two orders, the orders and their raffles (shared).

    Each kind is locked in ascending order of the ids, so two moves in opposite directions wait for
    each other. Both orders are locked before any raffle: who waits for an order holds no raffle
    that a third one is about to end.

    Args:
        first_id: primary key of an order.
        second_id: primary key of another one; the same one is locked once.
        sender_id: a further contact to lock.

    Returns:
        Both orders in the order of the arguments, with their raffles as they are now.

    Raises:
        OrderNotFound: there is no such order.

    """
    _require_transaction()
    wanted = {first_id, second_id}
    locked = _lock_contacts_of_orders(wanted, sender_id=sender_id)
    found = {order.pk: order for order in lock_orders(Order.objects.filter(pk__in=wanted))}
    if missing := wanted - set(found):
        raise OrderNotFound(order_id=min(missing))
    _lock_contacts({order.contact_id for order in found.values()} - locked)
    raffles = {
        raffle_id: lock_raffle_shared(raffle_id)
        for raffle_id in sorted({order.raffle_id for order in found.values()})
    }
    for order in found.values():
        order.raffle = raffles[order.raffle_id]
    return found[first_id], found[second_id]


def lock_orders_with_contacts(order_ids: Collection[int]) -> list[Order]:
    """Lock the contacts of orders, the orders and their raffles (shared), each in ascending order.

    Orders that do not exist are left out.
    """
    _require_transaction()
    locked = _lock_contacts_of_orders(order_ids, sender_id=None)
    orders = lock_orders(Order.objects.filter(pk__in=order_ids))
    _lock_contacts({order.contact_id for order in orders} - locked)
    raffles = {
        raffle_id: lock_raffle_shared(raffle_id)
        for raffle_id in sorted({order.raffle_id for order in orders})
    }
    for order in orders:
        order.raffle = raffles[order.raffle_id]
    return orders


def _lock_contacts_of_orders(
    order_ids: Collection[int], *, sender_id: int | None
) -> set[int | None]:
    """Lock the contacts of orders and a further one; return the ids, with None."""
    wanted = {*_BUYERS_OF_ORDERS.fetch(ids=set(order_ids)), sender_id, None}
    _lock_contacts(wanted)
    return wanted


def _lock_contacts(ids: Collection[int | None]) -> None:
    if wanted := {each for each in ids if each is not None}:
        _LOCKED_CONTACTS.fetch(ids=wanted)


def _query_locked_contacts() -> QuerySet[Any]:
    contacts: QuerySet[Any] = Order.contact.field.related_model._default_manager.all()  # noqa: SLF001 - documented by Django
    locked = contacts.filter(IsIn("id", "ids")).order_by("pk").select_for_update(no_key=True)
    return locked.values_list("pk", flat=True)


_BUYERS_OF_ORDERS: Final = CompiledQuery[int | None](
    lambda: Order.objects.filter(IsIn("id", "ids")).order_by().values_list("contact_id", flat=True)
)
_LOCKED_CONTACTS: Final = CompiledQuery[int](_query_locked_contacts)


def lock_order(order_id: int) -> Order:
    """Lock an order and its raffle (shared); the caller has locked its contact before.

    Returns:
        The order, with its raffle as it is now.

    Raises:
        OrderNotFound: there is no such order.

    """
    _require_transaction()
    orders, *_, raffles = run_together(
        _LOCKED_ORDERS.bind(ids=[order_id]),
        *_bind_shared_lock("SELECT raffle_id AS id FROM raffles_order WHERE id = %s", order_id),
        _RAFFLE_OF_ORDER.bind(order=order_id),
    )
    if not orders:
        raise OrderNotFound(order_id=order_id)
    order: Order = orders[0]
    (order.raffle,) = raffles
    return order


_RAFFLE_OF_ORDER: Final = CompiledQuery(
    lambda: Raffle.objects.filter(orders=Parameter("order", BigIntegerField()))
)


def lock_orders(orders: QuerySet[Order]) -> list[Order]:
    """Lock several orders in ascending order; their contacts are locked before."""
    _require_transaction()
    return list(orders.order_by("id").select_for_update(no_key=True))


def lock_orders_by_id(order_ids: Collection[int]) -> dict[int, Order]:
    """Lock several orders in ascending order; their contacts are locked before.

    Returns:
        The orders by id; those that do not exist are left out.

    """
    _require_transaction()
    if not order_ids:
        return {}
    return {order.pk: order for order in _LOCKED_ORDERS.fetch(ids=set(order_ids))}


_LOCKED_ORDERS: Final = CompiledQuery(
    lambda: Order.objects.select_for_update(no_key=True).filter(IsIn("id", "ids")).order_by("id")
)


def lock_raffle_shared(raffle_id: int) -> Raffle:
    """Keep the status and the times of a raffle as they are until the transaction ends.

    Many transactions can hold this lock at once. It is an advisory lock, because a row lock (FOR
    SHARE) writes to the row's page each time. Lock and read are sent together, since round trips
    are most of the cost of a hold; the read sees what was committed before the lock was granted.

    Returns:
        The raffle as it is now.

    Raises:
        RaffleNotFound: there is no such raffle.

    """
    _require_transaction()
    raffle: Raffle
    *_, raffle = run_together(*bind_raffle_lock(raffle_id))
    return raffle


def bind_raffle_lock(raffle_id: int) -> list[BoundStatement[Any]]:
    """Return the statements of `lock_raffle_shared`, to be run together with others.

    The result of the last one is the raffle as it is now; it raises `RaffleNotFound`.
    """
    statement = raffle_queries.RAFFLES_BY_ID.bind(ids=[raffle_id])

    def read_raffle(cursor: CursorWrapper) -> Raffle:
        found = statement.read_result(cursor)
        if not found:
            raise RaffleNotFound(raffle_id=raffle_id)
        return found[0]

    return [
        *_bind_shared_lock("SELECT %s::int AS id", raffle_id),
        BoundStatement(statement.sql, statement.params, read_raffle),
    ]


def lock_raffles_shared(raffle_ids: Collection[int]) -> dict[int, Raffle]:
    """Lock several raffles like `lock_raffle_shared`, in ascending order.

    Returns:
        The raffles as they are now, by id; those that do not exist are left out.

    """
    _require_transaction()
    ids = sorted(set(raffle_ids))
    if not ids:
        return {}
    *_, raffles = run_together(
        *_bind_shared_lock("SELECT unnest(%s::int[]) AS id", ids),
        raffle_queries.RAFFLES_BY_ID.bind(ids=ids),
    )
    return {raffle.pk: raffle for raffle in raffles}


def _bind_shared_lock(raffles_sql: str, *params: Any) -> list[BoundStatement[None]]:
    """Return the statement that locks raffles, in the order in which a query returns their ids.

    SQLite needs none.
    """
    if connection.vendor != "postgresql":
        return []
    sql = f"SELECT pg_advisory_xact_lock_shared(%s, id::int) FROM ({raffles_sql}) AS raffle"  # noqa: S608 - a constant of this module
    return [BoundStatement(sql, [_RAFFLE_LOCKS, *params], read_nothing)]


def bind_receipt_chains_lock(raffle_ids: Collection[int]) -> list[BoundStatement[None]]:
    """Return the statement that locks the receipt chains of raffles, in ascending order.

    They are the last lock of a transaction. It is an advisory lock, because the first sale locks a
    chain that has no row yet. SQLite needs none.
    """
    _require_transaction()
    if connection.vendor != "postgresql" or not raffle_ids:
        return []
    sql = "SELECT pg_advisory_xact_lock(%s, id) FROM unnest(%s::int[]) AS raffle (id)"
    params = [_RECEIPT_CHAIN_LOCKS, sorted(set(raffle_ids))]
    return [BoundStatement(sql, params, read_nothing)]


def lock_receipt_chains(raffle_ids: Collection[int]) -> None:
    """Lock the receipt chains of raffles like `bind_receipt_chains_lock`."""
    run_together(*bind_receipt_chains_lock(raffle_ids))


def lock_raffle(raffle_id: int) -> Raffle:
    """Lock a raffle exclusively, to change its status or times; hold no other lock meanwhile.

    Returns:
        The raffle as it is now.

    Raises:
        RaffleNotFound: there is no such raffle.

    """
    _require_transaction()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_RAFFLE_LOCKS, raffle_id])
    raffle_queries.load_raffle(raffle_id)
    return Raffle.objects.select_for_update(no_key=True).get(pk=raffle_id)


def lock_tickets(raffle_id: int, *, numbers: Collection[int]) -> list[TicketNumber]:
    """Lock ticket numbers of any status in ascending order; unknown ones are left out."""
    _require_transaction()
    possible = _select_possible_numbers(numbers)
    return _LOCKED_TICKETS.fetch(raffle=raffle_id, numbers=possible) if possible else []


_LOCKED_TICKETS: Final = CompiledQuery(
    lambda: (
        TicketNumber.objects.select_for_update(no_key=True)
        .filter(IsIn("number", "numbers"), raffle_id=Parameter("raffle", BigIntegerField()))
        .order_by("number")
    )
)


def bind_order_tickets_lock(order: Order) -> list[BoundStatement[Any]]:
    """Return the statement that locks the ticket numbers a locked order has, ascending.

    SQLite needs none.
    """
    _require_transaction()
    if connection.vendor != "postgresql":
        return []
    return [_LOCKED_TICKETS_OF_ORDER.bind(order=order.pk)]


_LOCKED_TICKETS_OF_ORDER: Final = CompiledQuery(
    lambda: (
        TicketNumber.objects.select_for_update(no_key=True, of=("self",))
        .filter(
            order_tickets__order_id=Parameter("order", BigIntegerField()),
            order_tickets__released_at__isnull=True,
        )
        .order_by("number")
        .values_list("pk", flat=True)
    )
)


def lock_tickets_by_raffle(numbers: Mapping[int, Collection[int]]) -> None:
    """Lock ticket numbers of several raffles, sorted by raffle and number.

    Unknown ones are left out.

    Args:
        numbers: the ticket numbers by raffle id.

    """
    _require_transaction()
    wanted = {
        (raffle_id, number)
        for raffle_id, some in numbers.items()
        for number in _select_possible_numbers(some)
    }
    if not wanted or connection.vendor != "postgresql":
        return  # one writer at a time
    raffle_ids, ticket_numbers = zip(*wanted, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_TICKETS_SQL, [list(raffle_ids), list(ticket_numbers)])


_LOCK_TICKETS_SQL: Final = """
    SELECT id FROM raffles_ticketnumber
    JOIN unnest(%s::bigint[], %s::int[]) AS wanted (raffle_id, number) USING (raffle_id, number)
    ORDER BY raffle_id, number FOR NO KEY UPDATE OF raffles_ticketnumber
"""


def _select_possible_numbers(numbers: Collection[int]) -> set[int]:
    return {number for number in numbers if abs(number) <= _MAX_TICKET_NUMBER}


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise TransactionManagementError("a lock ends with its transaction, so there must be one")
