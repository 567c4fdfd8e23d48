"""Tests of the pauses of jobs that write in many transactions."""

import pytest
from django.db import connection

from shared.core.write_turns import PAUSE, WriteTurns

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("transactions", "pauses"),
    [
        ([0.01, 0.01, 0.01], []),
        ([0.03, 0.03, 0.03], [PAUSE]),  # what is short counts together
        ([0.1, 0.1], [PAUSE]),  # none after the last
        ([0.2, 0.3, 0.1], [2 * PAUSE, 4 * PAUSE]),  # those who wait ask less often by then
    ],
)
def test_others_get_their_turn_on_sqlite(transactions: list[float], pauses: list[float]) -> None:
    moment = 0.0
    slept: list[float] = []
    turns = WriteTurns(sleep=slept.append, clock=lambda: moment)

    for seconds in transactions:
        with turns.take():
            moment += seconds

    assert slept == (pauses if connection.vendor == "sqlite" else [])
