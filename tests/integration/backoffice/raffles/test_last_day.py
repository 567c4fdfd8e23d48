"""Tests of the pages that move a draw and call off a raffle, and of what they lead to."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from backoffice.raffles import history
from shared.core.enums import OrderStatus, OutboxStatus, RaffleStatus
from shared.raffles.models import Order, Raffle, RaffleEvent
from shared.raffles.services import lifecycle
from shared.use_cases import cash_sales, raffle_changes
from shared.whatsapp.models import OutboundMessage
from tests import builders
from tests.builders import DRAW, MINUTE, NOON
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.pages import join_messages, list_messages

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = NOON - timedelta(days=5 * 365)
NEW_DRAW = {"when": "date", "draw_at": "2037-12-20T18:30", "reason": "The hall is taken."}


def build_url(page: str, raffle: Raffle) -> str:
    return reverse(f"admin:raffles_raffle_{page}", args=[raffle.pk])


def list_log_lines(raffle: Raffle) -> list[str]:
    lines = LogEntry.objects.filter(object_id=str(raffle.pk)).order_by("pk")
    return [line.get_change_message() for line in lines]


def call_off(raffle: Raffle) -> None:
    lifecycle.call_off(
        raffle.pk, reason="The prize is broken.", by=builders.build_staff_actor(), now=NOON
    )


def create_paid_order(raffle: Raffle, **fields: Any) -> Order:
    return builders.create_order_row(
        raffle, status=OrderStatus.PAID, **{"contact": builders.create_contact(), **fields}
    )


def sell_for_cash(raffle: Raffle) -> Order:
    return cash_sales.sell_for_cash(
        raffle.pk,
        numbers=(7,),
        quantity=0,
        buyer_name="Greta",
        buyer_phone="+1 (555) 010-9999",
        request_key=uuid4(),
        pivot=0,
        by=builders.build_staff_actor(),
        now=NOON,
    ).order


class TestMoveDraw:
    def test_moves_it_to_a_date_in_the_raffles_zone_and_is_written_down(
        self, owner: Client
    ) -> None:
        raffle = builders.create_raffle(numbers=5, time_zone="America/Bogota")
        sample_data.place_order(raffle, numbers=[1])

        page = owner.get(build_url("move_draw", raffle)).content.decode()
        answer = owner.post(build_url("move_draw", raffle), NEW_DRAW)

        assert "<strong>1 buyer</strong> to tell" in page
        assert "12 Dec 2037, 15:00" in page
        raffle.refresh_from_db()
        assert raffle.draw_at is not None
        assert raffle.draw_at.isoformat() == "2037-12-20T23:30:00+00:00"
        assert answer["Location"] == build_url("change", raffle)
        assert "The draw is moved: 20 Dec 2037, 18:30." in join_messages(answer)
        [event] = raffle.events.all()
        assert (event.action, event.reason, event.actor_label) == (
            "DRAW_MOVED",
            "The hall is taken.",
            "olga",
        )
        assert list_log_lines(raffle) == [
            "Moved the draw from 12 Dec 2037, 15:00 to 20 Dec 2037, 18:30"
        ]

    def test_moves_it_to_when_all_numbers_are_sold(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=5)

        owner.post(build_url("move_draw", raffle), {"when": "sold_out", "reason": "Slow sale."})

        raffle.refresh_from_db()
        assert (raffle.draw_at, raffle.draw_when_sold_out) == (None, True)

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"reason": " "}, "Please write why"),
            ({"reason": "x" * 501}, "The note is too long."),
            ({"draw_at": ""}, "When is the draw?"),
            ({"draw_at": "soon"}, "A date and a time, please."),
            ({"draw_at": "2020-01-01T10:00"}, "The draw must be in the future."),
        ],
    )
    def test_says_at_the_form_what_is_wrong_and_keeps_what_was_typed(
        self, owner: Client, wrong: dict[str, str], words: str
    ) -> None:
        raffle = builders.create_raffle(numbers=5)

        answer = owner.post(build_url("move_draw", raffle), NEW_DRAW | wrong)

        assert answer.status_code == 200
        page = answer.content.decode()
        assert words in page
        assert (wrong | NEW_DRAW if "reason" not in wrong else wrong)["reason"] in page
        raffle.refresh_from_db()
        assert raffle.draw_at == DRAW
        assert not RaffleEvent.objects.exists()

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        ("terms", "words"),
        [
            ({"draw_at": LONG_AGO}, "The draw date has passed; it never moves any more."),
            ({"status": "DRAFT"}, "That change is not possible"),
            ({"status": "SEALED"}, "That change is not possible"),
        ],
    )
    def test_says_why_a_draw_cannot_move(
        self, owner: Client, terms: dict[str, Any], words: str
    ) -> None:
        raffle = builders.create_raffle(numbers=1, **terms)

        page = owner.get(build_url("move_draw", raffle)).content.decode()
        refused = owner.post(build_url("move_draw", raffle), NEW_DRAW)
        panel = owner.get(build_url("change", raffle)).content.decode()

        assert words in page
        assert "Move the draw</button>" not in page
        assert words in refused.content.decode()
        assert "Move the draw…" not in panel
        assert f'href="{build_url("move_draw", raffle)}"' not in panel

    def test_to_the_same_date_changes_nothing(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=1)

        answer = owner.post(
            build_url("move_draw", raffle), NEW_DRAW | {"draw_at": f"{DRAW:%Y-%m-%dT%H:%M}"}
        )

        assert list_messages(answer) == ["That was the draw already; nothing was changed."]
        assert not RaffleEvent.objects.exists()


class TestCallOff:
    FORM = {"reason": "The prize is broken.", "title": " summer  RAFFLE "}

    def test_says_first_what_becomes_of_the_orders_and_the_money(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=20)
        create_paid_order(raffle, quantity=3)
        create_paid_order(raffle)
        sample_data.receive_proof(sample_data.place_order(raffle, numbers=[1]))
        sample_data.hold_numbers(raffle, numbers=[2])

        page = owner.get(build_url("call_off", raffle)).content.decode()

        assert "2 paid orders</strong>" in page
        assert "$20.00</strong> must go back" in page
        assert "1 order under review</strong>" in page
        assert "1 other order</strong>" in page
        assert "All of them wrote more than 24 hours ago" in page

    def test_owes_nothing_for_free_orders(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=10, price=Decimal(0))
        sell_for_cash(raffle)

        before = owner.get(build_url("call_off", raffle)).content.decode()
        Raffle.objects.update(status="CANCELLED")
        after = owner.get(reverse("admin:desk_refunds")).content.decode()

        assert "0 paid orders</strong>: no money must go back." in before
        assert "1 order for free</strong>: nothing must go back." in before
        assert "No money must go back." in after

    def test_calls_it_off_once_its_title_is_typed(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=5)

        answer = owner.post(build_url("call_off", raffle), self.FORM)

        raffle.refresh_from_db()
        assert raffle.status == RaffleStatus.CANCELLED
        assert answer["Location"] == build_url("change", raffle)
        assert "The raffle is called off." in join_messages(answer)
        [event] = raffle.events.all()
        assert (event.action, event.reason) == ("CALLED_OFF", "The prize is broken.")
        assert list_log_lines(raffle) == ["Called off the raffle"]

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"title": "Winter Raffle"}, "That is not the title"),
            ({"title": ""}, "That is not the title"),
            ({"reason": ""}, "Please write why"),
        ],
    )
    def test_does_nothing_without_the_title_and_a_reason(
        self, owner: Client, wrong: dict[str, str], words: str
    ) -> None:
        raffle = builders.create_raffle(numbers=5)

        answer = owner.post(build_url("call_off", raffle), self.FORM | wrong)

        assert answer.status_code == 200
        assert words in answer.content.decode()
        raffle.refresh_from_db()
        assert raffle.status == RaffleStatus.OPEN

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize("status", ["SEALED", "DRAWN", "CANCELLED"])
    def test_is_not_offered_for_a_final_raffle(self, owner: Client, status: str) -> None:
        raffle = builders.create_raffle(numbers=1, status=status)

        page = owner.get(build_url("call_off", raffle)).content.decode()
        refused = owner.post(build_url("call_off", raffle), self.FORM)
        panel = owner.get(build_url("change", raffle)).content.decode()

        assert "cannot be called off any more" in page
        assert "That change is not possible" in refused.content.decode()
        assert "Call off…" not in panel
        raffle.refresh_from_db()
        assert raffle.status == status

    def test_needs_its_own_permission(self, client: Client) -> None:
        client.force_login(sample_data.create_user("mia", "view_raffle", "change_raffle"))
        raffle = builders.create_raffle(numbers=1)

        assert client.get(build_url("call_off", raffle)).status_code == 403
        assert client.post(build_url("call_off", raffle), self.FORM).status_code == 403
        assert "Call off…" not in client.get(build_url("change", raffle)).content.decode()


class TestRafflePage:
    def test_shows_the_progress_of_the_orders_then_the_refunds(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=20)
        sell_for_cash(raffle)
        sample_data.place_order(raffle, numbers=[1])
        call_off(raffle)

        before = owner.get(build_url("change", raffle)).content.decode()
        raffle_changes.continue_raffle_changes(now=NOON)
        after = owner.get(build_url("change", raffle)).content.decode()

        assert "0 of 2</span> done" in before
        assert "All its orders are worked off." in after
        assert "Refunds to make: 1 order" in after
        assert f"/refunds/?raffle={raffle.pk}" in after
        assert "Called off</span>" in after

    def test_lists_who_could_not_be_told_with_a_link_and_the_text(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=20)
        reached = sample_data.place_order(raffle, numbers=[1])
        asleep = builders.create_contact(profile_name="Asleep", wa_id="15550107777")
        sample_data.place_order(raffle, numbers=[2], buyer=asleep)
        sample_data.place_order(builders.create_raffle(numbers=5), numbers=[3], buyer=asleep)
        sell_for_cash(raffle)
        call_off(raffle)
        raffle_changes.continue_raffle_changes(now=NOON)
        OutboundMessage.objects.filter(contact=asleep).update(status=OutboxStatus.WITHHELD)

        panel = owner.get(build_url("change", raffle)).content.decode()
        page = owner.get(build_url("untold", raffle)).content.decode()

        assert OutboundMessage.objects.filter(key="called_off").count() == 2
        assert "Buyers to tell by hand: 2" in panel
        assert "Asleep" in page
        assert "https://wa.me/15550107777?text=We%20are%20sorry" in page
        assert "https://wa.me/15550109999?text=We%20are%20sorry" in page
        assert "<strong>Summer Raffle</strong> was called off" in page
        assert "will send your $5.00 back" in page
        assert str(reached) not in page

    def test_lists_a_buyer_whose_message_about_a_moved_draw_failed(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=20)
        sample_data.place_order(raffle, numbers=[1])
        sell_for_cash(raffle)
        lifecycle.move_draw(
            raffle.pk,
            draw_at=DRAW + timedelta(days=1),
            reason="Rain.",
            by=builders.build_staff_actor(),
            now=NOON,
        )
        raffle_changes.continue_raffle_changes(now=NOON)
        OutboundMessage.objects.filter(key="draw_moved").update(
            status=OutboxStatus.FAILED, error_code=131026
        )

        page = owner.get(build_url("untold", raffle)).content.decode()

        assert page.count("Reason: Rain.") == 2
        assert "Sold for cash, so there is no chat." in page

    def test_tells_nobody_by_hand_when_all_were_told(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=5)

        page = owner.get(build_url("untold", raffle)).content.decode()

        assert "Nobody has to be told by hand." in page

    def test_shows_who_did_what_when_and_why(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=2, time_zone="America/Bogota", status="DRAFT")
        actor = builders.build_staff_actor()
        lifecycle.open_raffle(raffle.pk, by=actor, now=NOON)
        lifecycle.move_draw(
            raffle.pk, draw_at=DRAW + timedelta(days=1), reason="Rain.", by=actor, now=NOON + MINUTE
        )
        lifecycle.move_draw(
            raffle.pk, draw_at=None, reason="Snow.", by=builders.build_token_actor(), now=NOON
        )

        found = history.build_history(history.load_raffle_events(raffle), zone=raffle.time_zone)
        page = owner.get(build_url("change", raffle)).content.decode()

        assert [(entry.what, entry.dates, entry.who, entry.reason) for entry in found] == [
            ("Draw moved", "from 13 Dec 2037, 15:00 to sold out", "n8n, by the API", "Snow."),
            (
                "Draw moved",
                "from 12 Dec 2037, 15:00 to 13 Dec 2037, 15:00",
                "rita, in the back office",
                "Rain.",
            ),
            ("Opened", "", "rita, in the back office", ""),
        ]
        assert found[2].at == "22 Nov 2026, 07:00"
        assert "What happened to it" in page

    def test_stays_within_its_queries_after_a_call_off(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        raffle = builders.create_raffle(numbers=20)
        for _ in range(3):
            create_paid_order(raffle)
        call_off(raffle)

        with django_assert_max_num_queries(16):
            owner.get(build_url("change", raffle))

    def test_says_that_an_open_raffle_sells_nothing_in_its_last_hour(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=2, draw_at=timezone.now() + 30 * MINUTE)

        page = owner.get(build_url("change", raffle)).content.decode()

        assert "Sells nothing just now: its sale is over since" in page
        assert "an hour before the draw" in page
        assert reverse("admin:desk_sell", args=[raffle.pk]) not in page


def test_the_amount_to_refund_leaves_out_what_went_back(owner: Client) -> None:
    raffle = builders.create_raffle(numbers=20)
    create_paid_order(raffle, quantity=2)
    call_off(raffle)
    raffle_changes.continue_raffle_changes(now=NOON)

    page = owner.get(build_url("change", raffle)).content.decode()

    assert Decimal("10.00") == Order.objects.get().total
    assert "Refunds to make: 1 order" in page
    assert "$10.00" in page
