"""Errors of the use cases; staff read the sentences in their docstrings."""

from shared.core.errors import DomainError


class BuyerNameMissing(DomainError):
    """A sale for cash needs the buyer's name: there is no chat to find them by."""

    code = "buyer_name_missing"
