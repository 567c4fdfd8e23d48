"""Tests of finding, exporting and erasing one buyer on request."""

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db.models import Sum

from shared.core.constants import ERASED_BUYER
from shared.core.enums import InboxStatus, OutboxStatus, RaffleStatus
from shared.core.errors import DomainError
from shared.raffles.models import ErasedFile, LedgerEntry, Order, PaymentProof, Raffle
from shared.raffles.services.ticket_numbers import inventory
from shared.use_cases import payments
from shared.use_cases.contacts import buyer_erasure, buyer_export, buyers
from shared.use_cases.errors import BuyerErased, BuyerMessageUnderWay, BuyerNotFound
from shared.whatsapp.models import (
    Alarm,
    ContactAlias,
    InboundMessage,
    OutboundMessage,
    ReceivedWebhook,
    WhatsAppContact,
)
from shared.whatsapp.services import alarms
from shared.whatsapp.services.inbox import received_webhooks
from shared.whatsapp.services.inbox.received_webhooks import SignedBody
from tests import builders
from tests.builders import MINUTE, NOON, build_staff_actor
from tests.integration.conversation.chat import BuyerChat
from tests.integration.use_cases import personal_data
from tests.integration.use_cases.personal_data import (
    PHONE,
    Story,
    dump_rows,
    find_secrets,
    says,
    tell_story,
    write_and_answer,
)

LATER = NOON + 60 * MINUTE
BY: dict[str, Any] = {"by": build_staff_actor(), "now": LATER}

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("private_storage")]


