"""Conditions written as in the partial indexes, so that SQLite uses them; see `core.sql`."""

from typing import Final

from django.db.models import Q

from shared.core.enums import InboxStatus, MessageDeliveryStatus, OutboxStatus
from shared.core.sql import inline_enum_value

QUEUED_OUTBOUND: Final = Q(status=inline_enum_value(OutboxStatus.QUEUED))
"""Messages to buyers of the index `outbound_queue`."""

SENDING_OUTBOUND: Final = Q(status=inline_enum_value(OutboxStatus.SENDING))
"""Messages to buyers of the index `outbound_sending`."""

UNKNOWN_OUTBOUND: Final = Q(status=inline_enum_value(OutboxStatus.UNKNOWN))
"""Messages to buyers of the index `outbound_unknown`: sent, without an answer from Meta."""

WITHHELD_OUTBOUND: Final = Q(status=inline_enum_value(OutboxStatus.WITHHELD))
"""Messages to buyers of the index `outbound_withheld`: waiting until the buyer writes."""

FAILED_OUTBOUND: Final = Q(status=inline_enum_value(OutboxStatus.FAILED)) | Q(
    delivery=inline_enum_value(MessageDeliveryStatus.FAILED),
    status=inline_enum_value(OutboxStatus.SENT),
)
"""Messages to buyers of the index `outbound_failed`: refused, or accepted and not delivered."""

FAILED_INBOUND: Final = Q(status=inline_enum_value(InboxStatus.FAILED))
"""Messages from buyers of the index `inbound_failed`."""

WAITING_INBOUND: Final = Q(status=inline_enum_value(InboxStatus.RECEIVED))
"""Messages from buyers of the index `inbound_waiting`."""
