"""Tests of locks and reads of many orders at once, equal to those of one."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from shared.core.statements.bound_statements import run_statement
from shared.raffles.errors import RaffleNotFound
from shared.raffles.models import Order, OrderTicket, Raffle, TicketNumber
from shared.raffles.services import locks, tickets
from shared.raffles.services.queries import order_queries
from tests import builders
from tests.integration.concurrency import lock_in_another_thread
from tests.integration.raffles import order_states


def read(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row.__dict__.items() if name != "_state"}


@pytest.mark.django_db
def test_returns_the_rows_as_they_are_by_id() -> None:
    first, second = builders.create_raffle(), builders.create_raffle(first_number=0)
    some = [order_states.create_held_order(raffle) for raffle in (first, second, first)[:2]]

    locked = locks.lock_orders_by_id([some[1].pk, some[0].pk, some[0].pk, 10**9])
    raffles = locks.lock_raffles_shared([second.pk, first.pk, second.pk, 10**9])

    orders = Order.objects.order_by("pk")
    assert [read(order) for order in locked.values()] == [read(order) for order in orders]
    assert list(locked) == [order.pk for order in some]
    assert [read(raffle) for raffle in raffles.values()] == [
        read(raffle) for raffle in Raffle.objects.order_by("pk")
    ]
    assert list(raffles) == [first.pk, second.pk]
    assert read(locks.lock_raffle_shared(first.pk)) == read(raffles[first.pk])
    assert (locks.lock_orders_by_id([]), locks.lock_raffles_shared([])) == ({}, {})
    with pytest.raises(RaffleNotFound):
        locks.lock_raffle_shared(10**9)


@pytest.mark.django_db
def test_finds_the_drafts_that_are_replaced_and_their_numbers() -> None:
    first, second = builders.create_raffle(), builders.create_raffle()
    ana, ben = builders.create_contact(), builders.create_contact()
    draft = order_states.create_held_order(second, numbers=[9, 3], contact=ana)
    elsewhere = order_states.create_held_order(first, numbers=[5], contact=ana)
    other = order_states.create_held_order(first, numbers=[7, 6], contact=ben)
    order_states.create_placed_order(second, numbers=[8], contact=ben)

    def find(*pairs: tuple[int, int]) -> list[Order]:
        return order_queries.list_replaceable_drafts(pairs)

    assert find((ana.pk, second.pk), (ben.pk, first.pk)) == [draft, other]
    assert find((ben.pk, second.pk), (ana.pk, 10**9)) == find() == []
    found = tickets.list_held_ticket_numbers_by_raffle([other, draft, elsewhere])
    assert found == {first.pk: [5, 6, 7], second.pk: [3, 9]}
    assert list(found) == [first.pk, second.pk]
    assert tickets.list_held_ticket_numbers([other, draft]) == [3, 6, 7, 9]
    OrderTicket.objects.filter(order=other).update(released_at=builders.NOON)
    assert tickets.list_held_ticket_numbers_by_raffle([other]) == {}
    assert tickets.list_held_ticket_numbers_by_raffle([]) == {}


@pytest.mark.django_db
def test_locks_the_numbers_that_an_order_has() -> None:
    raffle = builders.create_raffle()
    order = order_states.create_held_order(raffle, numbers=[9, 3, 12])
    order_states.create_held_order(raffle, numbers=[4])
    OrderTicket.objects.filter(order=order, ticket__number=12).update(released_at=builders.NOON)

    held = TicketNumber.objects.filter(raffle=raffle, number__in=[3, 9]).order_by("number")
    locked = locks.lock_tickets(raffle.pk, numbers=[9, 3, 9, 10**6])
    assert [read(ticket) for ticket in locked] == [read(ticket) for ticket in held]
    assert locks.lock_tickets(raffle.pk, numbers=[]) == []
    for statement in locks.bind_order_tickets_lock(order):
        assert run_statement(statement) == [ticket.pk for ticket in held]


@pytest.mark.django_db(transaction=True)
def test_locks_until_the_transaction_ends(vendor: str) -> None:
    raffle, other = builders.create_raffle(numbers=5), builders.create_raffle(numbers=5)
    with transaction.atomic():
        order = order_states.create_held_order(raffle)

    def lock_all() -> None:
        locks.lock_orders_by_id([order.pk])
        locks.lock_raffles_shared([raffle.pk, other.pk])
        locks.lock_tickets_by_raffle({other.pk: [4, 2, 10**6], raffle.pk: {1}, 10**9: [1]})

    for lock in (
        lambda: locks.lock_orders_by_id([order.pk]),
        lambda: locks.lock_raffles_shared([raffle.pk]),
        lambda: locks.lock_tickets_by_raffle({raffle.pk: [1]}),
    ):
        with pytest.raises(TransactionManagementError):
            lock()
    if vendor == "sqlite":
        with transaction.atomic():
            lock_all()
        return
    with lock_in_another_thread(lock_all), transaction.atomic():
        free = Order.objects.select_for_update(skip_locked=True, no_key=True)
        assert list(free) == []
        numbers = TicketNumber.objects.select_for_update(skip_locked=True, no_key=True)
        unlocked = set(numbers.values_list("raffle_id", "number"))
        assert unlocked == {
            *((raffle.pk, number) for number in (2, 3, 4, 5)),
            *((other.pk, number) for number in (1, 3, 5)),
        }
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
                "WHERE datname = current_database() AND locktype = 'advisory'"
            )
            assert cursor.fetchone() == (2,)
