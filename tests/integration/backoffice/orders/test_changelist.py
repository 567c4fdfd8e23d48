"""Tests of the order list, the order page and decisions about many orders."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from pytest_django import DjangoAssertNumQueries

from backoffice.orders.changelist import bulk_confirmation
from shared.core.enums import OrderAction, OrderStatus, OutboxKind, OutboxStatus, RenditionStatus
from shared.raffles.models import Order, OrderEvent, PaymentProof, Raffle
from shared.use_cases import order_endings, payments, proof_files, proof_sorting
from shared.whatsapp import messages
from shared.whatsapp.models import OutboundMessage
from tests import builders
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID
from tests.integration.backoffice import sample_data
from tests.integration.concurrency import make_database_busy, run_at_once

pytestmark = pytest.mark.django_db

LIST = "/admin/raffles/order/"
ACTIONS = {"confirm": "confirm_payments", "reject": "reject_proofs", "cancel": "cancel_orders"}


@pytest.fixture
def reviewer(client: Client) -> Client:
    """Return the browser of a user who may decide about payments."""
    client.force_login(sample_data.create_user("rita", *sample_data.REVIEWER_PERMISSIONS))
    return client


def list_codes(browser: Client, **query: str) -> list[str]:
    """Return the order codes of the list, in its order."""
    answer = browser.get(LIST, query)
    assert answer.status_code == 200
    return [str(order) for order in answer.context["cl"].result_list]


def load_page(browser: Client, order: Order) -> str:
    answer = browser.get(reverse("admin:raffles_order_change", args=[order.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def extract_text(page: str) -> str:
    """Return a page's text on one line, without markup."""
    return " ".join(strip_tags(page).split())


def create_cash_sale(raffle: Raffle, **fields: Any) -> Order:
    sold = {"status": OrderStatus.PAID, "buyer_name": "Carla Cash", "code": "R-CASH7"}
    return builders.create_order_row(raffle, **{**sold, **fields})


def cancel_order(order: Order) -> None:
    order_endings.cancel_order(order.pk, by=builders.build_staff_actor(), now=NOON)


def confirm_payment(order: Order) -> None:
    payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON)


class TestSearch:
    def test_finds_by_code_phone_and_name_in_any_spelling(self, owner: Client) -> None:
        buyer = builders.create_contact(profile_name="Ana Maria", wa_id="15550107777")
        raffle = builders.create_raffle()
        code = str(sample_data.place_order(raffle, numbers=[1], buyer=buyer))
        sample_data.place_order(raffle, numbers=[2])
        typed = [
            *(code, code.lower(), f" {code.removeprefix('R-').lower()} "),
            *("15550107777", "+1 555 010 7777", "010-7777", "0107777"),
            *("ana mar", "MARIA"),
        ]

        assert {term: list_codes(owner, q=term) for term in typed} == {
            term: [code] for term in typed
        }

    @pytest.mark.parametrize("term", ["1" * 5_000, "ana " * 1_500, "ﷺ" * 4_096, "#1 in " * 900])
    def test_finds_nothing_by_a_text_that_is_too_long(self, owner: Client, term: str) -> None:
        sample_data.place_order(builders.create_raffle(), numbers=[1])

        assert list_codes(owner, q=term) == []

    def test_finds_who_paid_in_cash_as_it_was_written_down(self, owner: Client) -> None:
        raffle = builders.create_raffle()
        create_cash_sale(raffle, buyer_phone="+1 (555) 019-8765")
        sample_data.place_order(raffle, numbers=[1])

        for term in ("carla", "cash carla", "555 0198765", "15550198765"):
            assert list_codes(owner, q=term) == ["R-CASH7"], term

    def test_finds_who_has_a_number_before_those_who_had_it(self, owner: Client) -> None:
        raffle = builders.create_raffle()
        sample_data.place_order(raffle, numbers=[8])
        has = sample_data.place_order(raffle, numbers=[7])
        cancel_order(has)
        had = sample_data.place_order(raffle, numbers=[7, 9])
        cancel_order(had)
        confirm_payment(has)  # late, while its number was still free

        for term in ("07", "#0007", "7 in summer"):
            assert list_codes(owner, q=term) == [str(has), str(had)], term
        assert list_codes(owner, q="7", o="1") == sorted([str(has), str(had)])
        assert list_codes(owner, q="#99") == list_codes(owner, q="7 in winter") == []

    def test_finds_a_number_in_every_raffle_or_in_the_chosen_one(self, owner: Client) -> None:
        summer, winter = builders.create_raffle(), builders.create_raffle(title="Winter Raffle")
        here, there = (sample_data.place_order(raffle, numbers=[7]) for raffle in (summer, winter))

        assert list_codes(owner, q="07") == [str(there), str(here)]
        assert list_codes(owner, q="07", raffle=str(summer.pk)) == [str(here)]
        assert list_codes(owner, q="07 in WINTER") == [str(there)]


