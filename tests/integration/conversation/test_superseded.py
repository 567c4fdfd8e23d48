"""Tests of messages that a change of their order makes untrue."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import pytest
from django.db import transaction

from shared.conversation.superseded import UNTRUE_KEYS_BY_ACTION
from shared.core.enums import OrderAction, OutboxKind, OutboxStatus, RejectReason
from shared.raffles.models import Order
from shared.raffles.services import history, locks, orders
from shared.use_cases import order_endings, payments
from shared.whatsapp import messages
from shared.whatsapp.models import OutboundMessage
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.outbox import message_claims, outbox_queue
from shared.whatsapp.services.outbox.message_status import SUPERSEDED
from tests import builders
from tests.builders import MINUTE, NOON, build_staff_actor
from tests.integration.conversation.chat import BuyerChat

pytestmark = pytest.mark.django_db

KEYS: Final = (
    "held",
    "more_time",
    "how_to_pay",
    "still_to_pay",
    "rejected",
    "asked_again",
    "back_again",
    "proof_received",
    "proof_added",
    "late_proof",
    "paid",
    "expired",
    "cancelled_by_seller",
    "unconfirmed",
)
ACKNOWLEDGEMENTS: Final = {"proof_received", "proof_added", "late_proof"}
ASKING: Final = set(KEYS[:7])


@pytest.fixture
def chat() -> BuyerChat:
    builders.create_raffle(numbers=30)
    return BuyerChat()


def close_window(chat: BuyerChat) -> datetime:
    """Let a day pass; return the time, at which what is queued is withheld."""
    return chat.later(hours=25).now


def withhold_queued(chat: BuyerChat) -> None:
    """Let the gateway find that the window is closed."""
    message_claims.settle_closed_windows({chat.contact.pk}, now=chat.now)


def list_waiting_keys(chat: BuyerChat) -> list[str]:
    """List the keys of the messages that will still be sent."""
    waiting = (OutboxStatus.QUEUED, OutboxStatus.WITHHELD)
    return [message.key for message in chat.list_messages() if message.status in waiting]


def list_untrue_keys(chat: BuyerChat) -> set[str]:
    """List the keys of the messages that were withdrawn."""
    stale = OutboundMessage.objects.filter(contact=chat.contact, status=OutboxStatus.STALE)
    assert set(stale.values_list("error", flat=True)) <= {SUPERSEDED}
    return set(stale.values_list("key", flat=True))


def list_expected_untrue_keys(action: OrderAction) -> set[str]:
    """List the keys of the messages that an action makes untrue."""
    match action:
        case (
            OrderAction.HELD
            | OrderAction.CONTACT_CHANGED
            | OrderAction.TIME_EXTENDED
            | OrderAction.ERASED
            | OrderAction.NOTE_ADDED
            | OrderAction.PROOF_DISMISSED
        ):
            return set()
        case OrderAction.PLACED:
            return {"held", "more_time"}
        case OrderAction.TIME_GIVEN:
            return {"more_time"}
        case OrderAction.PROOF_RECEIVED:
            return ASKING
        case _:
            return set(KEYS)


class TestActions:
    @pytest.mark.parametrize("status", [OutboxStatus.QUEUED, OutboxStatus.WITHHELD])
    def test_withdraw_what_they_make_untrue(self, chat: BuyerChat, status: OutboxStatus) -> None:
        order = chat.buys()
        OutboundMessage.objects.update(status=OutboxStatus.SENT)
        for about in (str(order), "R-OTHER"):
            for key in KEYS:
                with transaction.atomic():
                    outbox_queue.enqueue_message(
                        contacts.lock_contact(chat.contact.pk),
                        messages.build_text(key),
                        key=key,
                        kind=OutboxKind.NOTICE,
                        now=NOON,
                        about=about,
                    )
        OutboundMessage.objects.filter(status=OutboxStatus.QUEUED).update(status=status)

        for action in OrderAction:
            with transaction.atomic():
                contacts.lock_contact(chat.contact.pk)
                history.record_order_event(
                    locks.lock_order(order.pk), action=action, by=build_staff_actor(), now=NOON
                )
                untrue, waiting = list_untrue_keys(chat), list_waiting_keys(chat)
                transaction.set_rollback(True)

            assert untrue == list_expected_untrue_keys(action), action
            assert len(waiting) == 2 * len(KEYS) - len(untrue), action

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize("action", OrderAction)
    def test_have_a_place_in_the_mapping(self, action: OrderAction) -> None:
        keys = UNTRUE_KEYS_BY_ACTION[action]
        assert keys is None or not ACKNOWLEDGEMENTS & set(keys)


def ask_again(order: Order, now: datetime) -> None:
    payments.ask_for_better_proof(order.pk, note="", by=build_staff_actor(), now=now)


def reject(order: Order, now: datetime) -> None:
    payments.reject_payment(
        order.pk, reason=RejectReason.ILLEGIBLE, note="", by=build_staff_actor(), now=now
    )


def confirm(order: Order, now: datetime) -> None:
    payments.confirm_payment(order.pk, by=build_staff_actor(), now=now)


def cancel(order: Order, now: datetime) -> None:
    order_endings.cancel_order(order.pk, by=build_staff_actor(), now=now)


def expire(_: Order, now: datetime) -> None:
    assert order_endings.expire_due_orders(now=now) == 1


class TestStory:
    @pytest.mark.parametrize(
        ("changes", "key"),
        [
            ([ask_again, reject], "rejected"),
            ([ask_again, confirm], "paid"),
            ([reject, confirm], "paid"),
            ([ask_again, cancel], "cancelled_by_seller"),
            ([reject, expire], "expired"),
            ([reject, expire, confirm], "paid"),
            ([cancel, confirm], "paid"),
        ],
    )
    def test_a_buyer_who_was_away_reads_only_what_is_true_now(
        self, chat: BuyerChat, changes: list[Callable[[Order, datetime], None]], key: str
    ) -> None:
        order = chat.buys()
        chat.sends_picture()
        OutboundMessage.objects.update(status=OutboxStatus.SENT)
        close_window(chat)
        for change in changes:
            change(order, chat.later(hours=1).now)
            withhold_queued(chat)

        assert list_waiting_keys(chat) == [key]
        chat.later(minutes=1).says("hi")

        news = [message for message in chat.list_messages() if message.key == key][-1]
        assert news.status == OutboxStatus.QUEUED
        assert list_waiting_keys(chat)[0] == key

    @pytest.mark.same_everywhere
    def test_an_album_is_acknowledged_even_before_anything_was_sent(self, chat: BuyerChat) -> None:
        chat.buys()
        for _ in range(3):
            chat.later(seconds=1).sends_picture()

        acknowledged = [key for key in list_waiting_keys(chat) if key == "proof_received"]
        assert acknowledged == ["proof_received"]
        assert "how_to_pay" not in list_waiting_keys(chat)

    @pytest.mark.same_everywhere
    def test_an_album_for_an_order_that_is_over_is_acknowledged_once(self, chat: BuyerChat) -> None:
        order = chat.buys(numbers="07, 08 and 09")
        expire(order, chat.later(minutes=40).now)
        BuyerChat(now=chat.now).buys(numbers="07")
        for _ in range(3):
            chat.later(seconds=1).sends_picture()

        assert [key for key in list_waiting_keys(chat) if key == "late_proof"] == ["late_proof"]
        assert "expired" not in list_waiting_keys(chat)

    def test_a_hold_that_was_replaced_is_not_offered_any_more(self, chat: BuyerChat) -> None:
        chat.says("hi")
        chat.says("3 random")
        chat.taps("Other numbers")

        held = [message for message in chat.list_messages() if message.key == "held"]
        assert [message.status for message in held] == [OutboxStatus.STALE, OutboxStatus.QUEUED]
        assert held[1].about == chat.order().code

    def test_a_change_that_is_rolled_back_withdraws_nothing(self, chat: BuyerChat) -> None:
        order = chat.buys()

        def fail() -> None:
            with transaction.atomic():
                contacts.lock_contact(chat.contact.pk)
                orders.cancel(locks.lock_order(order.pk), by=build_staff_actor(), now=NOON + MINUTE)
                raise LookupError

        with pytest.raises(LookupError):
            fail()

        assert "how_to_pay" in list_waiting_keys(chat)

    @pytest.mark.same_everywhere
    def test_news_on_time_are_not_touched(self, chat: BuyerChat) -> None:
        order = chat.buys()
        chat.sends_picture()
        OutboundMessage.objects.update(status=OutboxStatus.SENT)

        confirm(order, chat.later(minutes=1).now)

        assert list_waiting_keys(chat) == ["paid"]
        assert list_untrue_keys(chat) == set()
