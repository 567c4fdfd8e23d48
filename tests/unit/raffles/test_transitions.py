"""Tests of every pair of statuses of raffles, orders and ticket numbers."""

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from typing import Any

import pytest

from shared.core.enums import OrderStatus, RaffleStatus, TicketStatus
from shared.raffles import transitions
from shared.raffles.errors import TransitionNotAllowed
from tests.cases import walk_cases

ALLOWED = {
    ("DRAFT", "OPEN"),
    ("OPEN", "CANCELLED"),
    ("PAUSED", "CANCELLED"),
    ("CLOSED", "CANCELLED"),
    ("OPEN", "PAUSED"),
    ("OPEN", "CLOSED"),
    ("PAUSED", "OPEN"),
    ("PAUSED", "CLOSED"),
    ("CLOSED", "SEALED"),
    ("SEALED", "DRAWN"),
    ("DRAFT", "PENDING_PAYMENT"),
    ("DRAFT", "CANCELLED"),
    ("DRAFT", "EXPIRED"),
    ("PENDING_PAYMENT", "PAID"),
    ("PENDING_PAYMENT", "CANCELLED"),
    ("PENDING_PAYMENT", "EXPIRED"),
    ("PAID", "PENDING_PAYMENT"),
    ("PAID", "CANCELLED"),
    ("CANCELLED", "PENDING_PAYMENT"),
    ("CANCELLED", "PAID"),
    ("EXPIRED", "PENDING_PAYMENT"),
    ("EXPIRED", "PAID"),
    ("AVAILABLE", "RESERVED"),
    ("RESERVED", "AVAILABLE"),
    ("RESERVED", "SOLD"),
    ("SOLD", "RESERVED"),
    ("SOLD", "AVAILABLE"),
}

TABLES: tuple[Mapping[Any, Any], ...] = (
    transitions.RAFFLE_TRANSITIONS,
    transitions.ORDER_TRANSITIONS,
    transitions.TICKET_TRANSITIONS,
)
PAIRS: list[tuple[Mapping[Any, Any], StrEnum, StrEnum]] = [
    (table, current, wanted) for table in TABLES for current, wanted in product(table, table)
]


class TestCheck:
    @walk_cases(("table", "current", "wanted"), PAIRS)
    def test_lets_a_status_follow_another_only_if_the_table_says_so(
        self, table: Mapping[Any, Any], current: StrEnum, wanted: StrEnum
    ) -> None:
        if (current.value, wanted.value) in ALLOWED:
            transitions.check_transition(table, current=current, wanted=wanted)
            return

        with pytest.raises(TransitionNotAllowed) as refusal:
            transitions.check_transition(table, current=current, wanted=wanted)
        assert refusal.value.details == {"current": current.value, "wanted": wanted.value}

    def test_has_a_row_for_every_status(self) -> None:
        assert set(transitions.RAFFLE_TRANSITIONS) == set(RaffleStatus)
        assert set(transitions.ORDER_TRANSITIONS) == set(OrderStatus)
        assert set(transitions.TICKET_TRANSITIONS) == set(TicketStatus)

    def test_changes_nothing_after_the_draw_or_once_a_raffle_is_called_off(self) -> None:
        assert transitions.RAFFLE_TRANSITIONS[RaffleStatus.DRAWN] == frozenset()
        assert transitions.RAFFLE_TRANSITIONS[RaffleStatus.CANCELLED] == frozenset()