class TestFilters:
    def list_options(self, browser: Client, **query: str) -> list[str]:
        answer = browser.get(LIST, query)
        tabs = [tab.words for tab in answer.context["tabs"]]
        return tabs + [words for one in answer.context["cl"].selects() for _, words in one.options]

    def test_say_how_many_orders_each_answer_has(self, owner: Client) -> None:
        summer, winter = builders.create_raffle(), builders.create_raffle(title="Winter Raffle")
        now = timezone.now()
        for number in (1, 2):
            sample_data.receive_proof(sample_data.place_order(summer, numbers=[number]))
        Order.objects.filter(under_review_since__isnull=False).order_by("id").first()
        asked = Order.objects.order_by("id").first()
        assert asked is not None
        payments.ask_for_better_proof(asked.pk, note="", by=builders.build_staff_actor(), now=NOON)
        builders.create_order_row(summer, expires_at=now + 5 * MINUTE)
        builders.create_order_row(summer, expires_at=now + 20 * MINUTE)
        create_cash_sale(winter, needs_decision=True)

        assert self.list_options(owner) == [
            *("All (5)", "To review (2)", "Asked again (1)", "Expiring soon (1)"),
            *("Late payments (1)", "Cash (3)"),
            *("Draft (2)", "Pending payment (2)", "Paid (1)", "Cancelled (0)", "Expired (0)"),
            *("Winter Raffle (1)", "Summer Raffle (4)"),
        ]
        within = self.list_options(owner, raffle=str(winter.pk))
        assert {"All (1)", "To review (0)", "Cash (1)", "Paid (1)"} <= set(within)

    def test_keep_the_orders_that_were_counted(self, owner: Client) -> None:
        raffle, now = builders.create_raffle(), timezone.now()
        later, sooner = (sample_data.place_order(raffle, numbers=[n]) for n in (1, 2))
        sample_data.receive_proof(later, at=NOON + 5 * MINUTE)
        sample_data.receive_proof(sooner, at=NOON + MINUTE)
        soon = sample_data.place_order(raffle, numbers=[3])
        Order.objects.filter(pk=soon.pk).update(expires_at=now + 5 * MINUTE)
        held = sample_data.place_order(raffle, numbers=[4])
        Order.objects.filter(pk=held.pk).update(expires_at=now + timedelta(hours=1))

        # The longest waiting comes first.
        assert list_codes(owner, review="waiting") == [str(sooner), str(later)]
        assert list_codes(owner, expiring="soon") == [str(soon)]
        assert list_codes(owner, status="PENDING_PAYMENT", review="asked") == []
        assert "4 min left" in extract_text(owner.get(LIST).content.decode())

    def test_are_kept_by_a_search_unless_the_form_has_a_field_for_them(self, owner: Client) -> None:
        sample_data.receive_proof(sample_data.place_order())

        shown = owner.get(LIST, {"review": "waiting", "status": "PENDING_PAYMENT", "q": "Buyer"})

        assert shown.context["cl"].kept() == {"review": "waiting"}
        assert '<input type="hidden" name="review" value="waiting">' in shown.content.decode()


