"""Stock checks after tests of the use cases."""

from collections.abc import Iterator

import pytest

from shared.raffles.services.ticket_numbers import inventory


@pytest.fixture
def check_inventory_after(db: None) -> Iterator[None]:
    """Let the test do what it does, and expect the stock to be whole after it."""
    yield
    assert inventory.find_inventory_problems() == []
