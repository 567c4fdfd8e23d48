"""Inventory checks after tests of the conversation."""

from collections.abc import Iterator

import pytest

from shared.raffles.services.ticket_numbers import inventory


@pytest.fixture
def check_inventory_after(db: None) -> Iterator[None]:
    """Check after the test that the inventory has no problems."""
    yield
    assert inventory.find_inventory_problems() == []
