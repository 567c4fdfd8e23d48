"""Tests of the list of refunds: its rows, its ways to work them off, and its export."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from shared.core.enums import OrderStatus
from shared.raffles.models import Order, Raffle
from shared.raffles.services import lifecycle
from shared.use_cases import payments, raffle_changes
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.orders.test_exports import download_export, parse_csv
from tests.integration.backoffice.orders.test_late_payments import create_late_payment
from tests.integration.backoffice.pages import join_messages, log_in_reviewer, refresh_status

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]


def create_paid_order(raffle: Raffle, number: int, **buyer: Any) -> Order:
    order = sample_data.place_order(
        raffle, numbers=[number], buyer=builders.create_contact(**buyer)
    )
    sample_data.receive_proof(order)
    payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON + 2 * MINUTE)
    return order


def create_called_off_raffle(title: str = "Boat Raffle") -> tuple[Raffle, Order, Order]:
    """Call off a raffle with a paid order and one under review; return them with the raffle."""
    raffle = builders.create_raffle(title=title)
    paid = create_paid_order(raffle, 7, profile_name="Ana", wa_id=f"1555{raffle.pk:07d}")
    reviewed = sample_data.place_order(raffle, numbers=[13])
    sample_data.receive_proof(reviewed)
    by = builders.build_staff_actor()
    lifecycle.call_off(raffle.pk, reason="too few were sold", by=by, now=NOON + 5 * MINUTE)
    raffle_changes.continue_raffle_changes(now=NOON + 6 * MINUTE)
    return raffle, paid, reviewed


def load_page(browser: Client, query: str = "") -> str:
    answer = browser.get(reverse("admin:desk_refunds") + query)
    assert answer.status_code == 200
    return answer.content.decode()


class TestTheList:
    def test_has_the_buyer_the_amount_the_reason_and_ways_to_work_it_off(
        self, owner: Client
    ) -> None:
        raffle, paid, reviewed = create_called_off_raffle()

        page = load_page(owner)

        assert "$10.00</strong> of <strong" in page
        assert f"Ana, +1555{raffle.pk:07d}" in page
        assert f"https://wa.me/1555{raffle.pk:07d}?text=Boat%20Raffle" in page
        assert "It was paid, and the raffle was called off." in page
        assert "A payment came, and the raffle was called off." in page
        assert reverse("admin:raffles_order_refund", args=[paid.pk]) + "?then=refunds" in page
        assert reverse("admin:desk_review", args=[reviewed.pk]) + "?then=refunds" in page

    def test_never_calls_a_payment_late_because_its_raffle_was_called_off(
        self, owner: Client
    ) -> None:
        _, paid, reviewed = create_called_off_raffle()

        pages = [
            load_page(owner),
            owner.get(reverse("admin:raffles_order_change", args=[reviewed.pk])).content.decode(),
            owner.get(reverse("admin:desk_review", args=[reviewed.pk])).content.decode(),
            owner.get(reverse("admin:raffles_order_refund", args=[paid.pk])).content.decode(),
        ]

        assert not [page for page in pages if "too late" in page]
        assert "A payment needs a decision" in pages[1]

    def test_has_late_payments_after_the_draw_with_the_reason(self, owner: Client) -> None:
        late = create_late_payment()
        assert f">{late}</a>" not in load_page(owner)
        Raffle.objects.update(draw_at=datetime(2020, 1, 1, tzinfo=UTC))

        page = load_page(owner)

        assert f">{late}</a>" in page
        assert "Paid too late. The time of the draw has come" in page
        assert 'aria-current="page">Refunds <span class="count some">1</span>' in page

    def test_can_be_narrowed_to_a_raffle(self, owner: Client) -> None:
        raffle, paid, _ = create_called_off_raffle()
        _, other, _ = create_called_off_raffle("Winter Raffle")

        page = load_page(owner, f"?raffle={raffle.pk}")

        assert f">{paid}</a>" in page
        assert f">{other}</a>" not in page
        assert f"what=REFUNDS&amp;status=&amp;raffle={raffle.pk}" in page

    def test_takes_as_many_queries_for_many_as_for_few(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for serial in range(4):
            create_called_off_raffle(f"Raffle {serial}")

        with django_assert_max_num_queries(12):
            load_page(owner)

    def test_offers_no_refund_to_those_who_may_not_refund(self) -> None:
        _, paid, _ = create_called_off_raffle()

        page = load_page(log_in_reviewer())

        assert f">{paid}</a>" in page
        assert reverse("admin:raffles_order_refund", args=[paid.pk]) not in page

    def test_is_not_for_those_who_may_not_see_orders(self, client: Client) -> None:
        client.force_login(sample_data.create_user("other", "view_raffle"))

        assert client.get(reverse("admin:desk_refunds")).status_code == 403

    def test_says_when_nothing_waits(self, owner: Client) -> None:
        assert "No refund waits." in load_page(owner)


class TestWorkingItOff:
    def test_returns_to_the_list_within_the_raffle(self, owner: Client) -> None:
        raffle, paid, reviewed = create_called_off_raffle()
        here = f"{reverse('admin:desk_refunds')}?raffle={raffle.pk}"
        origin: dict[str, str | int] = {"then": "refunds", "raffle": raffle.pk}
        form = owner.get(
            reverse("admin:raffles_order_refund", args=[paid.pk]), origin
        ).content.decode()
        assert "the order ends with the refund" in form
        confirmation = paid.events.get(action="PAID").pk

        answers = [
            owner.post(
                reverse("admin:raffles_order_refund", args=[paid.pk]),
                {"confirmation": confirmation, "note": "sent", "reference": "TR-7", **origin},
            ),
            owner.post(
                reverse("admin:desk_late_refund", args=[reviewed.pk]),
                {"note": "sent", "seen": reviewed.proofs.get().pk, **origin},
            ),
        ]

        assert [answer["Location"] for answer in answers] == [here, here]
        assert "is refunded" in join_messages(answers[0])
        assert refresh_status(paid) == OrderStatus.CANCELLED
        page = load_page(owner)
        assert "No refund waits." in page
        assert "Refunded lately" in page
        assert "TR-7" in page

    def test_keeps_to_the_list_on_the_review_page(self, owner: Client) -> None:
        _, _, reviewed = create_called_off_raffle()

        page = owner.get(
            reverse("admin:desk_review", args=[reviewed.pk]), {"then": "refunds"}
        ).content.decode()

        assert '<input type="hidden" name="then" value="refunds">' in page
        assert reverse("admin:desk_late_replace", args=[reviewed.pk]) not in page
        assert reverse("admin:desk_late_refund", args=[reviewed.pk]) in page


class TestTheExport:
    def test_has_refunds_to_make_and_refunds_made(self, owner: Client) -> None:
        raffle, paid, reviewed = create_called_off_raffle()
        create_called_off_raffle("Winter Raffle")
        owner.post(
            reverse("admin:raffles_order_refund", args=[paid.pk]),
            {
                "confirmation": paid.events.get(action="PAID").pk,
                "note": "sent",
                "reference": "TR-7",
            },
        )

        to_make, made = parse_csv(download_export(owner, what="REFUNDS", raffle=raffle.pk))

        assert (to_make["Order"], to_make["Refund"], to_make["By"]) == (
            reviewed.code,
            "to make",
            "",
        )
        assert (made["Order"], made["Refund"]) == (paid.code, "made")
        assert (made["Buyer"], made["Amount"], made["Reference"], made["By"]) == (
            "Ana",
            "5.00",
            "TR-7",
            "olga",
        )

    def test_begins_on_the_list(self, owner: Client) -> None:
        address = f"{reverse('admin:desk_export')}?what=REFUNDS"

        assert address in load_page(owner)
        assert "Refunds to make and made" in owner.get(address).content.decode()
