"""Tests of the gateway's workers: answers, sending, proofs, expiry and shutdown."""

import asyncio
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
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
    RenditionStatus,
)
from shared.raffles import fingerprints
from shared.raffles.models import Order, PaymentProof
from shared.raffles.services import reservations
from shared.raffles.services.payment_proofs import renditions
from shared.raffles.services.payment_proofs.renditions import RenditionKind
from shared.whatsapp import messages
from shared.whatsapp.models import Alarm, BusinessNumber, InboundMessage, OutboundMessage
from shared.whatsapp.services.inbox import backlog_alarm
from shared.whatsapp.services.outbox import outbox_queue
from tests import builders
from tests.hostile_files import write_gif, write_pdf
from tests.integration.gateway import sample_data
from tests.integration.gateway.fake_meta import (
    PHONE_NUMBER_ID,
    FakeGraph,
    RunGateway,
    build_text_webhook,
    build_webhook,
    post_webhook,
)
from tests.receipts import COPY_METHODS, draw_receipt

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.acceptance]

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
    b"\x1f\x15\xc4\x89\x00\x00\x00\x00IEND\xaeB`\x82"
)

type Eventually = Callable[..., Any]


def queue_messages(*texts: str) -> list[OutboundMessage]:
    """Queue messages to a new buyer as the back office does: without waking a worker."""
    contact = sample_data.create_recent_contact()
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


def list_outbox_statuses() -> list[str]:
    """Return the status of every outgoing message, in the order of the queue."""
    return list(OutboundMessage.objects.order_by("id").values_list("status", flat=True))


def all_sent() -> bool:
    """Whether every queued message is sent, and there is at least one."""
    return set(list_outbox_statuses()) == {OutboxStatus.SENT}


