"""Tests of proofs without an order: attached, made into an order, or dismissed."""

from datetime import timedelta

import pytest

from shared.conversation import button_ids
from shared.core.enums import OrderAction, OrderStatus, ProofStatus, TicketStatus, Verdict
from shared.raffles.errors import NumbersTaken, OrderNotFound, OrderWantsPayment
from shared.raffles.models import Order, OrderEvent, PaymentProof, Raffle
from shared.raffles.proof_errors import ProofNotFound, ProofSettled
from shared.raffles.results import ProofKept, ProofLate, Settled
from shared.use_cases import orphan_proofs, payments, proof_files
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from tests import builders
from tests.builders import MINUTE, NOON, build_staff_actor
from tests.integration.conversation import chat
from tests.integration.conversation.chat import BuyerChat
from tests.integration.raffles import order_states

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_inventory_after")]

LATER = NOON + timedelta(hours=3)


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=20)


def list_message_keys(contact: WhatsAppContact | None) -> list[str]:
    """Return the keys of a buyer's messages, oldest first."""
    messages = OutboundMessage.objects.filter(contact=contact).order_by("pk")
    return list(messages.values_list("key", flat=True))


def attach_proof(proof: PaymentProof, order: Order) -> ProofKept | ProofLate:
    return orphan_proofs.attach_proof(
        proof.pk, order_id=order.pk, by=build_staff_actor(), now=LATER
    )


def create_order(proof: PaymentProof, raffle: Raffle, *numbers: int) -> Order:
    return orphan_proofs.create_order_from_proof(
        proof.pk,
        raffle_id=raffle.pk,
        numbers=numbers or None,
        quantity=3,
        pivot=order_states.PIVOT,
        by=build_staff_actor(),
        now=LATER,
    )


def dismiss_proof(proof: PaymentProof, *, tell_buyer: bool = False) -> PaymentProof:
    return orphan_proofs.dismiss_proof(
        proof.pk,
        note="It pays the butcher",
        tell_buyer=tell_buyer,
        by=build_staff_actor(),
        now=LATER,
    )


