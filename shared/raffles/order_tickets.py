"""Ticket numbers of an order: those it holds or, once released, those it held last."""

from collections.abc import Iterable
from datetime import datetime


def choose_ticket_numbers(rows: Iterable[tuple[int, datetime | None]]) -> list[int]:
    """Return the ticket numbers of one order, ascending and each once.

    Every page, message, export and event shows an order's numbers by this rule.

    Args:
        rows: the ticket number and the `released_at` of each `OrderTicket` of the order.

    Returns:
        The numbers held now; if none is held, those released last.

    """
    pairs = list(rows)
    held = {number for number, released_at in pairs if released_at is None}
    if held:
        return sorted(held)
    latest = max((released_at for _, released_at in pairs if released_at), default=None)
    return sorted({number for number, released_at in pairs if released_at == latest})
