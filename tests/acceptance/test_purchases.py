"""Whole purchases over HTTP: buyer, gateway, Meta, back office."""

from collections.abc import Iterator

import pytest

from deploy.demo.clients import ApiClient
from deploy.sandbox.client import BuyerClient
from shared.core.enums import OrderStatus, TicketStatus
from shared.raffles.models import Order
from shared.raffles.services.ticket_numbers import inventory
from tests.acceptance.buyer_steps import asks, hears, holds, numbers_in, pays, places
from tests.acceptance.stack import TOKEN, House

MOST_MESSAGES = 6
"""What a purchase may cost the seller."""


@pytest.fixture(scope="module")
def seller(house: House) -> Iterator[ApiClient]:
    """Give the program that confirms payments; a gateway runs as well."""
    gateway = house.starts()
    address = house.opens_backoffice()
    house.awaits(gateway)
    with ApiClient(address, token=TOKEN) as program:
        yield program


def sold(code: str) -> list[str]:
    """Give the numbers of a paid order, having looked that all of them are sold."""
    order = Order.objects.get(code=code)
    assert order.status == OrderStatus.PAID
    tickets = [link.ticket for link in order.order_tickets.filter(released_at=None)]
    assert {ticket.status for ticket in tickets} == {TicketStatus.SOLD}
    return sorted(order.raffle.format_ticket_number(ticket.number) for ticket in tickets)


def confirmed(seller: ApiClient, code: str, buyer: BuyerClient) -> list[str]:
    """Confirm a payment and give the numbers the buyer is told are theirs."""
    seller.confirm_payment(seller.order_with_kept_proof(code))
    return numbers_in(hears(buyer, "Paid"))


class TestAPurchase:
    def test_by_random_numbers_ends_with_the_buyer_owning_them(
        self, house: House, seller: ApiClient
    ) -> None:
        ana = house.buyer()
        asks(ana)
        ana.taps("Random numbers")
        hears(ana, "How many")
        held = holds(ana, "3 please")
        code = places(ana)
        pays(ana)

        paid = confirmed(seller, code, ana)

        assert paid == held == sold(code)
        assert len(held) == 3
        assert len(house.meta.outgoing(to=ana.wa_id)) <= MOST_MESSAGES
        assert house.meta.refused() == []
        assert inventory.find_inventory_problems() == []

    def test_by_picked_numbers_ends_with_the_buyer_owning_exactly_those(
        self, house: House, seller: ApiClient
    ) -> None:
        ben = house.buyer()
        asks(ben)
        ben.taps("Pick my numbers")
        hears(ben, "Which numbers")
        held = holds(ben, "7, 13 and 845")
        code = places(ben)
        pays(ben)

        paid = confirmed(seller, code, ben)

        assert paid == held == sold(code) == ["007", "013", "845"]
        assert len(house.meta.outgoing(to=ben.wa_id)) <= MOST_MESSAGES
        assert house.meta.refused() == []
        assert inventory.find_inventory_problems() == []