class TestAttach:
    def test_stops_the_clock_of_a_friends_order_and_tells_its_buyer_alone(
        self, raffle: Raffle
    ) -> None:
        friend = builders.create_contact()
        order = order_states.create_placed_order(raffle)

        outcome = attach_proof(order_states.receive_orphan_proof(friend), order)

        assert isinstance(outcome, ProofKept)
        assert outcome.first
        order = order_states.reload_order(order)
        assert (order.under_review_since, order.expires_at) == (LATER, None)
        assert (list_message_keys(order.contact), list_message_keys(friend)) == (
            ["proof_attached"],
            [],
        )
        event = OrderEvent.objects.get(order=order, action=OrderAction.PROOF_RECEIVED)
        assert (event.reason, event.actor_label) == ("attached by rita", "rita")

    def test_places_a_hold(self, raffle: Raffle) -> None:
        order = order_states.create_held_order(raffle)

        attach_proof(order_states.receive_orphan_proof(), order)

        assert order_states.list_actions(order) == ["HELD", "PLACED", "PROOF_RECEIVED"]
        assert order_states.reload_order(order).under_review

    def test_gives_an_expired_order_its_free_numbers_back(self, raffle: Raffle) -> None:
        order = order_states.create_expired_order(raffle)

        outcome = attach_proof(
            order_states.receive_orphan_proof(arrived_at=order_states.AFTER_THE_DEADLINE + MINUTE),
            order,
        )

        assert isinstance(outcome, ProofLate)
        assert outcome.taken_back
        assert outcome.proof.late
        assert order_states.reload_order(order).under_review
        assert list_message_keys(order.contact) == ["late_proof_secured"]

    def test_flags_an_expired_order_whose_numbers_are_gone(self, raffle: Raffle) -> None:
        order = order_states.create_expired_order(raffle)
        order_states.create_held_order(raffle, numbers=[2])

        outcome = attach_proof(order_states.receive_orphan_proof(), order)

        assert isinstance(outcome, ProofLate)
        assert not outcome.taken_back
        assert order_states.reload_order(order).needs_decision
        assert list_message_keys(order.contact) == ["late_proof"]

    def test_adds_to_a_paid_order_and_to_one_under_review(self, raffle: Raffle) -> None:
        paid = order_states.create_paid_order(raffle)
        reviewed = order_states.create_order_under_review(raffle, numbers=[7])

        outcomes = [
            attach_proof(order_states.receive_orphan_proof(), order) for order in (paid, reviewed)
        ]

        assert [isinstance(one, ProofKept) and one.first for one in outcomes] == [False, False]
        assert order_states.reload_order(paid).status == OrderStatus.PAID
        assert (list_message_keys(paid.contact), list_message_keys(reviewed.contact)) == (
            ["proof_added"],
            ["proof_added"],
        )

    def test_says_of_an_album_once_that_it_is_here(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)

        for _ in range(3):
            attach_proof(order_states.receive_orphan_proof(), order)

        assert order.proofs.count() == 3
        assert list_message_keys(order.contact) == ["proof_attached"]

    def test_needs_nobody_to_tell(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        Order.objects.filter(pk=order.pk).update(contact=None)

        assert isinstance(attach_proof(order_states.receive_orphan_proof(), order), ProofKept)
        assert not OutboundMessage.objects.exists()

    def test_tells_whoever_comes_second_who_was_faster(self, raffle: Raffle) -> None:
        order, other = (
            order_states.create_placed_order(raffle),
            order_states.create_placed_order(raffle, numbers=[9]),
        )
        proof = order_states.receive_orphan_proof()
        attach_proof(proof, order)

        with pytest.raises(ProofSettled) as refusal:
            attach_proof(proof, other)

        assert refusal.value.details == {
            "by": "rita",
            "at": LATER,
            "order_code": order.code,
            "verdict": "PENDING",
        }
        assert order_states.list_actions(other) == ["HELD", "PLACED"]
        assert list_message_keys(other.contact) == []

    def test_refuses_what_does_not_exist(self, raffle: Raffle) -> None:
        order, proof = order_states.create_placed_order(raffle), order_states.receive_orphan_proof()

        with pytest.raises(ProofNotFound):
            orphan_proofs.attach_proof(0, order_id=order.pk, by=build_staff_actor(), now=LATER)
        with pytest.raises(OrderNotFound):
            orphan_proofs.attach_proof(proof.pk, order_id=0, by=build_staff_actor(), now=LATER)


class TestMakeOrder:
    def test_sells_nothing_yet_but_holds_the_numbers_for_the_sender(self, raffle: Raffle) -> None:
        sender = builders.create_contact()
        proof = order_states.receive_orphan_proof(sender)

        order = create_order(proof, raffle, 7, 13)

        assert (order.contact, order.list_ticket_numbers(), order.under_review) == (
            sender,
            [7, 13],
            True,
        )
        assert order_states.list_ticket_statuses(raffle, 7, 13) == [TicketStatus.RESERVED] * 2
        assert order_states.list_actions(order) == ["HELD", "PLACED", "PROOF_RECEIVED"]
        assert list_message_keys(sender) == ["order_made"]
        order.proofs.update(status=ProofStatus.KEPT)
        settled = payments.confirm_payment(
            order.pk, by=build_staff_actor(), now=LATER, seen_proofs=[proof.pk]
        )
        assert isinstance(settled, Settled)

    def test_takes_random_numbers_where_none_are_named(self, raffle: Raffle) -> None:
        assert (
            len(create_order(order_states.receive_orphan_proof(), raffle).list_ticket_numbers())
            == 3
        )

    def test_names_the_order_that_wants_the_proof(self, raffle: Raffle) -> None:
        sender = builders.create_contact()
        waiting = order_states.create_placed_order(raffle, contact=sender)

        with pytest.raises(OrderWantsPayment) as refusal:
            create_order(order_states.receive_orphan_proof(sender), raffle, 7)

        assert refusal.value.details["code"] == waiting.code

    def test_refuses_taken_numbers_and_keeps_the_proof_in_the_list(self, raffle: Raffle) -> None:
        order_states.create_held_order(raffle, numbers=[7])
        proof = order_states.receive_orphan_proof()

        with pytest.raises(NumbersTaken):
            create_order(proof, raffle, 6, 7)

        proof.refresh_from_db()
        assert (proof.order, proof.verdict) == (None, Verdict.PENDING)

    def test_does_not_let_a_payer_cool_down(self, raffle: Raffle) -> None:
        sender = builders.create_contact()
        for _ in range(3):
            order_states.create_expired_order(raffle, contact=sender)

        assert create_order(order_states.receive_orphan_proof(sender), raffle, 7).under_review


class TestDismiss:
    def test_keeps_the_proof_with_the_reason_and_who_gave_it(self) -> None:
        sender = builders.create_contact()
        proof = dismiss_proof(order_states.receive_orphan_proof(sender))

        proof.refresh_from_db()
        assert (proof.verdict, proof.note) == (Verdict.DISMISSED, "It pays the butcher")
        assert (proof.reviewer, proof.reviewed_at) == ("rita", LATER)
        assert list_message_keys(sender) == []

    def test_tells_the_sender_why_if_that_is_wished(self, raffle: Raffle) -> None:
        sender = builders.create_contact()

        dismiss_proof(order_states.receive_orphan_proof(sender), tell_buyer=True)

        message = OutboundMessage.objects.get(contact=sender)
        assert (message.key, message.kind) == ("proof_dismissed", "NOTICE")
        assert "It pays the butcher" in chat.render_body(message)
        assert raffle.seller_contact in chat.render_body(message)

    def test_happens_once_and_ends_every_other_way(self, raffle: Raffle) -> None:
        proof = dismiss_proof(order_states.receive_orphan_proof())

        for another in (
            dismiss_proof,
            lambda p: attach_proof(p, order_states.create_placed_order(raffle)),
        ):
            with pytest.raises(ProofSettled) as refusal:
                another(proof)
            assert refusal.value.details == {
                "by": "rita",
                "at": LATER,
                "order_code": None,
                "verdict": "DISMISSED",
            }

    def test_asks_for_no_file_any_more(self) -> None:
        sender = builders.create_contact()
        proof = dismiss_proof(order_states.receive_orphan_proof(sender))

        proof_files.record_proof_fetch_failure(proof.pk, error="gone", retry_at=None, now=LATER)

        assert list_message_keys(sender) == []

    def test_cannot_be_undone_by_an_old_button(self, raffle: Raffle) -> None:
        buyer = BuyerChat()
        order = buyer.buys()
        proof = dismiss_proof(order_states.receive_orphan_proof(buyer.contact))

        buyer.taps_id(button_ids.build_button_id(button_ids.ButtonAction.PROOF, proof.pk, order.pk))

        assert not order_states.reload_order(order).under_review
        assert PaymentProof.objects.get(pk=proof.pk).order is None

    def test_leaves_the_other_pictures_of_its_album_to_their_sender(self, raffle: Raffle) -> None:
        buyer = BuyerChat()
        order = buyer.buys()
        gone, kept = (
            dismiss_proof(order_states.receive_orphan_proof(buyer.contact)),
            order_states.receive_orphan_proof(buyer.contact),
        )

        buyer.taps_id(button_ids.build_button_id(button_ids.ButtonAction.PROOF, kept.pk, order.pk))

        assert list(order.proofs.all()) == [kept]
        assert PaymentProof.objects.get(pk=gone.pk).verdict == Verdict.DISMISSED
