"""Conditions spelt as the partial indexes spell them; `core.sql` says why that matters."""

from typing import Final

from django.db.models import Q

from shared.core.enums import Delivery, InboxStatus, OutboxStatus
from shared.core.sql import literal

WAITING: Final = Q(status=literal(OutboxStatus.QUEUED))
"""Messages to buyers of the index `outbound_queue`."""

UNDER_WAY: Final = Q(status=literal(OutboxStatus.SENDING))
"""Messages to buyers of the index `outbound_sending`."""

UNANSWERED: Final = Q(status=literal(OutboxStatus.UNKNOWN))
"""Messages to buyers of the index `outbound_unknown`: handed over, and Meta said nothing."""

WITHHELD: Final = Q(status=literal(OutboxStatus.WITHHELD))
"""Messages to buyers of the index `outbound_withheld`: they wait until the buyer writes."""

NOT_SENT: Final = Q(status=literal(OutboxStatus.FAILED)) | Q(
    delivery=literal(Delivery.FAILED), status=literal(OutboxStatus.SENT)
)
"""Messages to buyers of the index `outbound_failed`: refused, or accepted and not delivered."""

NOT_ANSWERED: Final = Q(status=literal(InboxStatus.FAILED))
"""Messages from buyers of the index `inbound_failed`."""

TO_ANSWER: Final = Q(status=literal(InboxStatus.RECEIVED))
"""Messages from buyers of the index `inbound_waiting`."""
