"""Meta's customer service window, in which free-form messages to a buyer are allowed."""

from datetime import datetime

from shared.core.constants import SERVICE_WINDOW, SERVICE_WINDOW_MARGIN


def is_window_open(last_inbound_at: datetime | None, *, now: datetime) -> bool:
    """Return whether a free-form message may still be sent.

    Args:
        last_inbound_at: the timestamp of the buyer's last message, not the time of its arrival,
            since a late redelivery does not open the window; None if there is no message.
        now: the current time.

    """
    if last_inbound_at is None:
        return False
    return now - last_inbound_at < SERVICE_WINDOW - SERVICE_WINDOW_MARGIN
