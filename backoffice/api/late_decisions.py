"""Decisions about a late payment that the API accepts."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from shared.core.enums import OrderAction


class LatePaymentDecision(StrEnum):
    """A decision about a payment that came after its order had ended."""

    TAKE_BACK = "take_back"
    REPLACE = "replace"
    REFUND = "refund"


ACTION_PER_DECISION: Final[Mapping[LatePaymentDecision, OrderAction]] = {
    LatePaymentDecision.TAKE_BACK: OrderAction.NUMBERS_TAKEN_BACK,
    LatePaymentDecision.REPLACE: OrderAction.NUMBERS_REPLACED,
    LatePaymentDecision.REFUND: OrderAction.REFUND_NOTED,
}
"""The action that the order's history has after each decision."""
