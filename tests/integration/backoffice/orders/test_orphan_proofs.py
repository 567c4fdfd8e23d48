"""Tests of the receipts to sort: the list, the page and the decisions."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from shared.core.enums import OrderStatus, Verdict
from shared.raffles.models import LedgerEntry, Order, PaymentProof
from shared.raffles.services import ledger_entries
from shared.raffles.services.queries import pending_counts
from shared.use_cases import order_endings, payments, reversals
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.pages import join_messages, log_in_reviewer
from tests.integration.concurrency import run_at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewer(db: None) -> Client:
    return log_in_reviewer()


def create_orphan_proof(sender: WhatsAppContact | None = None, *, minutes: int = 1) -> PaymentProof:
    sender = sender or builders.create_contact()
    proof = sample_data.receive_proof(None, contact_id=sender.pk, at=NOON + minutes * MINUTE)
    return sample_data.keep_proof_file(proof, content=sample_data.draw_picture("red"))


def load_page(browser: Client, proof: PaymentProof, query: str = "") -> str:
    answer = browser.get(reverse("admin:desk_orphan", args=[proof.pk]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def post_decision(browser: Client, proof: PaymentProof, how: str, **form: Any) -> Any:
    return browser.post(reverse(f"admin:desk_orphan_{how}", args=[proof.pk]), form)


class TestTheList:
    def test_has_the_oldest_first_and_the_dismissed_below(self, reviewer: Client) -> None:
        first, second, dismissed = (create_orphan_proof(minutes=n) for n in (1, 2, 3))
        post_decision(reviewer, dismissed, "dismiss", note="a cat")

        page = reviewer.get(reverse("admin:desk_orphans")).content.decode()

        names = [str(proof.contact) for proof in (first, second, dismissed)]
        assert sorted(names, key=page.index) == names
        assert "Dismissed by rita" in page
        assert "a cat" in page.split("Dismissed lately")[1]

    @pytest.mark.same_everywhere
    def test_takes_as_many_queries_for_many_as_for_few(
        self, reviewer: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(6):
            create_orphan_proof()

        with django_assert_max_num_queries(12):
            reviewer.get(reverse("admin:desk_orphans"))

    @pytest.mark.same_everywhere
    def test_is_not_for_those_who_may_not_see_orders(self, client: Client) -> None:
        client.force_login(sample_data.create_user("other", "view_raffle"))
        proof = create_orphan_proof()

        for name, args in (("orphans", []), ("orphan", [proof.pk])):
            assert client.get(reverse(f"admin:desk_{name}", args=args)).status_code == 403


class TestThePage:
    def test_offers_the_senders_orders_with_those_that_want_payment_first(
        self, reviewer: Client
    ) -> None:
        sender = builders.create_contact()
        wanting = sample_data.place_order(builders.create_raffle(), numbers=[1], buyer=sender)
        reviewed = sample_data.place_order(builders.create_raffle(), numbers=[2], buyer=sender)
        sample_data.receive_proof(reviewed)
        stranger = sample_data.place_order(builders.create_raffle(), numbers=[3])

        page = load_page(reviewer, create_orphan_proof(sender))

        assert page.index(f">{wanting}</a>") < page.index(f">{reviewed}</a>")
        assert f">{stranger}</a>" not in page

    def test_finds_another_order_by_its_code_in_any_spelling(self, reviewer: Client) -> None:
        order = sample_data.place_order()
        proof = create_orphan_proof()

        found = load_page(reviewer, proof, f"?code=%20{str(order).lower()}")
        nothing = load_page(reviewer, proof, "?code=R-00000")

        assert f'name="order" value="{order.pk}"' in found
        assert "There is no order R-00000" in nothing

    @pytest.mark.same_everywhere
    def test_warns_where_the_same_file_came_with_an_order(self, reviewer: Client) -> None:
        order = sample_data.place_order()
        sample_data.keep_proof_file(
            sample_data.receive_proof(order), content=sample_data.draw_picture("red")
        )

        page = load_page(reviewer, create_orphan_proof())

        assert "The very same file" in page
        assert str(order) in page

    def test_takes_twelve_queries(
        self, reviewer: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        sender = builders.create_contact()
        for number in range(1, 5):
            order = sample_data.place_order(
                builders.create_raffle(), numbers=[number], buyer=sender
            )
            sample_data.keep_proof_file(
                sample_data.receive_proof(order), content=sample_data.draw_picture("red")
            )
        proof = create_orphan_proof(sender)

        with django_assert_max_num_queries(12):
            load_page(reviewer, proof)
        with django_assert_max_num_queries(12):
            load_page(reviewer, proof, f"?code={order}")

    @pytest.mark.same_everywhere
    def test_leads_on_to_the_next(self, reviewer: Client) -> None:
        first, second = create_orphan_proof(minutes=1), create_orphan_proof(minutes=2)

        answer = reviewer.get(reverse("admin:desk_orphan_next", args=[first.pk]))

        assert answer["Location"] == reverse("admin:desk_orphan", args=[second.pk])


class TestTheDecisions:
    @pytest.mark.same_everywhere
    def test_are_closed_to_staff_without_the_permission(self, client: Client) -> None:
        client.force_login(sample_data.create_user("looker", "view_order"))
        order, proof = sample_data.place_order(), create_orphan_proof()
        form = {"order": order.pk, "note": "no", "raffle": order.raffle_id}

        for how in ("attach", "make_order", "dismiss"):
            assert post_decision(client, proof, how, **form).status_code == 403
        proof.refresh_from_db()
        assert (proof.order_id, proof.verdict) == (None, Verdict.PENDING)

    def test_attaching_puts_the_order_under_review_and_leads_on(self, reviewer: Client) -> None:
        order, proof, following = (
            sample_data.place_order(),
            create_orphan_proof(minutes=1),
            create_orphan_proof(minutes=2),
        )

        answer = post_decision(reviewer, proof, "attach", order=order.pk)

        order.refresh_from_db()
        assert order.under_review
        assert order.proofs.get() == proof
        assert answer["Location"] == reverse("admin:desk_orphan", args=[following.pk])
        assert f'href="{reverse("admin:desk_review", args=[order.pk])}"' in join_messages(answer)
        assert OutboundMessage.objects.count() == 1

    def test_making_an_order_takes_the_numbers_asked_for(self, reviewer: Client) -> None:
        raffle, proof = builders.create_raffle(), create_orphan_proof()
        asked = reviewer.get(reverse("admin:desk_orphan_make_order", args=[proof.pk]))
        assert f'<option value="{raffle.pk}">' in asked.content.decode()

        answer = post_decision(reviewer, proof, "make_order", raffle=raffle.pk, numbers="7 and 13")

        order = Order.objects.get()
        assert (order.list_ticket_numbers(), order.contact) == ([7, 13], proof.contact)
        assert order.under_review
        assert f"{order} is made" in join_messages(answer)
        assert answer["Location"] == reverse("admin:desk_orphans")

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        ("form", "words"),
        [
            ({"numbers": "7"}, "Somebody else has 007"),
            ({"quantity": "99"}, "It must be 1 to 20 numbers"),
            ({}, "Say how many numbers"),
            ({"numbers": "seven?"}, "Write the numbers as"),
        ],
    )
    def test_making_an_order_says_what_is_wrong(
        self, reviewer: Client, form: dict[str, str], words: str
    ) -> None:
        raffle, proof = builders.create_raffle(), create_orphan_proof()
        sample_data.place_order(raffle, numbers=[7])

        answer = post_decision(reviewer, proof, "make_order", raffle=raffle.pk, **form)

        assert words in join_messages(answer)
        assert Order.objects.count() == 1

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize("tell", ["yes", ""])
    def test_dismissing_keeps_the_file_and_tells_the_buyer_if_wished(
        self, reviewer: Client, tell: str
    ) -> None:
        proof = create_orphan_proof()

        post_decision(reviewer, proof, "dismiss", note="not a payment", tell=tell)

        proof.refresh_from_db()
        assert (proof.verdict, proof.note, proof.reviewer) == (
            Verdict.DISMISSED,
            "not a payment",
            "rita",
        )
        assert proof.file
        assert OutboundMessage.objects.count() == (1 if tell else 0)

    @pytest.mark.same_everywhere
    def test_dismissing_needs_a_reason(self, reviewer: Client) -> None:
        proof = create_orphan_proof()

        assert "Say in a few words why" in join_messages(post_decision(reviewer, proof, "dismiss"))

    @pytest.mark.same_everywhere
    def test_the_second_reviewer_hears_who_decided(self, reviewer: Client) -> None:
        order, proof = sample_data.place_order(), create_orphan_proof()
        post_decision(reviewer, proof, "attach", order=order.pk)
        sam = log_in_reviewer("sam")

        for how, form in (("attach", {"order": order.pk}), ("dismiss", {"note": "a cat"})):
            messages = join_messages(post_decision(sam, proof, how, **form))
            assert f"rita put it to {order}" in messages
            assert "Nothing was changed" in messages
        assert f"It stands with {order}, which waits for review." in load_page(sam, proof)


class TestSecondReceipts:
    """A receipt for an order that is paid already."""

    @pytest.fixture
    def paid(self) -> Order:
        order = sample_data.place_order(numbers=[1, 2])
        first = sample_data.keep_proof_file(sample_data.receive_proof(order))
        payments.confirm_payment(
            order.pk, by=builders.build_staff_actor(), now=NOON, seen_proofs=[first.pk]
        )
        return order

    @pytest.fixture
    def second(self, paid: Order) -> PaymentProof:
        return sample_data.keep_proof_file(
            sample_data.receive_proof(paid, at=NOON + 5 * MINUTE),
            content=sample_data.draw_picture("blue"),
        )

    def test_stand_in_the_list_with_the_reason_and_in_its_count(
        self, reviewer: Client, paid: Order, second: PaymentProof
    ) -> None:
        orphan = create_orphan_proof()

        answer = reviewer.get(reverse("admin:desk_orphans"))

        page = answer.content.decode()
        assert [card.proof for card in answer.context["orphans"].waiting] == [second, orphan]
        assert f"{paid} is paid already" in page
        assert "No order" in page
        assert answer.context["tabs"].orphans == 2
        assert pending_counts.count_all_pending().orphans == 2

    def test_stand_in_the_list_also_when_the_order_is_refunded(
        self, reviewer: Client, paid: Order, second: PaymentProof
    ) -> None:
        reversals.refund_order(
            paid.pk,
            confirmation_id=ledger_entries.load_confirmation(paid).pk,
            note="asked for it",
            reference="TR-1",
            by=builders.build_staff_actor(),
            now=NOON + 6 * MINUTE,
        )

        answer = reviewer.get(reverse("admin:desk_orphans"))

        assert [card.proof for card in answer.context["orphans"].waiting] == [second]
        assert f"{paid} is over" in answer.content.decode()
        page = load_page(reviewer, second)
        assert f"It was left with {paid}, which is cancelled, and nobody decided about it." in page
        assert "Dismiss the proof" in page

    def test_of_a_late_payment_stand_in_its_list_alone(self, reviewer: Client) -> None:
        order = sample_data.place_order(numbers=[5])
        sample_data.keep_proof_file(sample_data.receive_proof(order))
        order_endings.cancel_order(order.pk, by=builders.build_staff_actor(), now=NOON)

        assert list(reviewer.get(reverse("admin:desk_orphans")).context["orphans"].waiting) == []
        assert str(order) in reviewer.get(reverse("admin:desk_late")).content.decode()

    def test_a_second_payment_is_moved_to_the_order_it_was_meant_for(
        self, reviewer: Client, paid: Order, second: PaymentProof
    ) -> None:
        meant = sample_data.place_order(
            builders.create_raffle(title="Winter Raffle"), buyer=paid.contact
        )
        page = load_page(reviewer, second)
        assert f"{paid} is paid already, and this receipt came besides: rita confirmed it" in page
        assert f'name="order" value="{meant.pk}"' in page
        assert f'name="order" value="{paid.pk}"' not in page

        answer = post_decision(reviewer, second, "attach", order=meant.pk, **{"from": str(paid.pk)})

        assert f"The proof is put to {meant} and waits for review." in join_messages(answer)
        assert answer["Location"] == reverse("admin:desk_orphans")
        meant.refresh_from_db()
        assert (meant.under_review, meant.proofs.get()) == (True, second)
        assert Order.objects.get(pk=paid.pk).status == OrderStatus.PAID
        assert pending_counts.count_all_pending().orphans == 0

    @pytest.mark.same_everywhere
    def test_is_dismissed_and_stands_below(
        self, reviewer: Client, paid: Order, second: PaymentProof
    ) -> None:
        post_decision(reviewer, second, "dismiss", note="same transfer", **{"from": str(paid.pk)})

        page = reviewer.get(reverse("admin:desk_orphans")).content.decode()
        assert "same transfer" in page.split("Dismissed lately")[1]
        assert paid.events.filter(action="PROOF_DISMISSED").exists()

    @pytest.mark.same_everywhere
    def test_its_money_goes_back(self, reviewer: Client, paid: Order, second: PaymentProof) -> None:
        assert 'name="amount" value="10.00"' in load_page(reviewer, second)

        form = {"from": str(paid.pk), "note": "Sent back", "reference": "T-7"}
        wrong = post_decision(reviewer, second, "refund", amount="ten", **form)
        done = post_decision(reviewer, second, "refund", amount="10,00", **form)

        assert "Write the amount as 150.00" in join_messages(wrong)
        assert "The refund of the second payment is noted" in join_messages(done)
        entry = LedgerEntry.objects.get(kind="LATE_REFUNDED")
        assert (entry.amount, entry.reference) == (Decimal("10.00"), "T-7")
        history = reviewer.get(reverse("admin:raffles_order_change", args=[paid.pk]))
        assert "Second payment sent back" in history.content.decode()

    @pytest.mark.same_everywhere
    def test_the_second_reviewer_hears_where_it_is_now(
        self, reviewer: Client, paid: Order, second: PaymentProof
    ) -> None:
        meant, other = (sample_data.place_order(builders.create_raffle()) for _ in range(2))
        form = {"from": str(paid.pk)}
        post_decision(reviewer, second, "attach", order=meant.pk, **form)
        sam = log_in_reviewer("sam")

        for how, more in (
            ("attach", {"order": other.pk}),
            ("dismiss", {"note": "no"}),
            ("refund", {"note": "no", "amount": "5"}),
        ):
            answer = post_decision(sam, second, how, **more, **form)
            assert f"rita put it to {meant}" in join_messages(answer)

        assert not other.proofs.exists()


class TestMoveFromAReview:
    @pytest.mark.same_everywhere
    def test_the_review_page_leads_to_the_move_and_back(self, reviewer: Client) -> None:
        buyer = builders.create_contact()
        wrong = sample_data.place_order(builders.create_raffle(), buyer=buyer)
        right = sample_data.place_order(builders.create_raffle(), buyer=buyer)
        proof = sample_data.keep_proof_file(sample_data.receive_proof(wrong))
        address = reverse("admin:desk_orphan", args=[proof.pk])
        review = reverse("admin:desk_review", args=[wrong.pk])
        assert address in reviewer.get(review).content.decode()
        page = load_page(reviewer, proof)
        assert f"It stands with {wrong}, which waits for review." in page
        assert "Dismiss it" not in page
        assert "Note a refund" not in page

        answer = post_decision(reviewer, proof, "attach", order=right.pk, **{"from": str(wrong.pk)})

        assert answer["Location"] == review
        assert f"{wrong} waits for its payment again." in join_messages(answer)
        stale = reviewer.post(
            reverse("admin:raffles_order_confirm", args=[wrong.pk]),
            {"seen": proof.pk, "waited": "yes"},
        )
        assert f"A proof of {wrong} was moved to another order" in join_messages(stale)
        assert not Order.objects.filter(status=OrderStatus.PAID).exists()

    @pytest.mark.same_everywhere
    def test_a_late_payment_moves_to_another_order(self, reviewer: Client) -> None:
        raffle = builders.create_raffle()
        late = sample_data.place_order(raffle, numbers=[1])
        sample_data.expire_order(late)
        sample_data.place_order(raffle, numbers=[1])
        right = sample_data.place_order(raffle, numbers=[5])
        proof = sample_data.keep_proof_file(sample_data.receive_proof(late, at=NOON + 90 * MINUTE))
        page = reviewer.get(reverse("admin:desk_review", args=[late.pk])).content.decode()
        assert reverse("admin:desk_orphan", args=[proof.pk]) in page
        assert "a late payment to decide about" in load_page(reviewer, proof)

        post_decision(reviewer, proof, "attach", order=right.pk, **{"from": str(late.pk)})

        late.refresh_from_db()
        right.refresh_from_db()
        assert (late.needs_decision, right.under_review) == (False, True)


@pytest.mark.django_db(transaction=True)
def test_two_who_attach_one_proof_at_once_have_one_effect() -> None:
    raffle, proof = builders.create_raffle(), create_orphan_proof()
    wanting = [sample_data.place_order(raffle, numbers=[number]) for number in (7, 13)]
    browsers = [log_in_reviewer("rita"), log_in_reviewer("sam")]

    run_at_once(
        [
            lambda: post_decision(browsers[0], proof, "attach", order=wanting[0].pk),
            lambda: post_decision(browsers[1], proof, "attach", order=wanting[1].pk),
        ]
    )

    statuses = [Order.objects.get(pk=order.pk).under_review for order in wanting]
    assert sorted(statuses) == [False, True]
    assert OutboundMessage.objects.count() == 1
    assert {order.status for order in wanting} == {OrderStatus.PENDING_PAYMENT}
