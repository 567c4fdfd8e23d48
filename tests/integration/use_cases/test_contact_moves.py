"""Tests of the move of contacts to another business number, and of its command."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from shared.conversation.answering import waiting_messages
from shared.core.enums import OutboxKind, OutboxStatus, ProofStatus
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.use_cases.contacts import contact_moves
from shared.use_cases.contacts.contact_moves import MoveResult, NumberChange
from shared.whatsapp.graph_errors import judge_send_error
from shared.whatsapp.models import (
    BusinessNumber,
    ContactAlias,
    InboundMessage,
    OutboundMessage,
    WhatsAppContact,
)
from shared.whatsapp.services.outbox import send_results
from tests import builders
from tests.builders import NOON, PHONE_NUMBER_ID, build_staff_actor
from tests.integration.conversation.chat import BuyerChat
from tests.integration.whatsapp.outbox_builders import claim_message, queue_message
from tests.integration.whatsapp.webhook_builders import (
    build_message,
    build_webhook,
    store_webhooks,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_inventory_after")]

NEW = "2"
PHONE, OTHER_PHONE, THIRD_PHONE = "15550100001", "15550100002", "15550100003"
CHANGE = NumberChange(PHONE_NUMBER_ID, NEW)
PAUSES = judge_send_error(code=100, subcode=33, http_status=400)
BY: dict[str, Any] = {"by": build_staff_actor(), "now": NOON}


def run_command(*arguments: str) -> str:
    said = StringIO()
    call_command("move_contacts", *arguments, stdout=said)
    return said.getvalue()


def list_keys() -> list[tuple[str, str | None, str | None]]:
    rows = WhatsAppContact.objects.filter(joined_into=None).order_by("pk")
    return list(rows.values_list("phone_number_id", "user_id", "wa_id"))


class TestMove:
    def test_contacts_go_on_with_their_orders_messages_and_raffles(self) -> None:
        raffle = builders.create_raffle(phone_number_id=PHONE_NUMBER_ID)
        chat = BuyerChat(builders.create_contact(wa_id=PHONE, user_id="US.2"))
        ContactAlias.objects.create(
            phone_number_id=PHONE_NUMBER_ID, user_id="US.1", contact=chat.contact
        )
        order = chat.buys()
        withheld = queue_message(chat.contact, kind=OutboxKind.NOTICE, status=OutboxStatus.WITHHELD)

        assert contact_moves.move_contacts(CHANGE, **BY) == MoveResult(1, 0, 1)

        assert list_keys() == [(NEW, "US.2", PHONE)]
        withheld.refresh_from_db()
        assert withheld.phone_number_id == NEW
        unsent = OutboundMessage.objects.exclude(status=OutboxStatus.STALE)
        assert set(unsent.values_list("phone_number_id", flat=True)) == {NEW}
        assert Raffle.objects.get(pk=raffle.pk).phone_number_id == NEW
        store_webhooks(
            build_webhook(build_message("wamid.n", phone=None, user_id="US.1"), number=NEW)
        )
        assert InboundMessage.objects.get(wa_message_id="wamid.n").contact == chat.contact
        waiting_messages.answer_waiting_messages(chat.contact.pk, now=NOON, pivot=1)
        assert OutboundMessage.objects.latest("pk").phone_number_id == NEW
        assert Order.objects.get(pk=order.pk).contact == chat.contact
        assert contact_moves.move_contacts(CHANGE, **BY) == MoveResult(0, 0, 0)

    @pytest.mark.parametrize(
        ("old_keys", "new_keys"),
        [
            ({"wa_id": PHONE, "user_id": "US.1"}, {"wa_id": PHONE, "user_id": "US.1"}),
            ({"wa_id": PHONE, "user_id": "US.1"}, {"wa_id": OTHER_PHONE, "user_id": "US.1"}),
            ({"wa_id": PHONE, "user_id": "US.1"}, {"wa_id": PHONE, "user_id": None}),
            ({"wa_id": PHONE, "user_id": None}, {"wa_id": PHONE, "user_id": "US.1"}),
        ],
    )
    def test_a_buyer_who_wrote_to_the_new_number_gets_one_contact(
        self, old_keys: dict[str, Any], new_keys: dict[str, Any]
    ) -> None:
        builders.create_raffle()
        chat = BuyerChat(builders.create_contact(**old_keys))
        order = chat.buys()
        there = builders.create_contact(phone_number_id=NEW, **new_keys)

        assert contact_moves.plan_move(CHANGE).joins == 1
        assert contact_moves.move_contacts(CHANGE, **BY) == MoveResult(0, 1, 0)

        order.refresh_from_db()
        assert order.contact == there
        assert list_keys() == [(NEW, "US.1", new_keys["wa_id"])]
        queued = OutboundMessage.objects.filter(status=OutboxStatus.QUEUED)
        assert set(queued.values_list("phone_number_id", "contact")) == {(NEW, there.pk)}

    def test_a_stranger_with_the_same_phone_is_left_alone(self) -> None:
        builders.create_contact(wa_id=PHONE, user_id="US.1")
        builders.create_contact(wa_id=PHONE, user_id="US.9", phone_number_id=NEW)
        before = list_keys()

        assert contact_moves.plan_move(CHANGE).strangers == 1
        assert contact_moves.move_contacts(CHANGE, **BY) == MoveResult(0, 0, 0)
        assert list_keys() == before

    def test_to_another_portfolio_contacts_are_known_by_their_phones(self) -> None:
        change = NumberChange(PHONE_NUMBER_ID, NEW, same_user_ids=False)
        builders.create_contact(wa_id=PHONE, user_id="US.1")
        builders.create_contact(wa_id=None, user_id="US.2")
        builders.create_contact(wa_id=OTHER_PHONE, user_id="US.3")
        builders.create_contact(wa_id=OTHER_PHONE, user_id="US.X", phone_number_id=NEW)

        assert contact_moves.move_contacts(change, **BY) == MoveResult(2, 1, 0)

        assert list_keys() == [
            (NEW, None, PHONE),
            (NEW, "US.2", None),
            (NEW, "US.X", OTHER_PHONE),
        ]

    def test_many_contacts_move_in_several_transactions(self) -> None:
        count = contact_moves.CONTACTS_PER_TRANSACTION + 3
        WhatsAppContact.objects.bulk_create(
            WhatsAppContact(
                phone_number_id=PHONE_NUMBER_ID, wa_id=f"1555{place:07d}", created_at=NOON
            )
            for place in range(count)
        )

        assert contact_moves.move_contacts(CHANGE, **BY).contacts == count

    def test_a_refusal_of_the_old_number_does_not_pause_the_new_one(self) -> None:
        queue_message(builders.create_contact())
        claimed = claim_message()
        contact_moves.move_contacts(CHANGE, **BY)

        send_results.record_failure(
            claimed, judgement=PAUSES, code=100, words="", jitter=0, now=NOON
        )

        paused = BusinessNumber.objects.exclude(paused_at=None)
        assert [number.phone_number_id for number in paused] == [PHONE_NUMBER_ID]
        message = OutboundMessage.objects.get()
        assert (message.phone_number_id, message.status) == (NEW, OutboxStatus.QUEUED)


class TestCommand:
    def test_without_yes_says_what_it_would_do_and_changes_nothing(self) -> None:
        builders.create_raffle(phone_number_id=PHONE_NUMBER_ID)
        contact = builders.create_contact(wa_id=PHONE)
        queue_message(contact)
        PaymentProof.objects.create(
            contact=contact,
            phone_number_id=PHONE_NUMBER_ID,
            status=ProofStatus.FETCHING,
            arrived_at=NOON,
        )
        before = list_keys()

        said = run_command(PHONE_NUMBER_ID, NEW)

        assert "1 contacts go on with 2" in said
        assert "1 unsent messages" in said
        assert "1 payment proofs are still to be fetched" in said
        assert "Nothing was changed. Add --yes" in said
        assert list_keys() == before
        assert Raffle.objects.get().phone_number_id == PHONE_NUMBER_ID

    def test_with_yes_moves(self) -> None:
        builders.create_contact(wa_id=PHONE)

        assert "Moved 1 contacts and 0 raffles, joined 0." in run_command(
            PHONE_NUMBER_ID, NEW, "--yes"
        )
        assert list_keys() == [(NEW, None, PHONE)]

    def test_to_another_portfolio_drops_user_ids(self) -> None:
        builders.create_contact(wa_id=PHONE, user_id="US.1")

        run_command(PHONE_NUMBER_ID, NEW, "--other-portfolio", "--yes")

        assert list_keys() == [(NEW, None, PHONE)]

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ((PHONE_NUMBER_ID, PHONE_NUMBER_ID), "the same"),
            (("+15550100", NEW), "digits only"),
            ((PHONE_NUMBER_ID, "999"), "not in META_PHONE_NUMBER_ID"),
        ],
    )
    def test_refuses_numbers_that_make_no_sense(
        self, arguments: tuple[str, ...], words: str
    ) -> None:
        with pytest.raises(CommandError, match=words):
            run_command(*arguments, "--yes")
