"""A buyer who floods, and another bot: others are served, and neither costs many messages."""

import time

from deploy.sandbox.client import NothingSeen
from shared.conversation.inbound_limits import FLOOD_MESSAGES, SAME_TEXTS
from shared.core.enums import SilenceReason
from shared.raffles.models import PaymentProof
from shared.whatsapp.models import Alarm, InboundMessage, WhatsAppContact
from tests.acceptance.buyer_steps import request_card
from tests.acceptance.stack import Stack, load_messages_to, wait_while_messages_move
from tests.unit.whatsapp import webhook_payloads

TEXTS = 300
PHONE = "15550107777"


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
    stack.start_gateway_and_wait()
    ana, bot = stack.buyer(), stack.buyer()

    assert stack.post_webhook(build_flood()) == 200
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