def list_files(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def story() -> Story:
    """A buyer in every table, and another one beside her; the raffle is over."""
    raffle = builders.create_raffle()
    order = BuyerChat(builders.create_contact(wa_id="15550100077", profile_name="Bo")).buys()
    payments.confirm_payment(order.pk, money_seen=True, reason="seen", **BY)
    told = tell_story(raffle)
    Raffle.objects.update(status=RaffleStatus.CLOSED, draw_at=NOON)
    return told


class TestErasure:
    def test_leaves_nothing_of_the_person_and_everything_of_the_sale(
        self, story: Story, files_folder: Path
    ) -> None:
        before = dump_rows()
        money = LedgerEntry.objects.values("kind").annotate(sum=Sum("amount")).order_by("kind")
        sums = list(money)
        assert {word for words in find_secrets(before).values() for word in words} == {
            *personal_data.SECRETS
        }, "the story is to leave every secret somewhere"
        assert list_files(files_folder)

        buyer = buyers.find_buyer("+1 555 010 0001")
        plan = buyer_erasure.plan_erasure(buyer, now=LATER)
        erased = buyer_erasure.erase_buyer(buyer, **BY)

        after = dump_rows()
        assert find_secrets(after) == {}
        assert list_files(files_folder) == []
        assert not ErasedFile.objects.exists()
        assert (plan.messages, plan.orders, plan.proofs) == (erased.messages, 3, 3)
        assert plan.drawn == (str(story.paid), str(story.cash))
        assert list(money) == sums
        assert inventory.find_inventory_problems() == []
        theirs = set(find_secrets(before)) | {
            (model, pk)
            for model, ids in (
                ("WhatsAppContact", buyer.contact_ids),
                ("Order", buyer.order_ids),
                ("PaymentProof", buyer.proof_ids),
            )
            for pk in ids
        }
        changed = {key for key, text in before.items() if after.get(key) != text}
        about_her = {
            key
            for key in changed - theirs
            if f'"contact_id": {story.contact.pk}' in before[key]
            or any(f'"order_id": {pk}' in before[key] for pk in buyer.order_ids)
            or any(f'"proof_id": {pk}' in before[key] for pk in buyer.proof_ids)
            or key[0] == "JoinSuggestion"
        }
        assert changed - theirs - about_her == set(), "rows of others stay byte for byte"
        orders = Order.objects.filter(pk__in=buyer.order_ids)
        assert [order.status for order in orders.order_by("pk")] == ["CANCELLED", "PAID", "PAID"]
        assert {str(order.contact or order.buyer_name) for order in orders} == {ERASED_BUYER}

    def test_is_done_once_and_a_phone_that_writes_again_is_a_new_contact(
        self, story: Story
    ) -> None:
        buyer = buyers.find_buyer(str(story.paid))
        assert buyer == buyers.find_buyer(PHONE) == buyers.find_buyer("US.4711Quetzal")
        WhatsAppContact.objects.filter(pk=story.contact.pk).update(adult_confirmed_at=NOON)
        buyer_erasure.erase_buyer(buyer, **BY)

        story.contact.refresh_from_db()
        assert story.contact.adult_confirmed_at == NOON, "its orders were sold to an adult"
        with pytest.raises(BuyerErased):
            buyers.find_buyer_of_contact(story.contact.pk)
        for key in (PHONE, "US.4711Quetzal", "R-NONE", " "):
            with pytest.raises(BuyerNotFound):
                buyers.find_buyer(key)
        late = InboundMessage.objects.create(  # stored while the erasure was committed
            phone_number_id=story.contact.phone_number_id,
            wa_message_id="late",
            dedupe_key="late",
            contact=story.contact,
            type="text",
            payload=says("hi"),
            sent_at=LATER,
            received_at=LATER,
        )
        assert BuyerChat(story.contact, now=LATER).answer_waiting() == []
        late.refresh_from_db()
        assert late.contact is not None
        assert late.contact.wa_id == PHONE
        assert BuyerChat(late.contact, now=LATER).answer_waiting()
        assert write_and_answer(says("hi")).contact == late.contact
        assert not OutboundMessage.objects.filter(contact=story.contact).exists()

    def test_also_erases_a_cash_buyer_without_a_chat(self) -> None:
        raffle = builders.create_raffle(status=RaffleStatus.CLOSED, draw_at=NOON)
        order = builders.create_order_row(
            raffle, status="PAID", buyer_name="Bo", buyer_phone="0 555-77", code="R-3"
        )
        with pytest.raises(BuyerNotFound):
            buyers.find_buyer("0 555-77")  # without its country code it may be anybody's
        alarms.sound_alarm("anything", title="?", detail="another 0 555-77", now=NOON)

        buyer_erasure.erase_buyer(buyers.find_buyer(str(order)), **BY)

        order.refresh_from_db()
        assert (order.buyer_name, order.buyer_phone) == (ERASED_BUYER, "")
        assert Alarm.objects.get().detail, "logs are not searched for a text that is no number"
        with pytest.raises(BuyerErased):
            buyers.find_buyer(str(order))


class TestRefusal:
    @pytest.mark.parametrize(
        ("code", "fields"),
        [
            ("buyer_has_open_order", {"status": "PENDING_PAYMENT", "expires_at": LATER}),
            ("buyer_has_open_order", {"status": "EXPIRED", "needs_decision": True}),
            ("buyer_in_undrawn_raffle", {"status": "PAID"}),
            ("buyer_is_owed_money", {"status": "PAID", "raffle__status": "CANCELLED"}),
            ("buyer_in_undrawn_raffle", {"status": "PAID", "raffle__status": "SEALED"}),
            (
                "buyer_in_undrawn_raffle",
                {"status": "PAID", "raffle__status": "CLOSED", "raffle__draw_at": None},
            ),
        ],
    )
    def test_names_the_order_and_changes_nothing(self, code: str, fields: dict[str, Any]) -> None:
        terms = {key.removeprefix("raffle__"): fields[key] for key in fields if "__" in key}
        raffle = builders.create_raffle(**terms)
        contact = builders.create_contact()
        rest = {key: value for key, value in fields.items() if "__" not in key}
        order = builders.create_order_row(raffle, contact=contact, code="R-1", **rest)
        self.check_refusal(contact, code, orders=[str(order)])

    def test_for_a_receipt_that_waits_even_one_without_an_order(self) -> None:
        raffle = builders.create_raffle(status=RaffleStatus.CLOSED, draw_at=NOON)
        friend, contact = builders.create_contact(), builders.create_contact()
        paid = builders.create_order_row(raffle, contact=friend, status="PAID", code="R-2")
        fields: dict[str, Any] = {"contact": contact, "arrived_at": NOON, "status": "KEPT"}
        proof = PaymentProof.objects.create(**fields)
        self.check_refusal(contact, "buyer_has_undecided_receipt", proof_ids=[proof.pk])
        PaymentProof.objects.filter(pk=proof.pk).update(order=paid)
        self.check_refusal(contact, "buyer_has_undecided_receipt", orders=["R-2"])
        PaymentProof.objects.filter(pk=proof.pk).update(status="FAILED")

        buyer_erasure.erase_buyer(buyers.find_buyer_of_contact(contact.pk), **BY)

        paid.refresh_from_db()
        assert paid.erased_at is None, "it is the order of another buyer"
        proof.refresh_from_db()
        assert proof.status == "FAILED", "nobody has to decide about it afterwards"

    def test_while_a_message_is_under_way(self) -> None:
        chat = BuyerChat()
        builders.create_raffle()
        message = chat.receives("text", {"text": {"body": "hi"}})
        self.check_refusal(chat.contact, BuyerMessageUnderWay.code)
        InboundMessage.objects.filter(pk=message.pk).update(status=InboxStatus.FAILED)
        chat.says("hi")
        OutboundMessage.objects.update(status=OutboxStatus.UNKNOWN)
        self.check_refusal(chat.contact, BuyerMessageUnderWay.code)
        OutboundMessage.objects.update(status=OutboxStatus.SENT)
        unread = SignedBody(f'{{"from": "{chat.contact.wa_id}"'.encode(), "c0ffee")
        received_webhooks.keep_bodies([unread], now=NOON)
        self.check_refusal(chat.contact, BuyerMessageUnderWay.code)
        ReceivedWebhook.objects.all().delete()
        OutboundMessage.objects.update(status=OutboxStatus.QUEUED)

        buyer_erasure.erase_buyer(buyers.find_buyer_of_contact(chat.contact.pk), **BY)

        assert not OutboundMessage.objects.exists(), "what was queued is not sent"

    def check_refusal(self, contact: WhatsAppContact, code: str, **details: Any) -> None:
        before = dump_rows()
        buyer = buyers.find_buyer_of_contact(contact.pk)
        with pytest.raises(DomainError) as refusal:
            buyer_erasure.erase_buyer(buyer, **BY)
        assert refusal.value.code == code
        assert {key: refusal.value.details[key] for key in details} == details
        assert dump_rows() == before
        planned = buyer_erasure.plan_erasure(buyer, now=LATER).refusals
        assert [each.code for each in planned] == [code]


class TestSearch:
    def test_finds_all_contacts_of_a_person_from_any_of_them(self) -> None:
        """Ids at Meta are the same on all numbers of a business; a phone number may be hidden."""
        first = builders.create_contact(wa_id=PHONE, user_id="US.1")
        hidden = builders.create_contact(phone_number_id="2", wa_id=None, user_id="US.1")
        later = builders.create_contact(phone_number_id="3", wa_id=None, user_id="US.2")
        ContactAlias.objects.create(phone_number_id="3", user_id="US.1", contact=later)
        stranger = builders.create_contact(phone_number_id="2", wa_id=None, user_id="US.3")
        cash = builders.create_order_row(
            builders.create_raffle(), status="PAID", buyer_phone=f"+{PHONE}", code="R-4"
        )

        for contact in (first, hidden, later):
            buyer = buyers.find_buyer_of_contact(contact.pk)
            assert buyer.contact_ids == (first.pk, hidden.pk, later.pk)
            assert buyer.order_ids == (cash.pk,)
        for key in (PHONE, "US.1", "US.2"):
            assert buyers.find_buyer(key) == buyer
        assert buyers.find_buyer("US.3").contact_ids == (stranger.pk,)


class TestExport:
    def test_has_no_receipt_of_a_friend_who_paid(self) -> None:
        raffle, name = builders.create_raffle(), storages["proofs"].save("f.pdf", ContentFile(b"f"))
        buyer = builders.create_contact(adult_confirmed_at=NOON)
        friend = builders.create_contact()
        order = builders.create_order_row(raffle, contact=buyer, status="PAID", code="R-5")
        PaymentProof.objects.create(
            order=order,
            contact=friend,
            arrived_at=NOON,
            caption="from my account",
            wa_message_id="wamid.friend",
            file=name,
            status="KEPT",
            verdict="ACCEPTED",
            note="Bo's account",
        )

        def export(contact: WhatsAppContact) -> tuple[int, dict[str, Any]]:
            target = BytesIO()
            found = buyers.find_buyer_of_contact(contact.pk)
            files = buyer_export.write_buyer_archive(found, target, now=LATER)
            with zipfile.ZipFile(target) as archive:
                return files, json.loads(archive.read(buyer_export.DATA_NAME))

        files, data = export(buyer)
        assert (files, data["payment_proofs"]) == (0, [])
        assert data["contacts"][0]["adult_confirmed_at"] == "2026-11-22T12:00:00Z"
        assert [each["verdict"] for each in data["orders"][0]["proofs"]] == ["ACCEPTED"]
        assert "account" not in json.dumps(data)
        files, data = export(friend)
        assert (files, data["payment_proofs"][0]["caption"]) == (1, "from my account")
        assert data["orders"] == []
