"""What was stored is answered, what is queued is sent, what is due is done, without being asked."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from django.db import transaction

from gateway.database import Database
from shared.core.enums import (
    InboxStatus,
    MessageDeliveryStatus,
    OrderStatus,
    OutboxKind,
    OutboxStatus,
    ProofStatus,
)
from shared.raffles import fingerprints
from shared.raffles.models import Order, PaymentProof
from shared.raffles.services import reservations
from shared.whatsapp import messages
from shared.whatsapp.models import BusinessNumber, InboundMessage, OutboundMessage, WhatsAppContact
from shared.whatsapp.services.outbox import outbox_queue
from tests import builders
from tests.integration.gateway.fake_meta import (
    PHONE_NUMBER_ID,
    FakeGraph,
    RunGateway,
    build_text_webhook,
    build_webhook,
    post_webhook,
)
from tests.receipts import COPY_METHODS, draw_receipt

pytestmark = pytest.mark.django_db(transaction=True)

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
    b"\x1f\x15\xc4\x89\x00\x00\x00\x00IEND\xaeB`\x82"
)

type Eventually = Callable[..., Any]


def queued(contact: WhatsAppContact, *texts: str) -> list[OutboundMessage]:
    """Queue messages as the back office does: rows, and no signal."""
    return [
        outbox_queue.enqueue_message(
            contact,
            messages.build_text(text),
            key="note",
            kind=OutboxKind.NOTICE,
            now=datetime.now(UTC),
            correlation_id="abc",
        )
        for text in texts
    ]


def buyer(**fields: Any) -> WhatsAppContact:
    """Make a buyer who wrote just now."""
    return builders.create_contact(**{"last_inbound_at": datetime.now(UTC), **fields})


def outcomes() -> list[str]:
    """Give the status of every outgoing message, in the order they were queued."""
    return list(OutboundMessage.objects.order_by("id").values_list("status", flat=True))


def all_sent() -> bool:
    """Whether something was queued and nothing waits any more."""
    return set(outcomes()) == {OutboxStatus.SENT}


class TestAnswering:
    async def test_a_word_is_answered_and_the_answer_sent(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        await database.run_unit(builders.create_raffle)

        async with gateway() as meta:
            await post_webhook(meta, build_text_webhook("hi"))
            await eventually(all_sent)

        [answer] = graph.texts
        assert "Summer Raffle" in answer
        inbound = await database.run_unit(InboundMessage.objects.get)
        outbound = await database.run_unit(OutboundMessage.objects.get)
        assert inbound.status == InboxStatus.PROCESSED
        assert outbound.wa_message_id == "wamid.OURS1"
        assert outbound.correlation_id == inbound.correlation_id

    async def test_what_a_crash_left_is_answered_at_the_next_start(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually
    ) -> None:
        async with gateway(workers=False) as meta:
            await post_webhook(meta, build_text_webhook("hi"))

        async with gateway():
            await eventually(all_sent)

        assert len(graph.sent) == 1

    async def test_many_buyers_are_all_answered(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually
    ) -> None:
        async with gateway() as meta:
            senders = [f"155501{number:05}" for number in range(1, 31)]
            await asyncio.gather(
                *(post_webhook(meta, build_text_webhook("hi", sender=each)) for each in senders)
            )
            await eventually(lambda: len(outcomes()) == 30 and all_sent())

        assert sorted(body["to"] for body in graph.sent) == [f"+{each}" for each in senders]

    async def test_a_status_webhook_finds_its_message(
        self, gateway: RunGateway, eventually: Eventually
    ) -> None:
        status = {"id": "wamid.OURS1", "status": "delivered", "timestamp": "1749416383"}

        async with gateway() as meta:
            await post_webhook(meta, build_text_webhook("hi"))
            await eventually(all_sent)
            await post_webhook(meta, build_webhook(statuses=[status]))
            await eventually(
                OutboundMessage.objects.filter(delivery=MessageDeliveryStatus.DELIVERED).exists
            )


class TestSending:
    @pytest.mark.same_everywhere
    async def test_what_the_back_office_queued_is_found_without_a_bell(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        async with gateway():
            await asyncio.sleep(0.2)
            await database.run_unit(lambda: queued(buyer(), "Paid."))
            await eventually(all_sent)

        assert graph.texts == ["Paid."]

    async def test_one_buyer_gets_one_after_the_other_in_order(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        graph.pause = 0.05
        await database.run_unit(lambda: queued(buyer(), "one", "two", "three", "four"))

        async with gateway():
            await eventually(all_sent)

        assert graph.texts == ["one", "two", "three", "four"]
        assert graph.overlaps == 0

    async def test_different_buyers_are_sent_to_side_by_side(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        graph.pause = 0.3
        await database.run_unit(lambda: [queued(buyer(), "hello") for _ in range(10)])

        async with gateway():
            await eventually(all_sent)

        assert graph.most_under_way > 3

    @pytest.mark.same_everywhere
    async def test_meta_out_of_reach_is_tried_again(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        graph.answers.append(httpx.ConnectError("no route"))
        await database.run_unit(lambda: queued(buyer(), "hello"))

        async with gateway():
            await eventually(all_sent)

        assert graph.texts == ["hello"]

    @pytest.mark.same_everywhere
    async def test_a_send_without_an_answer_is_not_blindly_repeated(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        graph.answers.append(httpx.ReadTimeout("silence"))
        await database.run_unit(lambda: queued(buyer(), "hello"))

        async with gateway():
            await eventually(lambda: outcomes() == [OutboxStatus.UNKNOWN])
            await asyncio.sleep(0.5)

        assert graph.sent == []

    @pytest.mark.same_everywhere
    async def test_a_refusal_for_good_is_recorded_in_words(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        error = {"code": 131026, "message": "Message undeliverable"}
        graph.answers.append(httpx.Response(400, json={"error": error}))
        await database.run_unit(lambda: queued(buyer(), "hello"))

        async with gateway():
            await eventually(lambda: outcomes() == [OutboxStatus.FAILED])

        message = await database.run_unit(OutboundMessage.objects.get)
        assert message.error_code == 131026
        assert "undeliverable" in message.error

    @pytest.mark.same_everywhere
    async def test_a_dead_token_pauses_the_number(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        graph.answers.append(httpx.Response(401, json={"error": {"code": 190}}))
        await database.run_unit(lambda: queued(buyer(), "one", "two"))

        async with gateway():
            await eventually(
                BusinessNumber.objects.filter(
                    phone_number_id=PHONE_NUMBER_ID, paused_at__isnull=False
                ).exists
            )
            await asyncio.sleep(0.5)

        assert graph.sent == []


def proof(**fields: Any) -> PaymentProof:
    """Make a proof whose file is to be fetched now."""
    now = datetime.now(UTC)
    order = builders.create_order_row(
        builders.create_raffle(),
        contact=buyer(),
        status=OrderStatus.PENDING_PAYMENT,
        expires_at=None,
        under_review_since=now,
        code="R-AAAAA",
    )
    return PaymentProof.objects.create(
        **{
            "order": order,
            "contact": order.contact,
            "phone_number_id": PHONE_NUMBER_ID,
            "wa_message_id": "wamid.PROOF",
            "media_id": "4711",
            "arrived_at": now,
            "fetch_at": now,
            **fields,
        }
    )


@pytest.mark.same_everywhere
class TestMedia:
    async def test_a_proof_is_fetched_looked_at_and_kept(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        receipt = COPY_METHODS["png"](draw_receipt())
        graph.files["4711"] = receipt
        await database.run_unit(proof)

        async with gateway():
            await eventually(PaymentProof.objects.filter(status=ProofStatus.KEPT).exists)

        kept = await database.run_unit(PaymentProof.objects.select_related("fingerprint").get)
        assert (kept.content_type, kept.size) == ("image/png", len(receipt))
        assert await database.run_unit(kept.file.read) == receipt
        assert bytes(kept.fingerprint.bits).hex() == fingerprints.compute_fingerprint(receipt)
        kept.file.close()

    async def test_a_file_that_is_gone_is_given_up_and_the_buyer_asked(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        await database.run_unit(proof)

        async with gateway():
            await eventually(PaymentProof.objects.filter(status=ProofStatus.FAILED).exists)
            await eventually(all_sent)

        assert len(graph.sent) == 1

    async def test_garbage_is_fetched_twice_before_it_is_given_up(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        graph.files["4711"] = PNG
        await database.run_unit(lambda: proof(media_sha256="0" * 64))

        async with gateway():
            again = PaymentProof.objects.filter(fetch_attempts=1).exclude(fetch_error="")
            await eventually(again.exists)
            await database.run_unit(lambda: again.update(fetch_at=datetime.now(UTC)))
            await eventually(PaymentProof.objects.filter(status=ProofStatus.FAILED).exists)

        assert (await database.run_unit(PaymentProof.objects.get)).fetch_attempts == 2


class TestExpiry:
    async def test_a_hold_that_is_over_expires_and_its_buyer_is_told(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        await database.run_unit(overdue_order)

        async with gateway():
            await eventually(Order.objects.filter(status=OrderStatus.EXPIRED).exists)
            await eventually(all_sent)

        assert len(graph.sent) == 1

    async def test_nothing_expires_while_a_backlog_is_drained(
        self, gateway: RunGateway, eventually: Eventually, database: Database
    ) -> None:
        await database.run_unit(overdue_order)
        await database.run_unit(lambda: stuck_message(age=timedelta(seconds=30)))

        async with gateway():
            await asyncio.sleep(1)

        assert await database.run_unit(Order.objects.filter(status=OrderStatus.DRAFT).exists)


def overdue_order() -> Order:
    """Make a hold that was begun two hours ago and should have ended since."""
    with transaction.atomic():
        return reservations.hold_random(
            builders.create_raffle(),
            contact_id=buyer().pk,
            quantity=3,
            pivot=0,
            now=datetime.now(UTC) - timedelta(hours=2),
            by=builders.build_chat_actor(),
        )


def stuck_message(*, age: timedelta) -> InboundMessage:
    """Make a message that waits since `age` and is not due for another minute."""
    now = datetime.now(UTC)
    return InboundMessage.objects.create(
        phone_number_id=PHONE_NUMBER_ID,
        wa_message_id="wamid.STUCK",
        dedupe_key="wamid.STUCK",
        contact=buyer(),
        type="text",
        payload={},
        sent_at=now - age,
        received_at=now - age,
        next_attempt_at=now + timedelta(minutes=1),
    )


class TestStopping:
    async def test_a_send_under_way_is_finished_and_recorded(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        graph.pause = 1.0
        await database.run_unit(lambda: queued(buyer(), "hello"))

        async with gateway():
            await eventually(lambda: outcomes() == [OutboxStatus.SENDING])

        assert await database.run_unit(outcomes) == [OutboxStatus.SENT]

    async def test_nothing_new_is_begun(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        graph.pause = 0.5
        await database.run_unit(lambda: queued(buyer(), "one", "two", "three"))

        async with gateway():
            await eventually(lambda: OutboxStatus.SENDING in outcomes())

        assert graph.texts == ["one"]
        assert await database.run_unit(outcomes) == ["SENT", "QUEUED", "QUEUED"]

    async def test_webhooks_under_way_are_committed_and_acknowledged(
        self, gateway: RunGateway, database: Database
    ) -> None:
        async with gateway() as meta:
            posts = [
                asyncio.create_task(post_webhook(meta, build_text_webhook("hi", serial=n)))
                for n in range(40)
            ]
            await asyncio.sleep(0.01)
        answers = await asyncio.gather(*posts, return_exceptions=True)

        accepted = [each for each in answers if isinstance(each, httpx.Response)]
        assert {answer.status_code for answer in accepted} <= {200}
        assert await database.run_unit(InboundMessage.objects.count) >= len(accepted)
