"""Tests of whole purchases over HTTP: buyer, gateway, Meta, back office."""

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

pytestmark = pytest.mark.same_everywhere
"""test_image.py and test_operations.py buy on PostgreSQL, through the same steps."""

MOST_MESSAGES = 6
"""Limit of messages per purchase, because the seller pays per message."""


@pytest.fixture(scope="module")
def seller(stack: Stack) -> Iterator[ApiClient]:
    """Start a gateway and the back office, and return the API client that confirms payments."""
    gateway = stack.start_gateway()
    address = stack.start_backoffice()
    stack.wait_until_ready(gateway)
    with ApiClient(address, token=API_TOKEN) as client:
        yield client


def load_sold_numbers(code: str) -> list[str]:
    """Return the numbers of a paid order, after checking that all of them are sold."""
    order = Order.objects.get(code=code)
    assert order.status == OrderStatus.PAID
    tickets = [link.ticket for link in order.order_tickets.filter(released_at=None)]
    assert {ticket.status for ticket in tickets} == {TicketStatus.SOLD}
    return sorted(order.raffle.format_ticket_number(ticket.number) for ticket in tickets)


def confirm_payment(seller: ApiClient, code: str, buyer: BuyerClient) -> list[str]:
    """Confirm a payment and return the numbers in the message to the buyer."""
    seller.confirm_payment(seller.wait_for_kept_proof(code))
    return parse_ticket_numbers(wait_for_message(buyer, "Paid"))


class TestAPurchase:
    def test_by_random_numbers_ends_with_the_buyer_owning_them(
        self, stack: Stack, seller: ApiClient
    ) -> None:
        ana = stack.buyer()
        request_card(ana)
        ana.taps("Random numbers")
        wait_for_message(ana, "How many")
        held = hold_numbers(ana, "3 please")
        code = place_order(ana)
        send_receipt(ana)

        paid = confirm_payment(seller, code, ana)

        assert paid == held == load_sold_numbers(code)
        assert len(held) == 3
        assert len(stack.sandbox.outgoing(to=ana.wa_id)) <= MOST_MESSAGES
        assert stack.sandbox.list_refused_requests() == []
        assert inventory.find_inventory_problems() == []

    def test_by_picked_numbers_ends_with_the_buyer_owning_exactly_those(
        self, stack: Stack, seller: ApiClient
    ) -> None:
        ben = stack.buyer()
        request_card(ben)
        ben.taps("Pick my numbers")
        wait_for_message(ben, "Which numbers")
        held = hold_numbers(ben, "7, 13 and 845")
        code = place_order(ben)
        send_receipt(ben)

        paid = confirm_payment(seller, code, ben)

        assert paid == held == load_sold_numbers(code) == ["007", "013", "845"]
        assert len(stack.sandbox.outgoing(to=ben.wa_id)) <= MOST_MESSAGES
        assert stack.sandbox.list_refused_requests() == []
        assert inventory.find_inventory_problems() == []
