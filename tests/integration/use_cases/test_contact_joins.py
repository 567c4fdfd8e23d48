"""Tests of joining two contacts of one person, and of undoing it."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection

from shared.conversation.answering import waiting_messages
from shared.core.deadlocks import is_deadlock
from shared.core.enums import OrderAction, OrderStatus, State
from shared.core.errors import DomainError
from shared.events.models import Event
from shared.raffles.models import Order, OrderEvent, PaymentProof
from shared.raffles.services.ticket_numbers import inventory
from shared.use_cases import order_endings, orphan_proofs, payments
from shared.use_cases.contacts import contact_joins, handover
from shared.whatsapp.errors import (
    ContactAlreadyJoined,
    JoinAlreadyUndone,
    JoinNotUndoable,
    OtherBusinessNumber,
    SameContact,
)
from shared.whatsapp.models import (
    Alarm,
    ContactAlias,
    ContactJoin,
    InboundMessage,
    JoinSuggestion,
    OutboundMessage,
    UnreadableItem,
    WhatsAppContact,
)
from shared.whatsapp.services.inbox import contacts
from tests import builders
from tests.builders import MINUTE, NOON, build_staff_actor
from tests.integration.concurrency import run_at_once
from tests.integration.conversation.chat import BuyerChat
from tests.integration.whatsapp.webhook_builders import (
    build_message,
    build_webhook,
    store_webhooks,
)

OLD_PHONE, NEW_PHONE = "15550100001", "15550100002"
LATER = NOON + MINUTE
ACTOR = build_staff_actor()
BY: dict[str, Any] = {"by": ACTOR, "now": LATER}


def create_pair(**joined: Any) -> tuple[BuyerChat, BuyerChat]:
    """Return the chats of one person with an old and a new phone number; the new one is later."""
    old = builders.create_contact(wa_id=OLD_PHONE, user_id="US.1", profile_name="Ana old")
    fields = {"wa_id": NEW_PHONE, "user_id": "US.2", "profile_name": "Ana new", **joined}
    return BuyerChat(old), BuyerChat(builders.create_contact(**fields), now=LATER)


def dump() -> dict[str, list[Any]]:
    """Return everything that a join changes, except histories."""
    models = (WhatsAppContact, ContactAlias, Order, PaymentProof, InboundMessage, OutboundMessage)
    rows = {model.__name__: [*model._default_manager.order_by("pk").values()] for model in models}
    for alias in rows["ContactAlias"]:
        del alias["id"]
    return rows


@pytest.mark.django_db
@pytest.mark.usefixtures("check_inventory_after")
class TestJoin:
    def test_gives_one_contact_everything_and_tells_nobody(self) -> None:
        raffle = builders.create_raffle()
        old, new = create_pair()
        paid, waiting = old.buys(), new.buys()
        payments.confirm_payment(paid.pk, by=ACTOR, now=NOON)
        new.sends_picture()
        told, events = OutboundMessage.objects.count(), Event.objects.count()

        join = contact_joins.join_contacts(old.contact.pk, new.contact.pk, **BY)

        kept = old.contact
        kept.refresh_from_db()
        assert (kept.user_id, kept.wa_id, kept.profile_name) == ("US.2", NEW_PHONE, "Ana new")
        assert (kept.state, kept.last_inbound_at) == (State.DONE, LATER)
        assert ContactAlias.objects.get().user_id == "US.1"
        for model in (Order, PaymentProof, InboundMessage, OutboundMessage):
            assert {row.contact_id for row in model._default_manager.all()} == {kept.pk}
        assert (OutboundMessage.objects.count(), Event.objects.count()) == (told, events)
        waiting.refresh_from_db()
        assert (waiting.status, waiting.under_review) == (OrderStatus.PENDING_PAYMENT, True)
        note = OrderEvent.objects.get(action=OrderAction.CONTACT_CHANGED)
        assert (note.order, note.actor_label) == (waiting, ACTOR.label)
        assert note.reason == "Ana new was joined into Ana old"
        assert (join.kept, join.by) == (kept, ACTOR.label)
        assert raffle.numbers.filter(status="SOLD").count() == 3

    def test_then_finds_the_contact_by_either_user_id_and_answers_it(self) -> None:
        builders.create_raffle()
        old, new = create_pair()
        contact_joins.join_contacts(old.contact.pk, new.contact.pk, **BY)

        store_webhooks(
            build_webhook(build_message("wamid.a", phone=None, user_id="US.1", at=LATER)),
            build_webhook(build_message("wamid.b", phone=NEW_PHONE, user_id="US.2", at=LATER)),
        )

        senders = InboundMessage.objects.values_list("contact", flat=True)
        assert set(senders) == {old.contact.pk}
        assert not Alarm.objects.exists()
        assert (
            waiting_messages.answer_waiting_messages(old.contact.pk, now=LATER, pivot=1).messages
            == 2
        )

    def test_keeps_the_ids_and_the_conversation_of_whoever_wrote_last(self) -> None:
        builders.create_raffle()
        old, new = create_pair(last_inbound_at=NOON - timedelta(days=9))
        old.says("hi")

        contact_joins.join_contacts(new.contact.pk, old.contact.pk, **BY)

        kept = WhatsAppContact.objects.get(pk=new.contact.pk)
        assert (kept.user_id, kept.wa_id, kept.state) == ("US.1", OLD_PHONE, State.CHOOSE_MODE)

    @pytest.mark.parametrize("kept", ["old", "new"])
    def test_goes_on_with_the_phone_that_whatsapp_announced_though_it_never_wrote(
        self, kept: str
    ) -> None:
        old, new = create_pair(user_id=None, last_inbound_at=None)
        system = {"type": "user_changed_number", "wa_id": NEW_PHONE}
        store_webhooks(build_webhook(build_message(type="system", system=system)))
        first, second = (old, new) if kept == "old" else (new, old)

        contact_joins.join_contacts(first.contact.pk, second.contact.pk, **BY)
        store_webhooks(build_webhook(build_message("wamid.next", phone=NEW_PHONE, user_id="US.3")))

        contact = WhatsAppContact.objects.get(pk=first.contact.pk)
        assert (contact.wa_id, contact.user_id) == (NEW_PHONE, "US.3")
        assert InboundMessage.objects.get(wa_message_id="wamid.next").contact == contact
        assert ContactAlias.objects.get().user_id == "US.1"
        assert not contact.identity_conflict

    def test_fills_in_what_whoever_wrote_last_lacks(self) -> None:
        old, new = create_pair(wa_id=None, last_inbound_at=NOON)

        contact_joins.join_contacts(old.contact.pk, new.contact.pk, **BY)

        kept = WhatsAppContact.objects.get(pk=old.contact.pk)
        assert (kept.user_id, kept.wa_id) == ("US.2", OLD_PHONE)

    @pytest.mark.parametrize("blocked", ["kept", "joined"])
    def test_of_a_blocked_contact_stays_blocked(self, blocked: str) -> None:
        old, new = create_pair(is_blocked=blocked == "joined")
        WhatsAppContact.objects.filter(pk=old.contact.pk).update(is_blocked=blocked == "kept")

        contact_joins.join_contacts(old.contact.pk, new.contact.pk, **BY)

        assert WhatsAppContact.objects.get(pk=old.contact.pk).is_blocked

    def test_keeps_the_first_time_at_which_either_said_to_be_an_adult(self) -> None:
        old, new = create_pair(adult_confirmed_at=NOON)
        before = dump()

        join = contact_joins.join_contacts(old.contact.pk, new.contact.pk, **BY)
        joined = WhatsAppContact.objects.get(pk=old.contact.pk).adult_confirmed_at
        for side in join.before.values():  # as a join before there was such a time
            del side["adult_confirmed_at"]
        join.save()
        contact_joins.undo_join(join.pk, **BY)

        assert joined == NOON
        WhatsAppContact.objects.filter(pk=old.contact.pk).update(adult_confirmed_at=None)
        assert dump() == before

    def test_settles_the_suggestion_and_its_alarm(self) -> None:
        old, new = create_pair(user_id=None)
        system = {"type": "user_changed_number", "wa_id": NEW_PHONE}
        store_webhooks(build_webhook(build_message(type="system", system=system)))
        assert JoinSuggestion.objects.get().settled_at is None

        contact_joins.join_contacts(new.contact.pk, old.contact.pk, **BY)

        assert JoinSuggestion.objects.get().settled_by == ACTOR.label
        assert not Alarm.objects.filter(resolved_at=None).exists()
        assert not WhatsAppContact.objects.filter(identity_conflict=True).exists()

    @pytest.mark.parametrize(
        ("choose", "refusal"),
        [
            (lambda old, new: (old, old), SameContact),
            (lambda old, new: (old, builders.create_contact(phone_number_id="2")), None),
        ],
    )
    def test_refuses_what_makes_no_sense(
        self, choose: Callable[..., Any], refusal: type[DomainError] | None
    ) -> None:
        old, new = create_pair()
        kept, joined = choose(old.contact, new.contact)
        before = dump()

        with pytest.raises(refusal or OtherBusinessNumber):
            contact_joins.join_contacts(kept.pk, joined.pk, **BY)

        assert dump() == before

    def test_refuses_a_contact_that_was_joined_before(self) -> None:
        old, new = create_pair()
        contact_joins.join_contacts(old.contact.pk, new.contact.pk, **BY)
        third = builders.create_contact()

        for kept, joined in (
            (third, new.contact),
            (new.contact, third),
            (old.contact, new.contact),
        ):
            with pytest.raises(ContactAlreadyJoined):
                contact_joins.join_contacts(kept.pk, joined.pk, **BY)


@pytest.mark.django_db
@pytest.mark.usefixtures("check_inventory_after")
class TestUndo:
    def test_gives_everything_back_as_it_was(self) -> None:
        builders.create_raffle()
        old, new = create_pair()
        old.buys()
        new.buys()
        new.sends_picture()
        before = dump()
        join = contact_joins.join_contacts(old.contact.pk, new.contact.pk, **BY)
        assert dump() != before

        contact_joins.undo_join(join.pk, **BY)

        assert dump() == before
        assert ContactJoin.objects.get().undone_by == ACTOR.label
        reasons = OrderEvent.objects.filter(action=OrderAction.CONTACT_CHANGED).order_by("pk")
        assert [one.reason for one in reasons][1:] == ["the join of two contacts was undone"]
        with pytest.raises(JoinAlreadyUndone):
            contact_joins.undo_join(join.pk, **BY)
        contact_joins.join_contacts(old.contact.pk, new.contact.pk, **BY)

    def test_keeps_what_was_decided_since_and_moves_its_message(self) -> None:
        builders.create_raffle()
        old, new = create_pair()
        order = new.buys()
        new.sends_picture()
        join = contact_joins.join_contacts(old.contact.pk, new.contact.pk, **BY)
        payments.confirm_payment(order.pk, by=ACTOR, now=LATER)

        contact_joins.undo_join(join.pk, **BY)

        order.refresh_from_db()
        assert (order.status, order.contact) == (OrderStatus.PAID, new.contact)
        assert OutboundMessage.objects.get(key="paid").contact == new.contact

    @pytest.mark.parametrize("user_id", ["US.1", "US.2"])
    def test_is_refused_once_either_wrote(self, user_id: str) -> None:
        old, new = create_pair()
        join = contact_joins.join_contacts(old.contact.pk, new.contact.pk, **BY)
        store_webhooks(build_webhook(build_message(phone=None, user_id=user_id)))
        before = dump()

        assert not contact_joins.may_undo_join(join)
        with pytest.raises(JoinNotUndoable):
            contact_joins.undo_join(join.pk, **BY)
        assert dump() == before

    def test_is_refused_when_a_phone_has_another_owner_or_an_order_was_made_since(self) -> None:
        raffle = builders.create_raffle()
        old, new = create_pair()
        join = contact_joins.join_contacts(old.contact.pk, new.contact.pk, **BY)
        stranger = builders.create_contact(wa_id=NEW_PHONE)
        assert not contact_joins.may_undo_join(join)
        stranger.delete()
        assert contact_joins.may_undo_join(join)

        builders.create_order_row(raffle, contact=old.contact, expires_at=LATER)

        assert not contact_joins.may_undo_join(join)
        Order.objects.all().delete()

    def test_of_two_joins_undoes_the_later_one_first(self) -> None:
        old, new = create_pair()
        third = builders.create_contact()
        first = contact_joins.join_contacts(old.contact.pk, new.contact.pk, **BY)
        second = contact_joins.join_contacts(third.pk, old.contact.pk, **BY)

        with pytest.raises(JoinNotUndoable):
            contact_joins.undo_join(first.pk, **BY)
        contact_joins.undo_join(second.pk, **BY)
        contact_joins.undo_join(first.pk, **BY)

        assert not WhatsAppContact.objects.exclude(joined_into=None).exists()

    @pytest.mark.parametrize("answered", [True, False])
    def test_brings_back_a_wait_that_nobody_ended_since(self, answered: bool) -> None:
        old, new = create_pair()
        moment = NOON.replace(microsecond=123_456)
        WhatsAppContact.objects.filter(pk=new.contact.pk).update(wants_person_at=moment)
        join = contact_joins.join_contacts(old.contact.pk, new.contact.pk, **BY)
        if answered:
            handover.resume(old.contact.pk, by=ACTOR, now=LATER)

        contact_joins.undo_join(join.pk, **BY)

        waiting = WhatsAppContact.objects.filter(wants_person_at__isnull=False)
        assert list(waiting) == ([] if answered else [new.contact])

    def test_leaves_a_contact_blocked_that_was_blocked_since(self) -> None:
        old, new = create_pair()
        join = contact_joins.join_contacts(old.contact.pk, new.contact.pk, **BY)
        contacts.block_contact(new.contact.pk)

        contact_joins.undo_join(join.pk, **BY)

        assert WhatsAppContact.objects.get(pk=old.contact.pk).is_blocked
        assert not WhatsAppContact.objects.get(pk=new.contact.pk).is_blocked


@pytest.mark.django_db
@pytest.mark.usefixtures("check_inventory_after")
class TestLateArrivals:
    def test_a_message_stored_for_the_joined_contact_is_answered_as_the_other(self) -> None:
        builders.create_raffle()
        old, new = create_pair()
        contact_joins.join_contacts(old.contact.pk, new.contact.pk, **BY)
        message = new.receives("text", {"text": {"body": "hi"}})

        result = waiting_messages.answer_waiting_messages(new.contact.pk, now=LATER, pivot=1)

        message.refresh_from_db()
        assert (message.contact, result.messages) == (old.contact, 1)
        assert OutboundMessage.objects.get().contact == old.contact

    def test_a_proof_of_the_joined_contact_makes_an_order_of_the_other(self) -> None:
        raffle = builders.create_raffle()
        old, new = create_pair()
        proof = PaymentProof.objects.create(contact=new.contact, arrived_at=NOON)
        contact_joins.join_contacts(old.contact.pk, new.contact.pk, **BY)

        order = orphan_proofs.create_order_from_proof(
            proof.pk, raffle_id=raffle.pk, numbers=[7], quantity=1, pivot=1, **BY
        )

        assert order.contact == old.contact


def retry_deadlocks[T](act: Callable[[], T]) -> T | None:
    """Call `act` as the gateway does: again after a deadlock; None if it was refused."""
    while True:
        try:
            return act()
        except DomainError:
            return None
        except OperationalError as error:
            if not is_deadlock(error) and connection.vendor == "postgresql":
                raise


@pytest.mark.django_db(transaction=True)
@pytest.mark.acceptance
class TestRaces:
    def test_messages_that_arrive_during_a_join_are_all_answered_by_one_contact(self) -> None:
        builders.create_raffle(numbers=1000)
        old, new = create_pair()
        arrivals = [
            build_webhook(build_message(f"wamid.{phone}.{serial}", phone=phone, user_id=user_id))
            for serial in range(8)
            for phone, user_id in ((OLD_PHONE, "US.1"), (NEW_PHONE, "US.2"))
        ]

        def answer(contact_id: int) -> None:
            for _ in range(8):
                retry_deadlocks(
                    partial(
                        waiting_messages.answer_waiting_messages, contact_id, now=LATER, pivot=1
                    )
                )

        join = partial(contact_joins.join_contacts, old.contact.pk, new.contact.pk, **BY)
        calls: list[Callable[[], object]] = [
            *(partial(store_webhooks, arrival) for arrival in arrivals),
            *(partial(answer, one.contact.pk) for one in (old, new)),
            partial(retry_deadlocks, join),
        ]
        run_at_once(calls, threads=6)
        answer(new.contact.pk)
        answer(old.contact.pk)

        assert not UnreadableItem.objects.exists()
        assert InboundMessage.objects.filter(status="PROCESSED").count() == len(arrivals)
        assert WhatsAppContact.objects.get(pk=new.contact.pk).joined_into == old.contact
        assert set(InboundMessage.objects.values_list("contact", flat=True)) == {old.contact.pk}
        assert set(OutboundMessage.objects.values_list("contact", flat=True)) == {old.contact.pk}

    def test_decisions_during_a_join_and_its_undo_leave_the_inventory_whole(self) -> None:
        builders.create_raffle(numbers=50)
        old, new = create_pair()
        mine, other = old.buys(), new.buys()
        new.sends_picture()
        calls: list[Callable[[], object]] = [
            partial(payments.confirm_payment, other.pk, by=ACTOR, now=LATER),
            partial(order_endings.cancel_order, mine.pk, by=ACTOR, now=LATER),
            partial(contact_joins.join_contacts, old.contact.pk, new.contact.pk, **BY),
            partial(contact_joins.join_contacts, new.contact.pk, old.contact.pk, **BY),
        ]

        run_at_once([partial(retry_deadlocks, call) for call in calls])
        (join,) = ContactJoin.objects.all()
        assert {order.contact_id for order in Order.objects.all()} == {join.kept_id}
        run_at_once([partial(retry_deadlocks, partial(contact_joins.undo_join, join.pk, **BY))] * 3)

        assert {mine.contact_id, other.contact_id} == {
            order.contact_id for order in Order.objects.all()
        }
        assert Order.objects.get(pk=other.pk).status == OrderStatus.PAID
        told = OutboundMessage.objects.get(key="paid")
        assert told.contact == new.contact
        assert inventory.find_inventory_problems() == []
