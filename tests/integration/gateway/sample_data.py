"""Sample contacts and messages for the tests of the gateway."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.whatsapp.models import InboundMessage, WhatsAppContact
from shared.whatsapp.services.inbox import received_webhooks
from tests import builders
from tests.integration.gateway.fake_meta import PHONE_NUMBER_ID


def read_webhooks() -> None:
    """Read every received webhook, as a gateway with workers does."""
    while received_webhooks.read_webhooks(now=datetime.now(UTC)).are_more_waiting:
        pass


def create_recent_contact(**fields: Any) -> WhatsAppContact:
    """Create a buyer who wrote just now."""
    return builders.create_contact(**{"last_inbound_at": datetime.now(UTC), **fields})


def create_stuck_message(*, age: timedelta) -> InboundMessage:
    """Create an unanswered message of this age, due in a minute."""
    now = datetime.now(UTC)
    return InboundMessage.objects.create(
        phone_number_id=PHONE_NUMBER_ID,
        wa_message_id="wamid.STUCK",
        dedupe_key="wamid.STUCK",
        contact=create_recent_contact(),
        type="text",
        payload={},
        sent_at=now - age,
        received_at=now - age,
        next_attempt_at=now + timedelta(minutes=1),
    )