@pytest.mark.same_everywhere
class TestList:
    def test_takes_twelve_queries_at_most_for_any_number_of_rows(
        self, reviewer: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        raffle = builders.create_raffle()
        for number in range(7, 20):
            sample_data.receive_proof(
                sample_data.place_order(raffle, numbers=[number, number + 20, number + 40])
            )

        for query in ({}, {"q": "Buyer"}, {"q": "07"}, {"q": "5550"}, {"review": "waiting"}):
            cache.clear()
            with django_assert_max_num_queries(12):
                assert list_codes(reviewer, **query)

    def test_is_for_those_who_may_see_orders(self, client: Client) -> None:
        client.force_login(sample_data.create_user("somebody", "view_raffle"))
        order = sample_data.place_order()

        pages = [LIST, reverse("admin:raffles_order_change", args=[order.pk])]
        assert [client.get(page).status_code for page in pages] == [403, 403]


class TestPage:
    @pytest.mark.same_everywhere
    def test_tells_the_history_by_its_doors_in_the_raffles_own_time(self, owner: Client) -> None:
        order = sample_data.place_order(builders.create_raffle(time_zone="America/Bogota"))
        payments.confirm_payment(order.pk, by=builders.build_token_actor(), now=NOON + MINUTE)
        OrderEvent.objects.create(
            order=order, action=OrderAction.EXPIRED, actor_kind="SWEEPER", at=NOON
        )

        page = load_page(owner, order)
        history = extract_text(page.split('class="story"')[1].split("</ol>")[0])

        assert re.findall(r"Order placed by Buyer, Chat 22 Nov 2026, 07:00 · .*? ago", history)
        assert "Payment confirmed by n8n, API" in history
        assert "Expired, numbers free again Clock" in history
        assert history.index("Payment confirmed") < history.index("Order placed")

    @pytest.mark.same_everywhere
    def test_says_what_led_the_buyer_to_the_chat_as_the_list_does(self, owner: Client) -> None:
        order = sample_data.place_order(numbers=[7])
        assert "Came by" not in load_page(owner, order)

        Order.objects.update(source_kind="AD", source_name="<b>Chat</b>", source_id="1202")

        assert "<dt>Came by</dt><dd>Ad: &lt;b&gt;Chat&lt;/b&gt;</dd>" in load_page(owner, order)
        assert '<span class="line">Ad: &lt;b&gt;' in owner.get(LIST).content.decode()

    def test_leads_from_each_number_to_its_place_on_the_map(self, owner: Client) -> None:
        order = sample_data.place_order(numbers=[7, 13])

        page = load_page(owner, order)

        address = reverse("admin:desk_numbers", args=[order.raffle_id])
        assert f'href="{address}?number=007"' in page
        assert f'href="{address}?number=013"' in page

    @pytest.mark.same_everywhere
    def test_shows_name_and_phone_of_a_sale_for_cash(self, owner: Client) -> None:
        order = create_cash_sale(builders.create_raffle(), buyer_phone="+1 555 019 8765")

        assert "Carla Cash, +1 555 019 8765" in extract_text(load_page(owner, order))

    @pytest.mark.same_everywhere
    def test_says_that_news_did_not_arrive_and_how_to_tell_the_buyer_by_hand(
        self, owner: Client
    ) -> None:
        buyer = builders.create_contact(wa_id="15550107777")
        order = sample_data.place_order(buyer=buyer)
        OutboundMessage.objects.create(
            phone_number_id=PHONE_NUMBER_ID,
            contact=buyer,
            kind=OutboxKind.NOTICE,
            key="paid",
            payload=messages.build_text("007 is yours"),
            status=OutboxStatus.WITHHELD,
            created_at=NOON,
        )

        page = load_page(owner, order)

        assert "The buyer has not got our last news. More than 24 hours" in extract_text(page)
        assert 'href="https://wa.me/15550107777?text=007%20is%20yours"' in page

    @pytest.mark.same_everywhere
    def test_keeps_the_conversation_from_who_may_not_read_messages(self, client: Client) -> None:
        order = sample_data.place_order()
        client.force_login(sample_data.create_user("rita", *sample_data.REVIEWER_PERMISSIONS))
        assert "Conversation" not in extract_text(load_page(client, order))

        client.force_login(
            sample_data.create_user("eva", *sample_data.REVIEWER_PERMISSIONS, "view_inboundmessage")
        )
        assert "Conversation" in extract_text(load_page(client, order))

    @pytest.mark.same_everywhere
    def test_offers_no_decision_to_who_may_only_look(self, client: Client) -> None:
        order = sample_data.place_order()
        sample_data.keep_proof_file(sample_data.receive_proof(order))
        client.force_login(sample_data.create_user("looker", "view_order"))

        page = load_page(client, order)

        assert "Open in review" in page
        assert "Confirm payment" not in page
        assert "Cancel the order" not in page

    @pytest.mark.same_everywhere
    def test_shows_each_proof_and_sends_those_that_wait_with_the_decision(
        self, owner: Client
    ) -> None:
        order = sample_data.place_order()
        kept = sample_data.keep_proof_file(sample_data.receive_proof(order))
        failed = sample_data.receive_proof(order)
        proof_files.record_proof_fetch_failure(
            failed.pk, error="MediaGone", retry_at=None, now=NOON
        )

        page = load_page(owner, order)

        assert reverse("admin:raffles_paymentproof_file", args=[kept.pk]) in page
        assert "WhatsApp no longer has the file" in page
        assert f'name="seen" value="{kept.pk}"' in page

    @pytest.mark.same_everywhere
    def test_escapes_what_buyers_wrote(self, owner: Client) -> None:
        order = sample_data.place_order(
            buyer=builders.create_contact(profile_name="<script>alert(1)</script>")
        )

        assert "<script>alert(1)" not in load_page(owner, order)

    def test_takes_thirteen_queries_at_most_however_much_happened(
        self, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        client.force_login(
            sample_data.create_user(
                "rita", *sample_data.REVIEWER_PERMISSIONS, "view_inboundmessage"
            )
        )
        raffle = builders.create_raffle()
        other, order = (sample_data.place_order(raffle, numbers=[n]) for n in (1, 2))
        for each in (other, order, order, order):
            sample_data.keep_proof_file(
                sample_data.receive_proof(each), content=sample_data.draw_picture("red")
            )

        with django_assert_max_num_queries(13):
            page = load_page(client, order)
        assert str(other) in page  # has the same picture


def post_action(browser: Client, act: str, *orders: Order, across: bool = False) -> Any:
    """Choose orders and an action in the list."""
    form = {"action": ACTIONS[act], "_selected_action": [order.pk for order in orders]}
    return browser.post(LIST, {**form, "select_across": "1" if across else "0"})


def build_form(page: Any) -> dict[str, Any]:
    """Return the data of the confirmation page's form."""
    lines = page.context["choice"].lines
    return {
        "order": [line.order.pk for line in lines if line.fits],
        **{f"seen-{line.order.pk}": line.seen for line in lines},
    }


def post_decisions(browser: Client, act: str, form: dict[str, Any]) -> str:
    answer = browser.post(reverse(f"admin:raffles_order_{act}_many"), form, follow=True)
    assert answer.status_code == 200
    return extract_text(answer.content.decode())


class TestManyAtOnce:
    @pytest.mark.same_everywhere
    def test_shows_proofs_and_amounts_and_ticks_only_what_nothing_speaks_against(
        self, reviewer: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        raffle = builders.create_raffle()
        good, same, twin, bare, paid = (
            sample_data.place_order(raffle, numbers=[n]) for n in range(1, 6)
        )
        held = sample_data.hold_numbers(raffle, numbers=[6])
        sample_data.keep_proof_file(
            sample_data.receive_proof(good), content=b"%PDF-1.7", content_type="application/pdf"
        )
        for order in (same, twin):
            sample_data.keep_proof_file(
                sample_data.receive_proof(order), content=sample_data.draw_picture("red")
            )
        confirm_payment(paid)

        with django_assert_max_num_queries(12):
            page = post_action(reviewer, "confirm", good, same, twin, bare, paid, held)

        lines = {line.order: line for line in page.context["choice"].lines}
        assert [order for order, line in lines.items() if line.chosen] == [good]
        assert [order for order, line in lines.items() if not line.fits] == [held, paid]
        assert f"also came with {twin}" in lines[same].hint
        assert "No proof has come" in lines[bare].hint
        assert page.context["choice"].sum == "$5.00"
        assert "nothing to pay" in lines[held].hint
        pdf = good.proofs.get()
        assert (
            reverse("admin:raffles_paymentproof_thumbnail", args=[pdf.pk]).encode() in page.content
        )

    def test_does_not_confirm_what_cannot_be_shown(self, reviewer: Client) -> None:
        order = sample_data.place_order()
        proof = sample_data.keep_proof_file(sample_data.receive_proof(order))
        PaymentProof.objects.filter(pk=proof.pk).update(rendition=RenditionStatus.TOO_COMPLEX)

        page = post_action(reviewer, "confirm", order)

        (line,) = page.context["choice"].lines
        assert not line.fits
        assert "open the file on its own page" in line.hint

    def test_says_exactly_what_happened_to_each(self, reviewer: Client) -> None:
        raffle = builders.create_raffle()
        fresh, before, gone, late = (
            sample_data.place_order(raffle, numbers=[n]) for n in range(1, 5)
        )
        held = sample_data.hold_numbers(raffle, numbers=[6])
        confirm_payment(before)
        for order in (gone, late):
            cancel_order(order)
        sample_data.place_order(raffle, numbers=[3])
        keys = [order.pk for order in (fresh, before, gone, late, held)]

        text = post_decisions(reviewer, "confirm", {"order": keys})

        assert f"{fresh} is paid: 001 are sold." in text
        assert f"{before} was already confirmed by rita on 22 Nov 2026, 12:00 (UTC)." in text
        assert f"{gone} was not confirmed: it had ended and somebody else has 003." in text
        assert f"{late} is paid: 004 are sold. It was late" in text
        assert f"{held} could not: The buyer has not confirmed this order yet" in text
        assert "2 done 1 already decided 2 left as they were" in text
        assert "2 done" in extract_text(reviewer.get(f"{LIST}many/done/").content.decode())

    @pytest.mark.same_everywhere
    def test_leaves_an_order_alone_whose_next_proof_came_after_the_page(
        self, reviewer: Client
    ) -> None:
        raffle = builders.create_raffle()
        orders = [sample_data.place_order(raffle, numbers=[n]) for n in (1, 2)]
        for order in orders:
            sample_data.keep_proof_file(sample_data.receive_proof(order))
        form = build_form(post_action(reviewer, "confirm", *orders))
        sample_data.keep_proof_file(sample_data.receive_proof(orders[0]))

        text = post_decisions(reviewer, "confirm", form)

        assert f"{orders[0]} was left alone: another proof arrived" in text
        assert f"{orders[1]} is paid" in text
        assert list(Order.objects.filter(status=OrderStatus.PAID)) == [orders[1]]

    def test_leaves_orders_alone_between_which_a_proof_was_moved(self, reviewer: Client) -> None:
        raffle = builders.create_raffle()
        orders = [sample_data.place_order(raffle, numbers=[n]) for n in (1, 2, 3)]
        moved, *_ = [
            sample_data.keep_proof_file(sample_data.receive_proof(order)) for order in orders
        ]
        form = build_form(post_action(reviewer, "confirm", *orders))
        proof_sorting.move_proof(
            moved.pk,
            from_order_id=orders[0].pk,
            to_order_id=orders[1].pk,
            by=builders.build_staff_actor(),
            now=timezone.now(),
        )

        text = post_decisions(reviewer, "confirm", form)

        assert f"{orders[0]} was left alone: a proof was moved to another order" in text
        assert f"{orders[1]} was left alone: another proof arrived" in text
        assert list(Order.objects.filter(status=OrderStatus.PAID)) == [orders[2]]

    @pytest.mark.same_everywhere
    def test_rejects_for_a_reason_and_never_without(self, reviewer: Client) -> None:
        order = sample_data.place_order()
        sample_data.keep_proof_file(sample_data.receive_proof(order))
        form = build_form(post_action(reviewer, "reject", order))

        assert "nothing was changed" in post_decisions(reviewer, "reject", form)
        assert "nothing was changed" in post_decisions(
            reviewer, "reject", form | {"reason": "OTHER"}
        )
        text = post_decisions(reviewer, "reject", form | {"reason": "ILLEGIBLE", "note": "blurred"})
        again = post_decisions(reviewer, "reject", form | {"reason": "ILLEGIBLE"})

        assert f"{order} is rejected" in text
        assert f"{order} is decided: rita rejected its proof" in again
        event = order.events.get(action=OrderAction.PROOF_REJECTED)
        assert (event.actor_label, "blurred" in event.reason) == ("rita", True)

    @pytest.mark.same_everywhere
    def test_cancels_after_asking_and_ticks_none_whose_buyer_may_have_paid(
        self, reviewer: Client
    ) -> None:
        raffle = builders.create_raffle()
        waits, free = (sample_data.place_order(raffle, numbers=[n]) for n in (1, 2))
        sample_data.receive_proof(waits)

        page = post_action(reviewer, "cancel", waits, free)
        ticked = [line.order.pk for line in page.context["choice"].lines if line.chosen]
        text = post_decisions(reviewer, "cancel", {"order": ticked, "note": "raffle moved"})

        assert f"{free} is cancelled" in text
        assert str(waits) not in text
        assert free.events.filter(action=OrderAction.CANCELLED, reason="raffle moved").exists()

    @pytest.mark.same_everywhere
    def test_takes_so_many_at_a_time_and_says_so(self, owner: Client) -> None:
        raffle = builders.create_raffle()
        row = builders.create_order_row(raffle)
        more = bulk_confirmation.MAX_ORDERS_PER_ACTION + 2
        Order.objects.bulk_create(
            Order(**{**fields, "id": None, "code": None})
            for fields in [Order.objects.values().get(pk=row.pk)] * more
        )

        page = post_action(owner, "cancel", row, across=True)

        assert len(page.context["choice"].lines) == bulk_confirmation.MAX_ORDERS_PER_ACTION
        assert "3 more were chosen" in extract_text(page.content.decode())

    @pytest.mark.same_everywhere
    def test_is_403_for_who_may_not_decide(self, client: Client) -> None:
        client.force_login(sample_data.create_user("looker", "view_order"))
        order = sample_data.place_order()
        form = {"order": [order.pk], "reason": "ILLEGIBLE"}

        for act in ACTIONS:
            address = reverse(f"admin:raffles_order_{act}_many")
            answers = [
                post_action(client, act, order),
                client.post(address, form),
                client.get(address),
            ]
            assert [answer.status_code for answer in answers] == [403, 403, 405], act
        assert client.get(f"{LIST}many/done/").status_code == 403
        assert order.events.count() == 2


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    def test_two_confirm_the_same_orders_with_one_effect(self) -> None:
        raffle = builders.create_raffle()
        orders = [sample_data.place_order(raffle, numbers=[n]) for n in (1, 2, 3)]
        browsers = [Client(), Client()]
        for name, browser in zip(("rita", "olga"), browsers, strict=True):
            browser.force_login(User.objects.create_superuser(name))
        forms = [{"order": [order.pk for order in turn]} for turn in (orders, orders[::-1])]

        def confirming(browser: Client, form: dict[str, Any]) -> Callable[[], str]:
            return lambda: post_decisions(browser, "confirm", form)

        texts = run_at_once([confirming(*pair) for pair in zip(browsers, forms, strict=True)])

        for order in orders:
            assert sum(f"{order} is paid" in text for text in texts) == 1
            assert sum(f"{order} was already confirmed by" in text for text in texts) == 1
            assert order.events.filter(action=OrderAction.PAID).count() == 1
        assert OutboundMessage.objects.filter(key="paid").count() == 3

    def test_a_busy_order_is_told_and_does_not_stop_the_others(self, vendor: str) -> None:
        raffle = builders.create_raffle()
        orders = [sample_data.place_order(raffle, numbers=[n]) for n in (1, 2)]
        browser = Client()
        browser.force_login(User.objects.create_superuser("rita"))
        form = {"order": [order.pk for order in orders]}

        with make_database_busy(orders[0]):
            text = post_decisions(browser, "confirm", form)

        assert f"{orders[0]} could not: the database is busy. Nothing was changed" in text
        one_by_one = vendor != "sqlite"  # the first one locks all of them
        assert (f"{orders[1]} is paid" in text) is one_by_one
        assert Order.objects.filter(status=OrderStatus.PAID).exists() is one_by_one
