"""Gateways, back office and sweeper work on the same orders at the same time.

No thread waits for ever, no number is sold twice, and buyers are told what became of their orders.
"""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from shared.conversation.answering import answer_batches, waiting_messages
from shared.core.enums import InboxStatus, OrderAction, OrderStatus, RejectReason, SilenceReason
from shared.core.errors import DomainError
from shared.raffles.models import Order, OrderEvent
from shared.raffles.services.ticket_numbers import inventory
from shared.use_cases import late_payments, order_endings, payments
from shared.whatsapp import payloads
from shared.whatsapp.models import InboundMessage, OutboundMessage, WhatsAppContact
from shared.whatsapp.services.inbox import inbox_queue, webhook_store
from shared.whatsapp.services.outbox import delivery_statuses
from tests import builders
from tests.builders import NOON
from tests.integration.conversation.chat import BuyerChat
from tests.integration.whatsapp.outbox_builders import claim_messages, record_sent
from tests.unit.whatsapp import webhook_payloads

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.acceptance]

BUYERS = 8
ROUNDS = 10
HOUR = timedelta(hours=1)

_serial = count(1)


class ProcessSteps:
    """The work of each process on the same few buyers; each method is one unit of work."""

    def __init__(self, seed: int) -> None:
        """Create the buyers' orders: half of them overdue, half under review."""
        builders.create_raffle(numbers=60)
        chats = [BuyerChat(now=NOON - HOUR) for _ in range(BUYERS)]
        self.orders = [chat.buys().pk for chat in chats]
        for chat in chats[::2]:
            chat.sends_picture()
        self.phones = [str(chat.contact.wa_id) for chat in chats]
        self.contacts = [chat.contact.pk for chat in chats]
        self.seed = seed

    def meta_posts(self, dice: Random) -> None:
        """Store webhooks: messages of buyers, changed names and delivery statuses."""
        sent = OutboundMessage.objects.exclude(wa_message_id="")
        wamid = sent.order_by("?").values_list("wa_message_id", flat=True).first()
        said = [self._message(phone, dice) for phone in dice.sample(self.phones, 3)]
        names = [
            {"wa_id": one["from"], "profile": {"name": f"Name {dice.random()}"}} for one in said
        ]
        statuses = [
            webhook_payloads.build_status(id=wamid, status=name)
            for name in ("sent", "read")
            if wamid
        ]
        body = webhook_payloads.encode_webhook(
            webhook_payloads.build_change(messages=said, contacts=names),
            webhook_payloads.build_change(statuses=statuses),
        )
        trace = f"trace{next(_serial)}"
        webhook_store.store_webhooks_safely(
            [payloads.parse_webhook(body)], now=NOON, correlation_ids=[trace]
        )

    def gateway_answers(self, dice: Random) -> None:
        """Answer all waiting messages in batches, and one by one what these leave."""
        while waiting := inbox_queue.list_waiting_contacts(now=NOON, limit=100):
            pivot = dice.randrange(2**31)
            result = answer_batches.answer_contacts(waiting, now=NOON, pivot=pivot)
            for contact_id in result.left:
                waiting_messages.answer_or_record_failure(contact_id, now=NOON, pivot=pivot)

    def gateway_sends(self, dice: Random) -> None:
        """Claim messages, record them as sent and apply delivery statuses."""
        lease = UUID(int=dice.getrandbits(128))
        for claimed in claim_messages(lease=lease, limit=5):
            record_sent(claimed, wa_message_id=f"wamid.OURS{claimed.id}", now=NOON)
        delivery_statuses.apply_statuses(now=NOON, limit=100)

    def sweeper_expires(self, dice: Random) -> None:
        """Expire overdue orders."""
        order_endings.expire_due_orders(now=NOON)

    def program_confirms(self, dice: Random) -> None:
        """Confirm a payment."""
        payments.confirm_payment(
            dice.choice(self.orders), by=builders.build_token_actor(), now=NOON
        )

    def staff_decides(self, dice: Random) -> None:
        """Reject, cancel or refund an order, replace its numbers or ask for a better proof."""
        order_id = dice.choice([*self.orders, *Order.objects.values_list("pk", flat=True)])
        who: Any = {"by": builders.build_staff_actor(), "now": NOON}
        match dice.choice(["cancel", "reject", "ask", "replace", "refund"]):
            case "cancel":
                order_endings.cancel_order(order_id, **who)
            case "reject":
                payments.reject_payment(order_id, reason=RejectReason.REPEATED, note="", **who)
            case "ask":
                payments.ask_for_better_proof(order_id, note="", **who)
            case "replace":
                pivot = dice.randrange(2**31)
                late_payments.replace_numbers(order_id, numbers=None, pivot=pivot, **who)
            case _:
                late_payments.note_refund(order_id, note="Sent back.", **who)

    def _message(self, phone: str, dice: Random) -> dict[str, object]:
        about = {"from": phone, "id": f"wamid.R{next(_serial)}", "from_user_id": None}
        text = dice.choice(["MENU", "CANCEL", "3 random", "5, 7 and 9", "yes", "done", "picture"])
        if text == "picture":
            picture = {"id": f"media{next(_serial)}", "mime_type": "image/jpeg"}
            return webhook_payloads.build_message(**about, type="image", image=picture, text=None)
        return webhook_payloads.build_message(**about, text={"body": text})


def run_steps_at_once(processes: ProcessSteps, *steps: Callable[[Random], None]) -> None:
    """Repeat each step in a thread of its own; refusals are expected and ignored.

    Nothing is retried here, so a deadlock fails the test.
    """
    start = threading.Barrier(len(steps))

    def turns(place: int) -> None:
        dice = Random(processes.seed * 100 + place)
        start.wait()
        try:
            for _ in range(ROUNDS):
                with suppress(DomainError):
                    steps[place](dice)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(steps)) as threads:
        for done in [threads.submit(turns, place) for place in range(len(steps))]:
            done.result()


def test_everybody_works_on_the_same_orders_at_once_and_the_stock_stays_whole() -> None:
    processes = ProcessSteps(seed=1)

    run_steps_at_once(
        processes,
        processes.meta_posts,
        processes.meta_posts,
        processes.gateway_answers,
        processes.gateway_answers,
        processes.gateway_sends,
        processes.sweeper_expires,
        processes.program_confirms,
        processes.staff_decides,
    )

    processes.gateway_answers(Random(2))
    assert inventory.find_inventory_problems() == []
    assert set(InboundMessage.objects.values_list("status", "error")) <= {
        (InboxStatus.PROCESSED, error) for error in ("", *SilenceReason)
    }
    paid = OrderEvent.objects.filter(action=OrderAction.PAID).values_list("order", flat=True)
    notices = OutboundMessage.objects.filter(key__in=["paid", "numbers_replaced"])
    told = notices.values_list("about", flat=True)
    codes = Order.objects.filter(status=OrderStatus.PAID).values_list("code", flat=True)
    assert Counter(paid).most_common(1)[0][1] == 1
    assert Counter(told) == Counter(codes)
    assert WhatsAppContact.objects.count() == BUYERS
