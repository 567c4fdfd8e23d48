"""Steps of a purchase by a buyer, from the first message to the receipt."""

import re
from datetime import UTC, datetime
from typing import Final

from deploy.sandbox import sample_receipts
from deploy.sandbox.client import BuyerClient, NothingSeen, SeenMessage
from tests.waiting import wait_until

POLL: Final = 5.0
"""Seconds that one request waits for a message to the buyer."""


def request_card(buyer: BuyerClient) -> SeenMessage:
    """Send a greeting and return the raffle's card."""
    buyer.says("hi")
    return wait_for_message(buyer, "Summer Raffle")


def hold_numbers(buyer: BuyerClient, wanted: str = "3 random") -> list[str]:
    """Ask for numbers and return the held ones."""
    buyer.says(wanted)
    return parse_ticket_numbers(wait_for_message(buyer, "Held for you"))


def place_order(buyer: BuyerClient) -> str:
    """Confirm and return the order's code."""
    buyer.taps("Confirm")
    return parse_order_code(wait_for_message(buyer, "please pay"))


def send_receipt(buyer: BuyerClient) -> SeenMessage:
    """Send a receipt and return the acknowledgement."""
    buyer.sends_picture(sample_receipts.draw_receipt_jpeg([buyer.wa_id], at=datetime.now(UTC)))
    return wait_for_message(buyer, "Got it")


def wait_for_message(buyer: BuyerClient, piece: str) -> SeenMessage:
    """Wait for a message that contains `piece` and is newer than the buyer's last message.

    Raises:
        AssertionError: nothing has been sent for `PATIENCE` seconds; the cause lists what came
            instead.

    """
    instead: list[NothingSeen] = []

    def heard() -> SeenMessage | None:
        try:
            return buyer.waits_for(piece, timeout=POLL)
        except NothingSeen as nothing:
            instead[:] = [nothing]
            return None

    try:
        message = wait_until(heard, progress=buyer.sandbox.state)
    except AssertionError as stalled:
        raise stalled from (instead[0] if instead else None)
    assert message is not None
    return message


def parse_ticket_numbers(message: SeenMessage) -> list[str]:
    """Return the ticket numbers that a message shows in bold."""
    found = re.search(r"\*([\d · ]+)\*", message.text)
    assert found, message.text
    return re.findall(r"\d+", found[1])


def parse_order_code(message: SeenMessage) -> str:
    """Return the order code in a message."""
    found = re.search(r"R-[0-9A-Z]{5}", message.text)
    assert found, message.text
    return found[0]
