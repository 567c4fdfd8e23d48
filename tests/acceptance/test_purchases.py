"""Whole purchases over HTTP: buyer, gateway, Meta, back office."""

from collections.abc import Iterator

import pytest

from deploy.demo.clients import ApiClient
from deploy.sandbox.client import BuyerClient
from shared.core.enums import OrderStatus, TicketStatus
from shared.raffles.models import Order
from shared.raffles.services.ticket_numbers import inventory
from tests.acceptance.buyer_steps import (
    hold_numbers,
    parse_ticket_numbers,
    place_order,
    request_card,
    send_receipt,
    wait_for_message,
)
from tests.acceptance.stack import API_TOKEN, Stack

MOST_MESSAGES = 6
"""What a purchase may cost the seller."""


@pytest.fixture(scope="module")
def seller(house: Stack) -> Iterator[ApiClient]:
    """Give the program that confirms payments; a gateway runs as well."""
    gateway = house.starts()
    address = house.opens_backoffice()
    house.awaits(gateway)
    with ApiClient(address, token=API_TOKEN) as program:
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
    seller.confirm_payment(seller.wait_for_kept_proof(code))
    return parse_ticket_numbers(wait_for_message(buyer, "Paid"))


class TestAPurchase:
    def test_by_random_numbers_ends_with_the_buyer_owning_them(
        self, house: Stack, seller: ApiClient
    ) -> None:
        ana = house.buyer()
        request_card(ana)
        ana.taps("Random numbers")
        wait_for_message(ana, "How many")
        held = hold_numbers(ana, "3 please")
        code = place_order(ana)
        send_receipt(ana)

        paid = confirmed(seller, code, ana)

        assert paid == held == sold(code)
        assert len(held) == 3
        assert len(house.meta.outgoing(to=ana.wa_id)) <= MOST_MESSAGES
        assert house.meta.list_refused_requests() == []
        assert inventory.find_inventory_problems() == []

    def test_by_picked_numbers_ends_with_the_buyer_owning_exactly_those(
        self, house: Stack, seller: ApiClient
    ) -> None:
        ben = house.buyer()
        request_card(ben)
        ben.taps("Pick my numbers")
        wait_for_message(ben, "Which numbers")
        held = hold_numbers(ben, "7, 13 and 845")
        code = place_order(ben)
        send_receipt(ben)

        paid = confirmed(seller, code, ben)

        assert paid == held == sold(code) == ["007", "013", "845"]
        assert len(house.meta.outgoing(to=ben.wa_id)) <= MOST_MESSAGES
        assert house.meta.list_refused_requests() == []
        assert inventory.find_inventory_problems() == []