class TestAnswering:
    async def test_a_text_is_answered_and_the_answer_is_sent(
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

    async def test_a_message_stored_before_a_crash_is_answered_at_the_next_start(
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
            await eventually(lambda: len(list_outbox_statuses()) == 30 and all_sent())

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
    async def test_a_message_queued_by_the_back_office_is_found_without_a_signal(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        async with gateway():
            await asyncio.sleep(0.2)
            await database.run_unit(lambda: queue_messages("Paid."))
            await eventually(all_sent)

        assert graph.texts == ["Paid."]

    async def test_messages_to_one_buyer_are_sent_one_after_the_other(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        graph.pause = 0.05
        await database.run_unit(lambda: queue_messages("one", "two", "three", "four"))

        async with gateway():
            await eventually(all_sent)

        assert graph.texts == ["one", "two", "three", "four"]
        assert graph.overlaps == 0

    async def test_messages_to_different_buyers_are_sent_concurrently(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        graph.pause = 0.3
        await database.run_unit(lambda: [queue_messages("hello") for _ in range(10)])

        async with gateway():
            await eventually(all_sent)

        assert graph.most_under_way > 3

    @pytest.mark.same_everywhere
    async def test_a_failed_connection_is_retried(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        graph.answers.append(httpx.ConnectError("no route"))
        await database.run_unit(lambda: queue_messages("hello"))

        async with gateway():
            await eventually(all_sent)

        assert graph.texts == ["hello"]

    @pytest.mark.same_everywhere
    async def test_a_send_without_an_answer_is_not_repeated_at_once(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        graph.answers.append(httpx.ReadTimeout("silence"))
        await database.run_unit(lambda: queue_messages("hello"))

        async with gateway():
            await eventually(lambda: list_outbox_statuses() == [OutboxStatus.UNKNOWN])
            await asyncio.sleep(0.5)

        assert graph.sent == []

    @pytest.mark.same_everywhere
    async def test_a_permanent_refusal_is_recorded_with_its_reason(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        error = {"code": 131026, "message": "Message undeliverable"}
        graph.answers.append(httpx.Response(400, json={"error": error}))
        await database.run_unit(lambda: queue_messages("hello"))

        async with gateway():
            await eventually(lambda: list_outbox_statuses() == [OutboxStatus.FAILED])

        message = await database.run_unit(OutboundMessage.objects.get)
        assert message.error_code == 131026
        assert "undeliverable" in message.error

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        "error", [{"code": 190}, {"code": 100, "error_subcode": 33}], ids=["token", "hidden"]
    )
    async def test_an_invalid_token_or_a_hidden_number_pauses_it(
        self,
        gateway: RunGateway,
        graph: FakeGraph,
        eventually: Eventually,
        database: Database,
        error: dict[str, int],
    ) -> None:
        graph.answers.append(httpx.Response(400, json={"error": error}))
        await database.run_unit(lambda: queue_messages("one", "two"))

        async with gateway():
            await eventually(
                BusinessNumber.objects.filter(
                    phone_number_id=PHONE_NUMBER_ID, paused_at__isnull=False
                ).exists
            )
            await asyncio.sleep(0.5)
            assert graph.sent == []

            await database.run_unit(lambda: BusinessNumber.objects.update(probe_at=None))
            await eventually(all_sent)

        assert graph.texts == ["one", "two"]


HIDDEN = httpx.Response(400, json={"error": {"code": 100, "error_subcode": 33}})
"""Meta's answer about an object that the access token may not see."""


FULL_DISK = 6_000_000
"""Bytes that files may have while the disk is said to be full; the database has fewer."""


@contextmanager
def limit_file_size(size: int) -> Iterator[None]:
    """Let this process write no longer files, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def list_stored(content: bytes) -> list[Path]:
    """Return the files of proofs with this content, whole or in part."""
    folder = Path(PaymentProof().file.storage.path(""))
    return sorted(folder.rglob(f"*-{sha256(content).hexdigest()[:16]}*"))


def create_due_proof(**fields: Any) -> PaymentProof:
    """Create a proof whose file is to be fetched now."""
    now = datetime.now(UTC)
    order = builders.create_order_row(
        builders.create_raffle(),
        contact=sample_data.create_recent_contact(),
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
    async def test_a_proof_is_fetched_fingerprinted_and_stored(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        receipt = COPY_METHODS["png"](draw_receipt())
        graph.files["4711"] = receipt
        await database.run_unit(create_due_proof)

        async with gateway():
            await eventually(PaymentProof.objects.filter(status=ProofStatus.KEPT).exists)

        kept = await database.run_unit(PaymentProof.objects.select_related("fingerprint").get)
        assert (kept.content_type, kept.size) == ("image/png", len(receipt))
        assert await database.run_unit(kept.file.read) == receipt
        assert bytes(kept.fingerprint.bits).hex() == fingerprints.compute_fingerprint(receipt)
        kept.file.close()
        assert kept.rendition == RenditionStatus.MADE
        for kind in RenditionKind:
            assert await database.run_unit(renditions._read_rendition, kept.sha256, kind)

    async def test_a_file_that_is_gone_is_given_up_and_the_buyer_is_asked_again(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        await database.run_unit(create_due_proof)

        async with gateway():
            await eventually(PaymentProof.objects.filter(status=ProofStatus.FAILED).exists)
            await eventually(all_sent)

        assert len(graph.sent) == 1

    @pytest.mark.parametrize(
        ("content", "error", "words"),
        [
            (write_pdf(protected=True), "MediaProtected", "needs a password"),
            (PNG[:40], "MediaDamaged", "is damaged"),
            (b"PK\x03\x04" + bytes(30), "MediaWrongType", "neither a picture nor a PDF"),
            (b"", "MediaEmpty", "is empty"),
        ],
    )
    async def test_a_file_nobody_can_open_is_given_up_and_the_buyer_hears_why(
        self,
        gateway: RunGateway,
        graph: FakeGraph,
        eventually: Eventually,
        database: Database,
        content: bytes,
        error: str,
        words: str,
    ) -> None:
        graph.files["4711"] = content
        await database.run_unit(create_due_proof)

        async with gateway():
            await eventually(PaymentProof.objects.filter(status=ProofStatus.FAILED).exists)
            await eventually(all_sent)

        proof = await database.run_unit(PaymentProof.objects.get)
        assert (proof.fetch_error, proof.fetch_attempts) == (error, 1)
        assert words in str(graph.sent[0])
        if error in {"MediaProtected", "MediaDamaged"}:
            assert await database.run_unit(proof.file.read) == content
            proof.file.close()

    async def test_what_is_too_complex_to_be_shown_is_kept(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        graph.files["4711"] = write_gif(60_000, 60_000)
        await database.run_unit(create_due_proof)

        async with gateway():
            await eventually(PaymentProof.objects.filter(status=ProofStatus.KEPT).exists)

        proof = await database.run_unit(PaymentProof.objects.get)
        assert proof.rendition == RenditionStatus.TOO_COMPLEX

    @pytest.mark.parametrize(
        "refused",
        [
            {"4711": HIDDEN, PHONE_NUMBER_ID: HIDDEN},
            {"4711": httpx.Response(401, json={"error": {"code": 190, "error_subcode": 463}})},
            {"4711": httpx.Response(403, json={"error": {"code": 10}})},
        ],
        ids=["hidden", "token", "permission"],
    )
    async def test_a_file_that_the_token_may_not_see_is_kept_once_that_is_put_right(
        self,
        gateway: RunGateway,
        graph: FakeGraph,
        eventually: Eventually,
        database: Database,
        refused: dict[str, httpx.Response],
    ) -> None:
        graph.files["4711"] = COPY_METHODS["png"](draw_receipt())
        graph.refusals = dict(refused)
        await database.run_unit(lambda: create_due_proof(fetch_attempts=400))
        waits = PaymentProof.objects.filter(fetch_attempts=400).exclude(fetch_error="")

        async with gateway():
            await eventually(waits.exists)
            assert await database.run_unit(
                Alarm.objects.filter(key=f"paused:{PHONE_NUMBER_ID}", resolved_at=None).exists
            )
            graph.refusals.clear()
            await database.run_unit(lambda: waits.update(fetch_at=datetime.now(UTC)))
            await eventually(PaymentProof.objects.filter(status=ProofStatus.KEPT).exists)

        assert graph.sent == []

    async def test_a_file_that_the_disk_cannot_take_is_kept_once_there_is_room(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        content = COPY_METHODS["png"](draw_receipt()) + bytes(FULL_DISK)
        graph.files["4711"], before = content, list_stored(content)
        await database.run_unit(lambda: create_due_proof(fetch_attempts=400))
        waits = PaymentProof.objects.filter(fetch_attempts=400, fetch_error__startswith="Not st")
        alarm = Alarm.objects.filter(key="files_not_stored")

        async with gateway():
            with limit_file_size(FULL_DISK):
                await eventually(waits.exists)
            assert await database.run_unit(alarm.filter(resolved_at=None).exists)
            assert list_stored(content) == before
            await database.run_unit(lambda: waits.update(fetch_at=datetime.now(UTC)))
            await eventually(alarm.filter(resolved_by="a file was stored").exists)

        assert graph.sent == []

    async def test_one_hidden_file_of_a_visible_number_is_tried_again_with_an_alarm(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        graph.refusals["4711"] = HIDDEN
        await database.run_unit(create_due_proof)

        async with gateway():
            await eventually(PaymentProof.objects.exclude(fetch_error="").exists)

        assert (await database.run_unit(PaymentProof.objects.get)).status == ProofStatus.FETCHING
        alarm = await database.run_unit(Alarm.objects.get)
        assert alarm.key == f"proof_hidden:{PHONE_NUMBER_ID}"
        assert not await database.run_unit(BusinessNumber.objects.exclude(paused_at=None).exists)

    async def test_a_hidden_file_that_meta_deleted_after_a_week_is_given_up(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        graph.refusals["4711"] = HIDDEN
        week_ago = datetime.now(UTC) - timedelta(days=7, minutes=1)
        await database.run_unit(lambda: create_due_proof(arrived_at=week_ago))

        async with gateway():
            await eventually(PaymentProof.objects.filter(status=ProofStatus.FAILED).exists)

        assert (await database.run_unit(PaymentProof.objects.get)).fetch_error == "MediaGone"

    async def test_garbage_is_fetched_twice_before_it_is_given_up(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        graph.files["4711"] = PNG
        await database.run_unit(lambda: create_due_proof(media_sha256="0" * 64))

        async with gateway():
            again = PaymentProof.objects.filter(fetch_attempts=1).exclude(fetch_error="")
            await eventually(again.exists)
            await database.run_unit(lambda: again.update(fetch_at=datetime.now(UTC)))
            await eventually(PaymentProof.objects.filter(status=ProofStatus.FAILED).exists)

        assert (await database.run_unit(PaymentProof.objects.get)).fetch_attempts == 2


class TestBacklog:
    async def test_rings_once_while_a_buyer_waits_and_resolves_itself(
        self, gateway: RunGateway, eventually: Eventually, database: Database
    ) -> None:
        stuck = await database.run_unit(
            lambda: sample_data.create_stuck_message(age=timedelta(minutes=6))
        )
        async with gateway():
            await eventually(Alarm.objects.filter(key="backlog", resolved_at=None).exists)
        await database.run_unit(backlog_alarm.check_backlog, now=datetime.now(UTC))
        ringing = await database.run_unit(lambda: Alarm.objects.get().count)

        await database.run_unit(
            InboundMessage.objects.filter(pk=stuck.pk).update, status=InboxStatus.PROCESSED
        )
        await database.run_unit(backlog_alarm.check_backlog, now=datetime.now(UTC))

        alarm = await database.run_unit(Alarm.objects.get)
        assert ringing == 1
        assert alarm.resolved_by == "the messages were answered"


class TestExpiry:
    async def test_an_overdue_hold_expires_and_its_buyer_gets_a_message(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        await database.run_unit(create_overdue_order)

        async with gateway():
            await eventually(Order.objects.filter(status=OrderStatus.EXPIRED).exists)
            await eventually(all_sent)

        assert len(graph.sent) == 1

    async def test_nothing_expires_while_a_backlog_is_drained(
        self, gateway: RunGateway, eventually: Eventually, database: Database
    ) -> None:
        await database.run_unit(create_overdue_order)
        await database.run_unit(lambda: sample_data.create_stuck_message(age=timedelta(seconds=30)))

        async with gateway():
            await asyncio.sleep(1)

        assert await database.run_unit(Order.objects.filter(status=OrderStatus.DRAFT).exists)


def create_overdue_order() -> Order:
    """Create a hold of two hours ago, whose time is over."""
    with transaction.atomic():
        return reservations.hold_random(
            builders.create_raffle(),
            contact_id=sample_data.create_recent_contact().pk,
            quantity=3,
            pivot=0,
            now=datetime.now(UTC) - timedelta(hours=2),
            by=builders.build_chat_actor(),
        )


class TestStopping:
    async def test_a_send_in_progress_is_finished_and_recorded(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        graph.pause = 1.0
        await database.run_unit(lambda: queue_messages("hello"))

        async with gateway():
            await eventually(lambda: list_outbox_statuses() == [OutboxStatus.SENDING])

        assert await database.run_unit(list_outbox_statuses) == [OutboxStatus.SENT]

    async def test_no_further_message_is_sent(
        self, gateway: RunGateway, graph: FakeGraph, eventually: Eventually, database: Database
    ) -> None:
        graph.pause = 0.5
        await database.run_unit(lambda: queue_messages("one", "two", "three"))

        async with gateway():
            await eventually(lambda: OutboxStatus.SENDING in list_outbox_statuses())

        assert graph.texts == ["one"]
        assert await database.run_unit(list_outbox_statuses) == ["SENT", "QUEUED", "QUEUED"]

    async def test_webhooks_in_progress_are_committed_and_acknowledged(
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
        await database.run_unit(sample_data.read_webhooks)
        assert await database.run_unit(InboundMessage.objects.count) >= len(accepted)
