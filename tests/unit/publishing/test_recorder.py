"""Tests that every change of an order has an event or is listed as having none."""

import pytest

from shared.core.enums import OrderAction
from shared.publishing import recorder


@pytest.mark.parametrize("action", OrderAction)
def test_every_action_names_its_event_or_that_it_has_none(action: OrderAction) -> None:
    assert action in recorder.EVENT_TYPES_BY_ACTION, f"Which event does {action} record, if any?"
