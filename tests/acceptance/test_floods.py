"""Tests of what arrives in masses or to do harm: others are served, and it costs few messages."""

import hashlib
import time
from typing import Final

import pytest

from deploy.sandbox.client import NothingSeen
from shared.conversation.answering.answer_limits import FLOOD_MESSAGES, SAME_TEXTS
from shared.core.enums import InboxStatus, SilenceReason
from shared.raffles.models import PaymentProof
from shared.whatsapp import payloads
from shared.whatsapp.models import (
    AccountNotice,
    Alarm,
    DeliveryStatus,
    InboundMessage,
    UnreadableItem,
    WhatsAppContact,
)
from tests.acceptance.buyer_steps import request_card, wait_for_message
from tests.acceptance.stack import Stack, load_messages_to, wait_while_messages_move
from tests.conftest import skip_or_fail
from tests.real_payloads import REAL_PAYLOADS
from tests.unit.whatsapp import webhook_payloads

TEXTS = 300
PHONE = "15550107777"


HOSTILE: Final = {
    "digits": "1" * 4_096,
    "more digits than a phone sends": "1" * 65_536,
    "spaces": "7" + " " * 4_094 + "8",
    "ligatures": "ﷺ" * 4_096,
    "marks": "a" + "\u0323\u0301" * 2_047,
    "ranges": "1-2\n" * 1_024,
}


@pytest.fixture(scope="module", autouse=True)
def gateway(stack: Stack) -> None:
    """Start one gateway for all tests; one that does not recover fails the next one."""
    stack.start_gateway_and_wait()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_answered_and_holds_nobody_up(stack: Stack, name: str) -> None:
    hostile, ana = stack.buyer(), stack.buyer()
    request_card(hostile)

    hostile.says(HOSTILE[name])
    request_card(ana)
    wait_for_message(hostile, "did not understand")


def build_flood() -> bytes:
    """Return a webhook with the texts of one buyer, and a receipt in the middle of them."""
    about = {"from": PHONE, "from_user_id": None, "timestamp": str(int(time.time()))}
    said = [
        webhook_payloads.build_message(**about, id=f"wamid.F{n}", text={"body": f"say {'x' * n}"})
        for n in range(TEXTS)
    ]
    picture = {"id": "media1", "mime_type": "image/jpeg"}
    said.insert(
        TEXTS // 2,
        webhook_payloads.build_message(
            **about, id="wamid.FP", type="image", image=picture, text=None
        ),
    )
    return webhook_payloads.encode_webhook(webhook_payloads.build_change(messages=said))


def test_a_flood_and_another_bot_hold_nobody_up_and_cost_little(stack: Stack) -> None:
    ana, bot = stack.buyer(), stack.buyer()

    assert stack.post_webhook(build_flood()) == 200
    stack.wait_until_read()
    request_card(ana)
    wait_while_messages_move(lambda: not InboundMessage.objects.filter(status="RECEIVED").exists())

    silent = InboundMessage.objects.filter(error=SilenceReason.FLOOD, contact__wa_id=PHONE)
    replies = [reply.key for reply in load_messages_to(stack.sandbox.buyer(PHONE))]
    assert silent.count() == TEXTS - FLOOD_MESSAGES
    assert replies.count("slow_down") == 1
    assert len(replies) <= FLOOD_MESSAGES + 2
    assert PaymentProof.objects.filter(contact__wa_id=PHONE).count() == 1
    assert Alarm.objects.filter(key__startswith="flood:").count() == 1

    answers = 0
    try:
        while answers <= SAME_TEXTS:
            bot.says("Thank you for your message!")
            bot.waits_for(1, timeout=5)
            answers += 1
    except NothingSeen:
        pass
    assert 0 < answers <= SAME_TEXTS
    contact = WhatsAppContact.objects.get(wa_id=bot.wa_id)
    assert Alarm.objects.get(key=f"chat_loop:{contact.pk}").count == 1


def test_every_real_webhook_is_accepted_kept_and_dealt_with(stack: Stack) -> None:
    """It comes last, because one of the notices pauses the business number."""
    if not REAL_PAYLOADS:
        skip_or_fail("no folder shared/payloads beside the checkout")
    bodies = dict(REAL_PAYLOADS)
    earlier = list(InboundMessage.objects.values_list("pk", flat=True))

    statuses = {name: stack.post_webhook(body) for name, body in bodies.items()}

    assert {name: status for name, status in statuses.items() if status != 200} == {}
    stack.wait_until_read()
    assert [name for name, body in bodies.items() if not is_kept(body)] == []
    wait_while_messages_move(
        lambda: not InboundMessage.objects.filter(status=InboxStatus.RECEIVED).exists()
    )
    assert not InboundMessage.objects.exclude(error="").exclude(pk__in=earlier).exists()


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
