"""Tests of button ids, including ids that we never wrote."""

import pytest

from shared.conversation import button_ids
from shared.conversation.button_ids import ButtonAction, ButtonId


def test_an_id_is_read_as_it_was_written() -> None:
    assert button_ids.parse_button_id(
        button_ids.build_button_id(ButtonAction.NUMBERS, 12, 7, 13)
    ) == ButtonId(ButtonAction.NUMBERS, (12, 7, 13))


@pytest.mark.parametrize("text", ["r1:nums:1" + ":7" * 65_536, "1" * 65_536, ":" * 65_536])
def test_an_id_that_is_too_long_is_none_of_ours(text: str) -> None:
    assert button_ids.parse_button_id(text) is None
