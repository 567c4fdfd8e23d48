"""Meta's customer-service window: for how long after a buyer wrote we may write freely."""

from datetime import datetime

from shared.core.constants import SERVICE_WINDOW, SERVICE_WINDOW_MARGIN


def is_window_open(last_inbound_at: datetime | None, *, now: datetime) -> bool:
    """Whether a free-form message may still be sent.

    Args:
        last_inbound_at: the timestamp Meta gave the buyer's last message, not when it reached us:
            a late redelivery opens nothing.
        now: the current time.

    """
    if last_inbound_at is None:
        return False
    return now - last_inbound_at < SERVICE_WINDOW - SERVICE_WINDOW_MARGIN
