"""Tests of staff decisions about orders: permissions, effects, messages and redirects."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from shared.core.enums import OrderAction, OrderStatus, RaffleStatus, TicketStatus, Verdict
from shared.raffles.models import Order, OrderEvent, PaymentProof, Raffle
from shared.whatsapp.models import OutboundMessage
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.pages import join_messages, log_in_reviewer, refresh_status
from tests.integration.backoffice.sample_data import expire_order
from tests.integration.concurrency import run_at_once

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]

DECISIONS = ["confirm", "reject", "cancel", "ask_again"]


@pytest.fixture
def reviewer(db: None) -> Client:
    return log_in_reviewer()


def build_decision_url(order_id: int, decision: str) -> str:
    if decision == "ask_again":
        return reverse("admin:desk_ask_again", args=[order_id])
    return reverse(f"admin:raffles_order_{decision}", args=[order_id])


def decide(browser: Client, order: Order, decision: str, **form: Any) -> Any:
    return browser.post(build_decision_url(order.pk, decision), form)


def build_review_url(order: Order) -> str:
    return reverse("admin:desk_review", args=[order.pk])


def create_two_waiting_orders() -> tuple[Order, Order]:
    """Create two orders under review, the first of which waits longer."""
    raffle = builders.create_raffle()
    first, second = (sample_data.place_order(raffle, numbers=[number]) for number in (7, 13))
    sample_data.receive_kept_proof(first, at=NOON + MINUTE)
    sample_data.receive_kept_proof(second, at=NOON + 2 * MINUTE)
    return first, second


class TestWhoMayDecide:
    def test_staff_without_the_permission_get_403(self, client: Client) -> None:
        client.force_login(sample_data.create_user("looker", "view_order"))
        order = sample_data.place_order()

        for decision in DECISIONS:
            assert decide(client, order, decision, sure="yes").status_code == 403
        assert refresh_status(order) == OrderStatus.PENDING_PAYMENT

    def test_nobody_decides_by_a_link_nor_by_the_form_of_another_site(
        self, reviewer: Client
    ) -> None:
        order = sample_data.place_order()
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(sample_data.create_user("sam", *sample_data.REVIEWER_PERMISSIONS))

        for decision in DECISIONS:
            assert reviewer.get(build_decision_url(order.pk, decision)).status_code == 405
            assert decide(strict, order, decision, sure="yes").status_code == 403
        assert refresh_status(order) == OrderStatus.PENDING_PAYMENT

    def test_a_stranger_is_sent_to_the_login(self, client: Client) -> None:
        order = sample_data.place_order()

        for decision in DECISIONS:
            answer = decide(client, order, decision, sure="yes")
            assert "/admin/login/" in answer["Location"]
        assert refresh_status(order) == OrderStatus.PENDING_PAYMENT

    def test_an_order_that_does_not_exist_is_404(self, reviewer: Client) -> None:
        assert reviewer.post(build_decision_url(999, "confirm")).status_code == 404


class TestConfirm:
    def test_sells_tells_and_returns_to_the_order(self, reviewer: Client) -> None:
        order = sample_data.place_order(numbers=[7, 13])
        proof = sample_data.keep_proof_file(sample_data.receive_proof(order))

        answer = decide(reviewer, order, "confirm", seen=[proof.pk])

        assert answer["Location"] == reverse("admin:raffles_order_change", args=[order.pk])
        assert refresh_status(order) == OrderStatus.PAID
        assert "007, 013 are sold" in join_messages(answer)
        assert OutboundMessage.objects.filter(key="paid", contact=order.contact).count() == 1
        event = order.events.get(action=OrderAction.PAID)
        assert (event.actor_kind, event.actor_label) == ("STAFF", "rita")
        assert order.proofs.get().verdict == Verdict.ACCEPTED

    def test_late_numbers_are_taken_back_when_free(self, reviewer: Client) -> None:
        order = sample_data.place_order()
        expire_order(order)

        answer = decide(reviewer, order, "confirm")

        assert refresh_status(order) == OrderStatus.PAID
        assert "taken back" in join_messages(answer)

    def test_gone_numbers_are_named_and_nothing_is_sold(self, reviewer: Client) -> None:
        raffle = builders.create_raffle()
        late = sample_data.place_order(raffle, numbers=[7, 13])
        expire_order(late)
        sample_data.place_order(raffle, numbers=[7])

        answer = decide(reviewer, late, "confirm")

        assert "somebody else has 007; still free: 013" in join_messages(answer)
        assert refresh_status(late) == OrderStatus.EXPIRED
        assert late.needs_decision

    def test_a_refusal_becomes_a_message(self, reviewer: Client) -> None:
        hold = sample_data.hold_numbers(builders.create_raffle(), numbers=[7])

        assert "has not confirmed this order yet" in join_messages(
            decide(reviewer, hold, "confirm")
        )

    def test_after_the_draw_nothing_is_sold(self, reviewer: Client) -> None:
        order = sample_data.place_order()
        Raffle.objects.update(status=RaffleStatus.DRAWN)

        answer = decide(reviewer, order, "confirm")

        assert "The raffle is drawn" in join_messages(answer)
        assert refresh_status(order) == OrderStatus.PENDING_PAYMENT


class TestUnseenEvidence:
    """What nobody can look at is confirmed by no proof, only by money that somebody saw."""

    @pytest.fixture(params=["FETCHING", "FAILED", "beside one that is kept"])
    def hidden(self, request: pytest.FixtureRequest) -> PaymentProof:
        order = sample_data.place_order()
        proof = sample_data.receive_proof(order)
        if request.param == "FAILED":
            PaymentProof.objects.filter(pk=proof.pk).update(status="FAILED", fetch_at=None)
        elif request.param != "FETCHING":
            sample_data.receive_kept_proof(order)
        return proof

    def test_offers_no_confirmation_but_that_of_the_money(
        self, reviewer: Client, hidden: PaymentProof
    ) -> None:
        order = hidden.order
        assert order is not None
        seen = list(order.proofs.exclude(status="FAILED").values_list("pk", flat=True))
        for name in ("admin:desk_review", "admin:raffles_order_change"):
            page = reviewer.get(reverse(name, args=[order.pk])).content.decode()
            assert 'name="money" value="yes"' in page
            assert 'data-key="confirm"' not in page
            assert "Confirm payment of" not in page
        form = {"seen": seen, "waited": "yes"}

        refused = decide(reviewer, order, "confirm", **form)
        wordless = decide(reviewer, order, "confirm", money="yes", note=" ", **form)
        assert refresh_status(order) == OrderStatus.PENDING_PAYMENT
        done = decide(reviewer, order, "confirm", money="yes", note="on the account", **form)

        assert "Nobody can see what would be confirmed" in join_messages(refused)
        assert "Say how you know that the money came" in join_messages(wordless)
        assert f"{order} is paid" in join_messages(done)
        assert order.events.get(action="PAID").reason == "on the account"

    def test_is_left_out_where_many_are_confirmed(
        self, reviewer: Client, hidden: PaymentProof
    ) -> None:
        order = hidden.order
        assert order is not None
        answer = reviewer.post(
            "/admin/raffles/order/",
            {"action": "confirm_payments", "_selected_action": [order.pk]},
        )

        assert "No proof of it can be looked at" in answer.content.decode()


class TestReject:
    def test_turns_the_proof_down_with_its_reason(self, reviewer: Client) -> None:
        order = sample_data.place_order()
        proof = sample_data.receive_kept_proof(order)

        decide(reviewer, order, "reject", reason="WRONG_AMOUNT", note="5 missing", seen=[proof.pk])

        order.refresh_from_db()
        assert order.under_review_since is None
        assert order.expires_at is not None
        proof.refresh_from_db()
        assert (proof.verdict, proof.reject_reason) == (Verdict.REJECTED, "WRONG_AMOUNT")
        assert OutboundMessage.objects.filter(key="rejected").count() == 1

    @pytest.mark.parametrize(
        ("form", "words"),
        [
            ({"reason": ""}, "Choose why"),
            ({"reason": "NO_SUCH_REASON"}, "Choose why"),
            ({"reason": "OTHER", "note": "  "}, "Say in a few words"),
        ],
    )
    def test_wants_a_listed_reason_and_words_for_any_other(
        self, reviewer: Client, form: dict[str, str], words: str
    ) -> None:
        order = sample_data.place_order()
        proof = sample_data.receive_kept_proof(order)

        answer = decide(reviewer, order, "reject", seen=[proof.pk], then="queue", **form)

        assert words in join_messages(answer)
        assert answer["Location"] == build_review_url(order)
        proof.refresh_from_db()
        assert proof.verdict == Verdict.PENDING

    def test_without_a_proof_there_is_nothing_to_reject(self, reviewer: Client) -> None:
        order = sample_data.place_order()

        assert "no payment proof" in join_messages(
            decide(reviewer, order, "reject", reason="REPEATED")
        )


class TestAskAgain:
    def test_asks_the_buyer_and_leaves_the_order_under_review(self, reviewer: Client) -> None:
        order = sample_data.place_order()
        proof = sample_data.receive_kept_proof(order)

        answer = decide(reviewer, order, "ask_again", note="the whole page", seen=[proof.pk])

        assert "asked for another proof" in join_messages(answer)
        order.refresh_from_db()
        assert order.under_review
        assert order.asked_again_at is not None
        assert order.expires_at is None
        message = OutboundMessage.objects.get(contact=order.contact)
        assert "the whole page" in str(message.payload)


class TestCancel:
    def test_asks_once_more_before_it_does(self, reviewer: Client) -> None:
        order = sample_data.place_order()
        sample_data.receive_kept_proof(order)

        asked = decide(reviewer, order, "cancel")

        assert b"Yes, cancel the order" in asked.content
        assert b"may have paid already" in asked.content
        assert refresh_status(order) == OrderStatus.PENDING_PAYMENT

    def test_frees_the_numbers(self, reviewer: Client) -> None:
        order = sample_data.place_order()

        answer = decide(reviewer, order, "cancel", sure="yes", reason="the buyer asked")

        assert refresh_status(order) == OrderStatus.CANCELLED
        assert order.raffle.numbers.filter(status=TicketStatus.RESERVED).count() == 0
        assert "is cancelled" in join_messages(answer)
        assert order.events.get(action=OrderAction.CANCELLED).reason == "the buyer asked"

    def test_a_paid_order_stays_paid(self, reviewer: Client) -> None:
        order = sample_data.place_order()
        decide(reviewer, order, "confirm")

        answer = decide(reviewer, order, "cancel", sure="yes")

        assert "is decided: rita confirmed it at" in join_messages(answer)
        assert refresh_status(order) == OrderStatus.PAID


class TestWhereOneLands:
    def test_at_the_next_that_waits_with_a_link_back(self, reviewer: Client) -> None:
        first, second = create_two_waiting_orders()

        answer = decide(reviewer, first, "confirm", seen=[first.proofs.get().pk], then="queue")

        assert answer["Location"] == build_review_url(second)
        assert f'href="{build_review_url(first)}"' in join_messages(answer)

    def test_at_the_beginning_after_the_last_and_never_at_one_that_waits_for_its_buyer(
        self, reviewer: Client
    ) -> None:
        first, second = create_two_waiting_orders()
        seen = second.proofs.get().pk
        back = decide(reviewer, second, "ask_again", seen=[seen], then="queue")
        assert back["Location"] == build_review_url(first)

        answer = decide(reviewer, first, "confirm", seen=[first.proofs.get().pk], then="queue")

        assert answer["Location"] == reverse("admin:desk_queue")

    def test_within_the_raffle_one_came_from(self, reviewer: Client) -> None:
        first, second = create_two_waiting_orders()
        other = sample_data.place_order(builders.create_raffle(), numbers=[1])
        sample_data.receive_kept_proof(other, at=NOON)

        answer = decide(
            reviewer,
            second,
            "reject",
            reason="ILLEGIBLE",
            seen=[second.proofs.get().pk],
            then="queue",
            raffle=first.raffle_id,
        )

        assert answer["Location"] == f"{build_review_url(first)}?raffle={first.raffle_id}"

    def test_not_at_one_that_somebody_else_looks_at(self, reviewer: Client) -> None:
        first, second = create_two_waiting_orders()
        third = sample_data.place_order(first.raffle, numbers=[20])
        sample_data.receive_kept_proof(third, at=NOON + 3 * MINUTE)
        log_in_reviewer("sam").get(reverse("admin:desk_review_state", args=[second.pk]))

        answer = decide(reviewer, first, "confirm", seen=[first.proofs.get().pk], then="queue")

        assert answer["Location"] == build_review_url(third)


class TestTheSecondReviewer:
    """Two reviewers open one order: the second learns who decided and when, and changes nothing."""

    @pytest.mark.parametrize("decision", DECISIONS)
    def test_hears_who_confirmed_it(self, reviewer: Client, decision: str) -> None:
        order = sample_data.place_order()
        seen = sample_data.receive_kept_proof(order).pk
        decide(reviewer, order, "confirm", seen=[seen])
        form = {"seen": [seen], "reason": "REPEATED", "sure": "yes", "waited": "yes"}

        answer = decide(log_in_reviewer("sam"), order, decision, then="queue", **form)

        assert "rita confirmed" in join_messages(answer)
        assert "(just now)" in join_messages(answer)
        assert "Nothing was changed" in join_messages(answer)
        assert answer["Location"] == build_review_url(order)
        assert refresh_status(order) == OrderStatus.PAID
        assert OutboundMessage.objects.count() == 1

    def test_does_not_confirm_what_was_turned_down_meanwhile(self, reviewer: Client) -> None:
        order = sample_data.place_order()
        seen = sample_data.receive_kept_proof(order).pk
        decide(reviewer, order, "reject", reason="ILLEGIBLE", seen=[seen])

        answer = decide(
            log_in_reviewer("sam"), order, "confirm", seen=[seen], then="queue", waited="yes"
        )

        assert "rita rejected its proof at" in join_messages(answer)
        assert refresh_status(order) == OrderStatus.PENDING_PAYMENT

    def test_hears_that_the_buyer_was_asked_meanwhile_and_may_then_decide(
        self, reviewer: Client
    ) -> None:
        order = sample_data.place_order()
        form = {
            "seen": [sample_data.receive_kept_proof(order).pk],
            "then": "queue",
            "waited": "yes",
        }
        decide(reviewer, order, "ask_again", **form)
        sam = log_in_reviewer("sam")

        messages = join_messages(decide(sam, order, "confirm", **form))

        assert "rita asked the buyer for another proof" in messages
        assert refresh_status(order) == OrderStatus.PENDING_PAYMENT
        decide(sam, order, "confirm", asked="yes", **form)
        assert refresh_status(order) == OrderStatus.PAID

    @pytest.mark.parametrize("decision", ["confirm", "reject", "ask_again"])
    def test_never_judges_a_proof_unseen(self, reviewer: Client, decision: str) -> None:
        order = sample_data.place_order()
        seen, new = sample_data.receive_kept_proof(order), sample_data.receive_kept_proof(order)

        answer = decide(reviewer, order, decision, seen=[seen.pk], reason="REPEATED", then="queue")

        assert answer["Location"] == f"{build_review_url(order)}?new={new.pk}"
        assert "arrived while you were looking" in join_messages(answer)
        assert OutboundMessage.objects.count() == 0
        page = reviewer.get(answer["Location"]).content.decode()
        assert '<span class="badge text-bg-info">New</span>' in page


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    @pytest.mark.parametrize("decision", ["confirm", "reject", "ask_again"])
    def test_have_one_effect(self, decision: str) -> None:
        order = sample_data.place_order()
        form = {
            "seen": [sample_data.receive_kept_proof(order).pk],
            "reason": "REPEATED",
            "waited": "yes",
        }
        browsers = [log_in_reviewer(name) for name in ("rita", "sam", "kim")]

        def act(browser: Client) -> Callable[[], Any]:
            return lambda: decide(browser, order, decision, then="queue", **form)

        answers = run_at_once([act(browser) for browser in browsers])

        assert [answer.status_code for answer in answers] == [302] * 3
        assert OutboundMessage.objects.count() == 1
        events = OrderEvent.objects.filter(order=order, actor_kind="STAFF")
        assert events.count() == 1
        first = events.get().actor_label
        assert sum(first in join_messages(answer) for answer in answers) == 2

    def test_confirm_and_reject_have_one_winner(self) -> None:
        order = sample_data.place_order()
        form = {
            "seen": [sample_data.receive_kept_proof(order).pk],
            "reason": "REPEATED",
            "waited": "yes",
        }
        rita, sam = log_in_reviewer("rita"), log_in_reviewer("sam")

        run_at_once(
            [
                lambda: decide(rita, order, "confirm", **form),
                lambda: decide(sam, order, "reject", **form),
            ]
        )

        verdict = order.proofs.get().verdict
        paid = refresh_status(order) == OrderStatus.PAID
        assert verdict == (Verdict.ACCEPTED if paid else Verdict.REJECTED)
        assert [message.key for message in OutboundMessage.objects.all()] == [
            "paid" if paid else "rejected"
        ]


class TestSameFile:
    def create_two_orders_with_one_file(self) -> tuple[Order, Order]:
        raffle = builders.create_raffle()
        first, second = (sample_data.place_order(raffle, numbers=[number]) for number in (1, 2))
        for order in (first, second):
            proof = sample_data.receive_proof(order, at=NOON + order.pk * MINUTE)
            sample_data.keep_proof_file(proof, content=b"one receipt")
        return first, second

    def test_is_asked_about_once_more_and_the_answer_is_kept(self, reviewer: Client) -> None:
        first, second = self.create_two_orders_with_one_file()
        form = {"then": "queue", "waited": "yes", "seen": first.proofs.get().pk}

        asked = decide(reviewer, first, "confirm", **form).content.decode()
        assert refresh_status(first) == OrderStatus.PENDING_PAYMENT
        empty = decide(reviewer, first, "confirm", **form, same_file_answer=" ")
        assert refresh_status(first) == OrderStatus.PENDING_PAYMENT
        confirmed = decide(reviewer, first, "confirm", **form, same_file_answer="one for both")

        assert f"also came with {second}" in asked
        assert 'name="then" value="queue"' in asked
        assert f'name="seen" value="{first.proofs.get().pk}"' in asked
        assert empty["Location"] == build_review_url(first)
        assert confirmed["Location"] == build_review_url(second)
        assert refresh_status(first) == OrderStatus.PAID
        paid = first.events.get(action=OrderAction.PAID)
        assert paid.reason == f"The very same file came with {second}: one for both"

    def test_is_not_asked_about_if_the_proof_does_not_wait_any_more(self, reviewer: Client) -> None:
        first, second = self.create_two_orders_with_one_file()
        seen = first.proofs.get().pk
        decide(reviewer, first, "confirm", waited="yes", seen=seen, same_file_answer="one for both")
        assert refresh_status(first) == OrderStatus.PAID

        again = decide(reviewer, first, "confirm", waited="yes")

        assert again.status_code == 302
        assert refresh_status(second) == OrderStatus.PENDING_PAYMENT
