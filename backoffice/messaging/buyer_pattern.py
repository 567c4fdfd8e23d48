"""The pattern of a buyer of whom much waits at once, for staff."""

from typing import Final

from shared.raffles.services.queries import pending_counts

MANY_AT_ONCE: Final = 3
"""Orders under review, or receipts to sort, of one buyer that staff are told about."""


def describe_pattern(contact_id: int | None) -> str:
    """Return a sentence about a buyer of whom much waits; empty if it is not much. Takes a query.

    Args:
        contact_id: The buyer; None for a cash sale.

    """
    if contact_id is None:
        return ""
    counts = pending_counts.count_pending_of_contact(contact_id)
    if max(counts.reviews, counts.orphans) < MANY_AT_ONCE:
        return ""
    parts = (
        (counts.reviews, "order under review", "orders under review"),
        (counts.orphans, "receipt to sort", "receipts to sort"),
    )
    waiting = [f"{count} {one if count == 1 else many}" for count, one, many in parts if count]
    return f"Much of this buyer waits at once: {', '.join(waiting)}."
