"""Tests of real webhooks posted to a running gateway."""

import hashlib

from shared.core.enums import InboxStatus
from shared.whatsapp import payloads
from shared.whatsapp.models import AccountNotice, DeliveryStatus, InboundMessage, UnreadableItem
from tests.acceptance.stack import Stack, wait_while_messages_move
from tests.conftest import skip_or_fail
from tests.real_payloads import REAL_PAYLOADS


def test_every_real_webhook_is_accepted_kept_and_dealt_with(stack: Stack) -> None:
    if not REAL_PAYLOADS:
        skip_or_fail("no folder shared/payloads beside the checkout")
    stack.start_gateway_and_wait()
    bodies = dict(REAL_PAYLOADS)

    statuses = {name: stack.post_webhook(body) for name, body in bodies.items()}

    assert {name: status for name, status in statuses.items() if status != 200} == {}
    assert [name for name, body in bodies.items() if not is_kept(body)] == []
    wait_while_messages_move(
        lambda: not InboundMessage.objects.filter(status=InboxStatus.RECEIVED).exists()
    )
    assert not InboundMessage.objects.exclude(error="").exists()


def is_kept(body: bytes) -> bool:
    """Return whether everything in a webhook has been stored."""
    read = payloads.parse_webhook(body)
    return (
        all(
            InboundMessage.objects.filter(
                phone_number_id=item.phone_number_id, dedupe_key=item.dedupe_key
            ).exists()
            for item in read.messages
        )
        and all(
            DeliveryStatus.objects.filter(
                wa_message_id=item.wa_message_id, status=item.status
            ).exists()
            for item in read.statuses
        )
        and all(
            AccountNotice.objects.filter(dedupe_key=item.dedupe_key).exists()
            for item in read.notices
        )
        and all(
            UnreadableItem.objects.filter(sha256=hashlib.sha256(part.body).hexdigest()).exists()
            for part in read.unreadable
        )
    )
