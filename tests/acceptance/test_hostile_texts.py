"""Tests of texts that try to block a gateway: it answers them and everybody else."""

import pytest

from tests.acceptance.buyer_steps import request_card, wait_for_message
from tests.acceptance.stack import Stack

pytestmark = pytest.mark.acceptance

HOSTILE = {
    "digits": "1" * 4_096,
    "more digits than a phone sends": "1" * 65_536,
    "spaces": "7" + " " * 4_094 + "8",
    "ligatures": "ﷺ" * 4_096,
    "marks": "a" + "\u0323\u0301" * 2_047,
    "ranges": "1-2\n" * 1_024,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_answered_and_holds_nobody_up(stack: Stack, name: str) -> None:
    if not stack.gateways:
        stack.start_gateway_and_wait()
    hostile, ana = stack.buyer(), stack.buyer()
    request_card(hostile)

    hostile.says(HOSTILE[name])
    request_card(ana)
    wait_for_message(hostile, "did not understand")
