"""Answers to many buyers in one transaction, compared with answers to each of them alone."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

import pytest
from django.apps import apps
from django.db import OperationalError, connection, connections, transaction
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.conversation.answering import answer_batches, answer_failures, waiting_messages
from shared.conversation.answering.batch_results import BatchResult
from shared.conversation.answering.message_answers import AnswerResult
from shared.core.constants import ANSWER_CPU_SECONDS, MAX_INBOX_ATTEMPTS
from shared.core.enums import InboxStatus, OutboxKind, OutboxStatus, RaffleStatus, TicketStatus
from shared.events.models import Event
from shared.raffles.models import Order, Raffle, TicketNumber
from shared.raffles.services import availability, locks
from shared.raffles.services.ticket_numbers import inventory
from shared.whatsapp import messages
from shared.whatsapp.models import InboundMessage, OutboundMessage, WhatsAppContact
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.outbox import outbox_queue
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.concurrency import lock_in_another_thread
from tests.integration.conversation.chat import BuyerChat, list_choices

pytestmark = pytest.mark.django_db

BUYERS: Final = 4
CACHED: Final = availability.MIN_TICKETS_TO_CACHE
"""Numbers of a raffle whose counts are cached, so that all buyers of a round read the same."""


def answer_batch(contact_ids: Sequence[int], **arguments: Any) -> BatchResult:
    """Answer a batch and return its result, with no more of the replies than their count."""
    result = answer_batches.answer_contacts(contact_ids, **{"now": NOON, "pivot": 1, **arguments})
    return replace(result, answered=replace(result.answered, queued=()))


def answer_together(contact_ids: Sequence[int], *, now: datetime, pivot: int) -> BatchResult:
    """Answer batches until nothing waits, and those that they leave one by one, as the worker does.

    Returns:
        The results of the batches as one.

    """
    results = BatchResult()
    for waiting in repeat_while_due(contact_ids, now=now):
        result = answer_batch(waiting, now=now, pivot=pivot)
        for contact_id in result.left:
            waiting_messages.answer_or_record_failure(contact_id, now=now, pivot=pivot)
        results += result
    return results


def answer_alone(contact_ids: Sequence[int], *, now: datetime, pivot: int) -> None:
    """Answer the same contacts one by one, with the pivots that they have in a batch."""
    for waiting in repeat_while_due(contact_ids, now=now):
        for place, contact_id in enumerate(waiting):
            waiting_messages.answer_or_record_failure(
                contact_id, now=now, pivot=answer_batches.compute_pivot(pivot, place=place)
            )


def repeat_while_due(contact_ids: Sequence[int], *, now: datetime) -> Iterator[Sequence[int]]:
    """Yield the contacts, then those of them with messages that are still due, and so on."""
    for _ in range(MAX_MESSAGES_PER_STEP):
        if not contact_ids:
            return
        yield contact_ids
        due = InboundMessage.objects.filter(
            Q(next_attempt_at=None) | Q(next_attempt_at__lte=now), status=InboxStatus.RECEIVED
        )
        waiting = set(due.values_list("contact_id", flat=True))
        contact_ids = [contact_id for contact_id in contact_ids if contact_id in waiting]


# ── the same rows ────────────────────────────────────────────────────────────────────────────────

TEXTS: Final = (
    "hi", "3 random", "2 random", "2005, 2007", "2007 and 2009", "7", "9", "yes", "yes", "no",
    "cancel", "my tickets", "what?", "summer", "winter", "random", "pick", "50 random", "99999",
    "other numbers", "done", "R-ZZZZZ", "rules", "who won", "verify 9000", "I'm 18", "no",
    "person", "menu", "stop", "start", "hi\n3\nrandom\npls", "hi\nwhat?",
)  # fmt: skip
"""What buyers write. A batch reads before it acts, so nobody reads what another one takes."""

MAX_MESSAGES_PER_STEP: Final = max(text.count("\n") for text in TEXTS) + 1

steps = st.one_of(
    st.none(),
    st.sampled_from(TEXTS),
    st.integers(0, 3),  # taps, of which the first choice leads on
    st.sampled_from([0, 0, "3 random", "2005, 2007", "early yes"]),
)
type Story = list[list[str | int | None]]
"""What each buyer does in each round: a text, a tap on the choice at a place, or nothing."""


@pytest.fixture
def large_raffles(db: None) -> None:
    """Create two raffles whose numbers are spread over all keys; one is for adults only."""
    builders.create_raffle(numbers=CACHED, max_per_contact=6)
    builders.create_raffle(numbers=CACHED, title="Winter Raffle", max_per_order=5, adults_only=True)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE raffles_ticketnumber SET shuffle_key = number * 214748")


@contextmanager
def roll_back_afterwards() -> Iterator[None]:
    """Roll back, also the ids: those that follow are given again."""
    point = transaction.savepoint()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'")
            for (name,) in cursor.fetchall():
                cursor.execute(f'ALTER SEQUENCE "{name}" RESTART WITH 1000000')
    availability.clear_counts_cache()
    try:
        yield
    finally:
        transaction.savepoint_rollback(point)


def store_step(chat: BuyerChat, step: str | int) -> None:
    """Store what a buyer does; a text of several lines is as many messages, a second apart."""
    if isinstance(step, int):
        seen = [choice for message in chat.list_messages() for choice in list_choices(message)]
        tap_id, title = seen[-1 - step % min(len(seen), 9)] if seen else ("r1:menu", "Menu")
        reply = {"type": "button_reply", "button_reply": {"id": tap_id, "title": title}}
        _store_message(chat, "interactive", {"interactive": reply}, sent_at=chat.now)
        return
    lines = ["yes"] if step == "early yes" else step.split("\n")
    early = timedelta(seconds=50 * (step == "early yes"))
    for place, text in enumerate(lines, start=1 - len(lines)):
        sent_at = chat.now - early + timedelta(seconds=place)
        _store_message(chat, "text", {"text": {"body": text}}, sent_at=sent_at)


def _store_message(chat: BuyerChat, kind: str, body: dict[str, Any], *, sent_at: datetime) -> None:
    wa_message_id = f"wamid.{chat.contact.pk}.{sent_at:%H%M%S}"
    chat.receives(
        kind,
        body,
        wa_message_id=wa_message_id,
        payload={"id": wa_message_id, "type": kind, **body},
        sent_at=sent_at,
        correlation_id=f"c{chat.contact.pk}",
    )


def play_story(
    story: Story, answer: Callable[..., BatchResult | None]
) -> tuple[dict[str, list[dict[str, Any]]], list[BatchResult | None]]:
    """Play a story; return all rows that it leaves, by model, and the results of the rounds."""
    with roll_back_afterwards():
        chats = [
            BuyerChat(builders.create_contact(wa_id=f"1555{buyer}", profile_name=f"Buyer {buyer}"))
            for buyer in range(BUYERS)
        ]
        results = []
        for place, round_ in enumerate(story):
            acting = [
                (chat, step) for chat, step in zip(chats, round_, strict=True) if step is not None
            ]
            for chat in chats:
                chat.later(seconds=40)
                chat.contact.refresh_from_db()
                if place % 2:
                    chat.gets_messages()
            for chat, step in acting:
                store_step(chat, step)
            contact_ids = [chat.contact.pk for chat, _ in acting]
            if place % 3:
                contact_ids.reverse()
            results.append(answer(contact_ids, now=chats[0].now, pivot=place * 104_729_231))
        assert inventory.find_inventory_problems() == []
        return read_rows(), results


def read_rows() -> dict[str, list[dict[str, Any]]]:
    """Return the rows of everything that an answer may write, but for random ids."""
    random = {"callback_data": None, "dedupe_key": None, "event_id": None}
    rows = {}
    for label in ("raffles", "whatsapp", "events"):
        for model in apps.get_app_config(label).get_models():
            found = model._default_manager.order_by("pk")
            if model is TicketNumber:
                found = found.exclude(status=TicketStatus.AVAILABLE)
            rows[model.__name__] = [{**row, **random} for row in found.values()]
    events = [{**row, "id": None} for row in rows[Event.__name__]]
    return {**rows, Event.__name__: sorted(events, key=str)}  # in a batch they happen in turns


@pytest.mark.acceptance
@example(
    story=[
        ["person", "stop", "person", "hi"],
        ["hi", "stop", "stop", "person"],
        ["menu", "start", "help", "person"],
    ]
)
@example(
    story=[["hi\nsummer", "hi\n3\nrandom\npls", "hi\n2005, 2007", 0], ["yes", "no", 0, "hi\nwhat?"]]
)
@example(
    story=[  # an answer to the greeting, then another one to the wish
        ["hi", None, None, "hi"],
        [0, None, None, 0],
        ["3 random", None, None, "yes"],
        ["hi\n3\nrandom\npls", None, "hi\nwhat?", "hi\n3\nrandom\npls"],
    ]
)
@example(story=[["hi"] * BUYERS] + [["what?", "what?", None, 0]] * 8)
@example(
    story=[
        ["3 random"] * BUYERS,
        ["summer"] * BUYERS,
        ["2005, 2007", "2005, 2007", "2007 and 2009", "3 random"],
    ]
    + [[0] * BUYERS] * 2
    + [["yes", "early yes", "cancel", 0], ["cancel", "9", "yes", "my tickets"]] * 2
)
@example(
    story=[
        ["winter"] * BUYERS,
        ["2 random", "2005, 2007", "2 random", "3 random"],
        ["yes", "I'm 18", "no", 1],
        ["2005, 2007", "rules", "2 random", "early yes"],
        ["who won", "verify 9000", "yes", 0],
    ]
)
@given(story=st.lists(st.lists(steps, min_size=BUYERS, max_size=BUYERS), min_size=2, max_size=9))
@settings(
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_batch_leaves_the_rows_that_answers_one_by_one_leave(
    large_raffles: None, story: Story
) -> None:
    with pytest.MonkeyPatch.context() as patched:  # a batch gives each contact one answer
        patched.setattr(waiting_messages, "MAX_ANSWERS_PER_TRANSACTION", 1)
        together, results = play_story(story, answer_together)
        alone, _ = play_story(story, answer_alone)

    assert [result.left for result in results if result] == [()] * len(story)
    for model, rows in alone.items():
        assert together[model] == rows, model


# ── who is answered together ─────────────────────────────────────────────────────────────────────


def receive_text(chat: BuyerChat, text: str = "hi", **fields: Any) -> InboundMessage:
    return chat.receives("text", {"text": {"body": text}}, **fields)


def list_statuses() -> list[str]:
    return list(InboundMessage.objects.order_by("pk").values_list("status", flat=True))


class TestWhoIsAnsweredTogether:
    def test_whatever_is_rare_is_left_to_the_answer_of_one_contact_untouched(self) -> None:
        builders.create_raffle()
        blocked, erased, joined, withheld, flooded = (BuyerChat() for _ in range(5))
        WhatsAppContact.objects.filter(pk=blocked.contact.pk).update(is_blocked=True)
        WhatsAppContact.objects.filter(pk=erased.contact.pk).update(erased_at=NOON)
        WhatsAppContact.objects.filter(pk=joined.contact.pk).update(joined_into=withheld.contact)
        notice = outbox_queue.enqueue_message(
            withheld.contact, messages.build_text("!"), key="paid", kind=OutboxKind.NOTICE, now=NOON
        )
        OutboundMessage.objects.filter(pk=notice.pk).update(status=OutboxStatus.WITHHELD)
        for _ in range(25):
            receive_text(flooded, status=InboxStatus.PROCESSED)
        rare = [blocked, erased, joined, withheld, flooded]
        for chat in rare:
            receive_text(chat)
        for fields in (
            {"sent_at": NOON - 16 * MINUTE},
            {"attempts": 1},
            {"next_attempt_at": NOON},
        ):
            rare.append(BuyerChat())
            receive_text(rare[-1], **fields)
        for kind in ("image", "document", "sticker", "system", "unheard"):
            rare.append(BuyerChat())
            rare[-1].receives(kind, {kind: {"id": "m1", "mime_type": "image/jpeg"}})
        rare.append(BuyerChat())
        for _ in range(6):
            receive_text(rare[-1])
        usual, again = BuyerChat(), BuyerChat()
        for chat, number in ((usual, 1), (again, 5)):
            for place in range(number):
                receive_text(chat, "menu" if place == 4 else "hi")
        queued = OutboundMessage.objects.count()
        ids = [chat.contact.pk for chat in (*rare, again, usual)]

        result = answer_batch(ids)

        assert result == BatchResult(
            AnswerResult(messages=5, replies=2),
            left=tuple(chat.contact.pk for chat in rare),
            has_more=True,
        )
        answered = InboundMessage.objects.filter(processed_at__isnull=False)
        assert {message.contact_id for message in answered} == {
            again.contact.pk,
            usual.contact.pk,
        }
        assert OutboundMessage.objects.count() == queued + 2
        assert answer_batch([usual.contact.pk]) == BatchResult()

    def test_a_tap_that_assigns_a_receipt_is_left_and_nothing_of_it_is_written(self) -> None:
        summer, winter = builders.create_raffle(), builders.create_raffle(title="Winter")
        chat, other = BuyerChat(), BuyerChat()
        for raffle in (summer, winter):
            chat.taps_id(f"r1:raffle:{raffle.pk}")
            chat.says("3 random")
            chat.taps("Confirm")
        chat.sends_picture()
        tap_id = next(i for i, _ in list_choices(chat.list_messages()[-1]) if "proof" in i)
        reply = {"type": "button_reply", "button_reply": {"id": tap_id, "title": "?"}}
        chat.receives("interactive", {"interactive": reply})
        receive_text(other)
        before = WhatsAppContact.objects.filter(pk=chat.contact.pk).values().get()
        ids = [chat.contact.pk, other.contact.pk]

        result = answer_batch(ids)

        assert result == BatchResult(AnswerResult(messages=1, replies=1), left=(chat.contact.pk,))
        assert WhatsAppContact.objects.filter(pk=chat.contact.pk).values().get() == before

    @pytest.mark.parametrize("seconds", [0.3, ANSWER_CPU_SECONDS + 1])
    def test_the_time_is_limited_for_all_together_and_for_each(self, seconds: float) -> None:
        builders.create_raffle()
        chats = [BuyerChat() for _ in range(3)]
        for chat in chats:
            receive_text(chat)
        ids = tuple(chat.contact.pk for chat in chats)
        clock = count(0, seconds)

        result = answer_batch(ids, cpu_clock=lambda: next(clock))

        if seconds < ANSWER_CPU_SECONDS:
            assert result == BatchResult(AnswerResult(messages=1, replies=1), postponed=ids[1:])
        else:
            assert result == BatchResult(left=ids)
            assert list_statuses() == [InboxStatus.RECEIVED] * 3

    def test_the_statements_do_not_grow_with_the_buyers(self) -> None:
        builders.create_raffle()
        counts = []
        for buyers in (1, 9):
            chats = [BuyerChat() for _ in range(buyers)]
            for chat in chats:
                receive_text(chat)
            with CaptureQueriesContext(connection) as queries:
                answer_batch([chat.contact.pk for chat in chats], pivot=2**31 - 1)
            counts.append(len([one for one in queries if "SAVEPOINT" not in one["sql"]]))

        assert counts[0] == counts[1] <= 12


def refuse_updates_of_contact(contact_id: int) -> None:
    """Let the database refuse each update of a contact, until the test is rolled back."""
    table = WhatsAppContact._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"CREATE RULE refuse AS ON UPDATE TO {table} WHERE NEW.id = {contact_id} "
                f"DO INSTEAD INSERT INTO {table} (id) VALUES (1)"
            )
        else:
            cursor.execute(
                f"CREATE TRIGGER refuse BEFORE UPDATE ON {table} WHEN NEW.id = {contact_id} "
                "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )


class ProcessKilled(BaseException):
    """The end of the whole process: no code catches it, and the transaction is rolled back."""


class TestFailure:
    def test_of_one_message_is_counted_for_it_alone_and_the_others_are_answered(self) -> None:
        builders.create_raffle()
        broken = builders.create_raffle(title="Broken", status=RaffleStatus.PAUSED)
        Raffle.objects.filter(pk=broken.pk).update(time_zone="No/Where")
        chats = [BuyerChat() for _ in range(3)]
        builders.create_order_row(broken, contact=chats[1].contact)
        for chat in chats:
            receive_text(chat, "3 random")
        ids = tuple(chat.contact.pk for chat in chats)

        failed = answer_together(ids, now=NOON, pivot=1)

        assert failed == BatchResult(left=ids)
        attempts = InboundMessage.objects.order_by("pk").values_list("status", "attempts")
        assert list(attempts) == [
            (InboxStatus.PROCESSED, 0),
            (InboxStatus.RECEIVED, 1),
            (InboxStatus.PROCESSED, 0),
        ]
        assert [len(chat.list_messages()) for chat in chats] == [1, 0, 1]

        for chat in (chats[0], chats[2]):
            receive_text(chat, sent_at=NOON + MINUTE)
        again = answer_together(ids, now=NOON + MINUTE, pivot=1)

        assert again == BatchResult(AnswerResult(messages=2, replies=2), left=(ids[1],))

    def test_is_no_answer_to_a_tap_with_numbers_that_no_raffle_can_have(self) -> None:
        raffle = builders.create_raffle()
        chats = [BuyerChat() for _ in range(3)]
        for chat, numbers in zip(chats, ("5", "5:2147483648", "9" * 18), strict=True):
            tap = {"id": f"r1:nums:{raffle.pk}:{numbers}", "title": "Take it"}
            body = {"type": "button_reply", "button_reply": tap}
            chat.receives("interactive", {"interactive": body})

        result = answer_together([chat.contact.pk for chat in chats], now=NOON, pivot=1)

        assert result.left == ()
        keys = [chat.list_message_keys() for chat in chats]
        assert keys == [["held"], ["ask_numbers"], ["ask_numbers"]]

    def test_beside_an_answer_is_counted_too_until_the_message_is_given_up(self) -> None:
        builders.create_raffle()
        chats = [BuyerChat() for _ in range(2)]
        for chat in chats:
            receive_text(chat)
        ids = [chat.contact.pk for chat in chats]
        refuse_updates_of_contact(ids[0])

        for attempt in range(1, MAX_INBOX_ATTEMPTS + 1):
            answer_together(ids, now=NOON + attempt * MINUTE, pivot=1)

        assert list_statuses() == [InboxStatus.FAILED, InboxStatus.PROCESSED]
        assert [chat.list_message_keys() for chat in chats] == [["apology"], ["card"]]

    def test_of_a_process_is_counted_for_messages_that_have_waited_for_long(self) -> None:
        def kill_process() -> float:
            raise ProcessKilled

        builders.create_raffle()
        chats = [BuyerChat() for _ in range(3)]
        for chat in chats:
            receive_text(chat, "3 random", received_at=NOON - 2 * MINUTE)
        ids = tuple(chat.contact.pk for chat in chats)
        attempts = InboundMessage.objects.order_by("pk").values_list("attempts", "error")
        answered = AnswerResult(messages=2, replies=2, has_acted=True)

        with pytest.raises(ProcessKilled):
            answer_batch(ids[:1], cpu_clock=kill_process)
        killed = list(attempts.all())
        again = answer_batch(ids, now=NOON + MINUTE)

        assert killed == [(1, answer_failures.UNFINISHED), (0, ""), (0, "")]
        assert again == BatchResult(answered, left=ids[:1])
        assert list(attempts.all()) == [(1, answer_failures.UNFINISHED), (1, ""), (1, "")]

    def test_of_a_batch_takes_back_what_was_counted_beforehand(self) -> None:
        raffle = builders.create_raffle()
        Raffle.objects.filter(pk=raffle.pk).update(time_zone="No/Where")
        chats = [BuyerChat() for _ in range(2)]
        for chat in chats:
            receive_text(chat, received_at=NOON - 2 * MINUTE)
        ids = tuple(chat.contact.pk for chat in chats)

        assert answer_batch(ids) == BatchResult(left=ids)
        found = InboundMessage.objects.values_list("attempts", "error", "next_attempt_at")
        assert set(found) == {(0, "", None)}

    def test_of_the_database_is_no_failure_of_a_message(self) -> None:
        def lose_the_database() -> float:
            raise OperationalError

        receive_text(chat := BuyerChat())

        with pytest.raises(OperationalError):
            answer_batch([chat.contact.pk], cpu_clock=lose_the_database)

        assert list_statuses() == [InboxStatus.RECEIVED]


# ── at the same time as others ───────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
class TestAtTheSameTime:
    @pytest.fixture(autouse=True)
    def _need_row_locks(self) -> None:
        if not connection.features.has_select_for_update:
            pytest.skip("SQLite has one lock for everything")

    def test_a_contact_that_another_gateway_answers_is_passed_over(self) -> None:
        builders.create_raffle()
        busy, free = BuyerChat(), BuyerChat()
        for chat in (busy, free):
            receive_text(chat)
        ids = [busy.contact.pk, free.contact.pk]

        def answer_elsewhere() -> BatchResult:
            try:
                return answer_batch(ids)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as thread, transaction.atomic():
            contacts.lock_contact(busy.contact.pk)
            result = thread.submit(answer_elsewhere).result(timeout=20)

        assert result == BatchResult(
            AnswerResult(messages=1, replies=1), postponed=(busy.contact.pk,)
        )

    def test_buyers_whose_random_numbers_others_have_locked_wait_for_another_batch(self) -> None:
        raffle = builders.create_raffle(numbers=5)
        takers, other = [BuyerChat(), BuyerChat()], BuyerChat()
        for chat in takers:
            receive_text(chat, "4 random")
        receive_text(other)
        ids = tuple(chat.contact.pk for chat in takers)

        with lock_in_another_thread(lambda: locks.lock_tickets(raffle.pk, numbers=[1, 2])):
            meanwhile = answer_batch([*ids, other.contact.pk])
            after_a_minute = answer_batch(ids, now=NOON + 2 * MINUTE)
        afterwards = answer_batch(ids)

        assert meanwhile == BatchResult(AnswerResult(messages=1, replies=1), postponed=ids)
        assert after_a_minute == BatchResult(left=ids)
        assert afterwards == BatchResult(AnswerResult(messages=2, replies=2, has_acted=True))
        assert [chat.list_message_keys() for chat in takers] == [["held"], ["too_few_left"]]
        assert Order.objects.get().contact == takers[0].contact

    @pytest.mark.acceptance
    def test_batches_and_single_pickers_of_the_same_numbers_never_deadlock(self) -> None:
        """Buyers of a batch take random numbers, picked ones, and give some back."""
        raffle = builders.create_raffle(numbers=40)
        rounds, workers = 6, 4
        chats = [[BuyerChat() for _ in range(5)] for _ in range(workers)]
        start = threading.Barrier(workers)
        left: list[tuple[int, ...]] = []

        def take_turns(worker: int) -> None:
            start.wait()
            try:
                for place in range(rounds):
                    take_turn(worker, now=NOON + place * MINUTE, pivot=place * 104_729_231)
            finally:
                connections.close_all()

        def take_turn(worker: int, *, now: datetime, pivot: int) -> None:
            said = ["4 random", "3, 5, 7 and 9", "9, 5 and 3", "2 random", "CANCEL"]
            for place, chat in enumerate(chats[worker]):
                chat.now = now
                receive_text(chat, said[(place + worker + pivot) % len(said)])
            ids: Sequence[int] = [chat.contact.pk for chat in chats[worker]]
            if not worker:
                answer_alone(ids, now=now, pivot=pivot)
            while worker and ids:
                result = answer_batch(ids, now=now, pivot=pivot)
                left.append(result.left)
                ids = result.postponed

        with ThreadPoolExecutor(workers) as threads:
            for done in [threads.submit(take_turns, worker) for worker in range(workers)]:
                done.result(timeout=60)

        assert left == [()] * len(left), "a batch that collides leaves its contacts"
        assert set(list_statuses()) == {InboxStatus.PROCESSED}
        assert inventory.find_inventory_problems() == []
        assert Order.objects.filter(raffle=raffle).count() > rounds
