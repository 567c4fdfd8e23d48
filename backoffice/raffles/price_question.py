"""The question about an unusual price: zero, or so high that it looks like a typing error."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from shared.conversation import formatting

UNUSUALLY_HIGH_PRICE: Final = Decimal(10_000)
"""A higher price of one number is asked about, in whatever currency."""


@dataclass(frozen=True, slots=True)
class PriceQuestion:
    """A question, and its answer as the label of a checkbox."""

    question: str
    answer: str


def build_price_question(price: Decimal, *, currency: str) -> PriceQuestion | None:
    """Return the question about an unusual price, or None if the price is usual.

    Args:
        price: the price of one number.
        currency: ISO 4217 code.

    """
    if price == 0:
        return PriceQuestion(
            "Are the numbers free? Then buyers pay nothing and send no proof.",
            "Yes, the numbers are free",
        )
    if price > UNUSUALLY_HIGH_PRICE:
        written = formatting.format_money(price, currency)
        return PriceQuestion(f"Is {written} the price of one number?", f"Yes, {written} a number")
    return None


def format_confirmed_price(price: Decimal) -> str:
    """Return the value of the checkbox, which confirms this price and no other."""
    return f"{price:.2f}"
