"""Tests of the dashboard: counts, permissions and number of queries."""

import re
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from backoffice.dashboard import last_day, page, sales_cache, sales_chart
from backoffice.dashboard.page import Dashboard
from shared.core.enums import OrderStatus, OutboxStatus
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.use_cases import payments, reversals
from shared.whatsapp.models import BusinessNumber, OutboundMessage, WhatsAppContact
from shared.whatsapp.services import alarms
from tests import builders
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID
from tests.integration.backoffice import sample_data

pytestmark = pytest.mark.django_db


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=20, time_zone="America/Bogota")


def load_dashboard(client: Client) -> Dashboard:
    """Open the dashboard and return the data that its template got."""
    response = client.get(reverse("admin:index"))
    assert response.status_code == 200
    shown: Dashboard = response.context["dashboard"]
    return shown


def load_text(client: Client) -> str:
    """Return the dashboard's text without markup."""
    page = client.get(reverse("admin:index")).content.decode()
    main = page[page.index("<main") : page.index("</main>")]
    return " ".join(re.sub(r"<[^>]*>", " ", main).split())


def log_in_as(client: Client, role: str) -> Client:
    """Log a user with a role in."""
    user = User.objects.create_user(role.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    return client


def create_waiting_work(raffle: Raffle) -> None:
    """Create work of every kind that the dashboard shows."""
    now = timezone.now()
    waiting = sample_data.place_order(raffle, numbers=[1])
    sample_data.receive_proof(waiting)
    Order.objects.filter(pk=waiting.pk).update(under_review_since=now - 95 * MINUTE)
    paid = sample_data.place_order(raffle, numbers=[2, 3, 4])
    payments.confirm_payment(paid.pk, by=builders.build_staff_actor(), now=now)
    soon = sample_data.place_order(raffle, numbers=[5])
    Order.objects.filter(pk=soon.pk).update(expires_at=now + 5 * MINUTE + timedelta(seconds=30))
    later = sample_data.place_order(raffle, numbers=[6])
    Order.objects.filter(pk=later.pk).update(expires_at=now + 25 * MINUTE)
    sample_data.receive_proof(None, contact_id=builders.create_contact().pk)
    builders.create_order_row(
        raffle, status=OrderStatus.EXPIRED, needs_decision=True, expires_at=None
    )
    alarms.sound_alarm("token", title="Meta refuses the access token", now=now - 20 * MINUTE)
    alarms.sound_alarm("token", title="Meta refuses the access token", now=now - 9 * MINUTE)
    BusinessNumber.objects.create(
        phone_number_id=PHONE_NUMBER_ID,
        display_phone_number="+1 555 010 0000",
        last_webhook_at=now - 3 * MINUTE,
        paused_at=now - 20 * MINUTE,
        pause_code=190,
        pause_reason="The token has expired.",
    )
    assert paid.contact_id is not None
    for status in (OutboxStatus.FAILED, OutboxStatus.WITHHELD, OutboxStatus.SENT):
        OutboundMessage.objects.create(
            phone_number_id=PHONE_NUMBER_ID,
            contact_id=paid.contact_id,
            kind="NOTICE",
            key="paid",
            payload={"type": "text", "text": {"body": "Paid."}},
            status=status,
            created_at=now,
        )


class TestOf:
    def test_says_what_waits_and_for_how_long(self, owner: Client, raffle: Raffle) -> None:
        create_waiting_work(raffle)

        waits = load_dashboard(owner).waits

        assert waits is not None
        assert (waits.review, waits.oldest) == (1, "1 h")
        assert (waits.expiring, waits.ends) == (1, "the first in 5 min")
        assert (waits.late, waits.orphans) == (1, 1)

    def test_shows_how_a_raffle_sells_and_where_each_figure_leads(
        self, owner: Client, raffle: Raffle
    ) -> None:
        create_waiting_work(raffle)

        raffles = load_dashboard(owner).raffles

        assert raffles is not None
        [shown] = raffles.shown
        counts = shown.share.counts
        assert (counts.sold, counts.reserved, counts.available) == (3, 3, 14)
        assert [money.amount for money in shown.money] == ["$15.00", "$0.00", "$15.00"]
        for address in (shown.page, shown.numbers, shown.orders, *[m.address for m in shown.money]):
            assert owner.get(address).status_code == 200

    @pytest.mark.same_everywhere
    def test_tells_how_the_channel_fares(self, owner: Client, raffle: Raffle) -> None:
        create_waiting_work(raffle)

        words = load_text(owner)

        assert "Meta refuses the access token 2 times, last 9 min ago" in words
        assert "Paused Meta's code 190: The token has expired. last webhook 3 min ago" in (
            words.replace("&#x27;", "'")
        )
        assert "1 message not delivered" in words
        assert "1 message held back" in words

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        ("sent", "words", "warning"),
        [
            (799, "799 of 1,000 free messages sent this month", None),
            (800, "800 of 1,000 free messages sent this month", "charges for more"),
            (1_042, "1,042 messages sent this month, 42 beyond the free 1,000", "charges for them"),
        ],
    )
    def test_says_how_many_free_messages_are_used(
        self, owner: Client, raffle: Raffle, sent: int, words: str, warning: str | None
    ) -> None:
        create_waiting_work(raffle)
        example, now = (
            OutboundMessage.objects.filter(status=OutboxStatus.SENT).get(),
            timezone.now(),
        )
        OutboundMessage.objects.filter(pk=example.pk).update(sent_at=now)
        OutboundMessage.objects.bulk_create(
            OutboundMessage(
                phone_number_id=PHONE_NUMBER_ID,
                contact_id=example.contact_id,
                kind=example.kind,
                key=example.key,
                payload=example.payload,
                status=OutboxStatus.SENT,
                created_at=now,
                sent_at=now,
            )
            for _ in range(sent - 1)
        )

        shown = load_text(owner)

        assert words in shown
        assert ("WhatsApp charges for" in shown) == (warning is not None)
        assert (warning or "") in shown

    @pytest.mark.same_everywhere
    def test_every_link_leads_somewhere(self, owner: Client, raffle: Raffle) -> None:
        create_waiting_work(raffle)
        page = owner.get(reverse("admin:index")).content.decode()
        main = page[page.index('id="dashboard"') : page.index("</main>")]

        links = set(re.findall(r'href="([^"]+)"', main))

        assert len(links) > 15
        answers = {link: owner.get(link.replace("&amp;", "&")).status_code for link in links}
        assert set(answers.values()) == {200}, answers

    @pytest.mark.same_everywhere
    def test_counts_what_waits_afresh_at_each_look(self, owner: Client, raffle: Raffle) -> None:
        waiting = load_dashboard(owner).waits
        assert waiting is not None
        assert waiting.review == 0

        sample_data.receive_proof(sample_data.place_order(raffle, numbers=[1]))

        waiting = load_dashboard(owner).waits
        assert waiting is not None
        assert waiting.review == 1

    @pytest.mark.same_everywhere
    def test_leads_an_empty_house_to_its_first_raffle(self, owner: Client) -> None:
        assert "New raffle" in load_text(owner)

    @pytest.mark.same_everywhere
    def test_names_drafts_and_leaves_out_raffles_that_are_over(self, owner: Client) -> None:
        builders.create_raffle(title="Over", status="CLOSED")
        pending = builders.create_raffle(title="Nearly over", numbers=5)
        sample_data.place_order(pending, numbers=[1])
        Raffle.objects.filter(pk=pending.pk).update(status="CLOSED")
        builders.create_raffle(title="Not yet", status="DRAFT")

        raffles = load_dashboard(owner).raffles

        assert raffles is not None
        assert [raffle.title for raffle in raffles.shown] == ["Nearly over"]
        assert [draft.title for draft in raffles.drafts] == ["Not yet"]

    @pytest.mark.same_everywhere
    def test_shows_twelve_raffles_and_where_the_others_are(self, owner: Client) -> None:
        for number in range(14):
            builders.create_raffle(title=f"Raffle {number}")

        raffles = load_dashboard(owner).raffles

        assert raffles is not None
        assert len(raffles.shown) == 12
        assert raffles.all == reverse("admin:raffles_raffle_changelist")


@pytest.mark.same_everywhere
class TestPermissions:
    def test_money_back_leads_to_its_rows_for_who_may_export(
        self, client: Client, raffle: Raffle
    ) -> None:
        create_waiting_work(raffle)
        sample_data.create_user("auditor", "view_raffle", "view_order", "export_order")
        addresses = []
        for user in (User.objects.get(username="auditor"), None):
            client.force_login(user or sample_data.create_user("rita", "view_raffle", "view_order"))
            raffles = load_dashboard(client).raffles
            assert raffles is not None
            addresses.append(raffles.shown[0].money[1].address)

        export = reverse("admin:desk_export")
        assert addresses == [f"{export}?what=MONEY&raffle={raffle.pk}", ""]

    def test_a_reviewer_sees_proofs_and_no_alarms(self, client: Client, raffle: Raffle) -> None:
        create_waiting_work(raffle)

        shown = load_dashboard(log_in_as(client, "Reviewer"))

        assert shown.waits is not None
        assert shown.waits.review == 1
        assert shown.alarms is None
        assert shown.channel is not None
        assert shown.channel.numbers is None
        assert shown.raffles is not None
        assert (shown.raffles.create, shown.raffles.shown[0].sell) == ("", "")
        assert "access token" not in load_text(client)

    def test_who_may_see_raffles_alone_sees_no_money(self, client: Client, raffle: Raffle) -> None:
        create_waiting_work(raffle)
        client.force_login(sample_data.create_user("rafa", "view_raffle"))

        shown = load_dashboard(client)

        assert (shown.waits, shown.chart, shown.channel, shown.alarms) == (None,) * 4
        assert shown.raffles is not None
        assert shown.raffles.shown[0].share.counts.sold == 3
        assert "$" not in load_text(client)

    def test_who_may_see_nothing_reads_a_kind_sentence(
        self, client: Client, raffle: Raffle
    ) -> None:
        create_waiting_work(raffle)
        client.force_login(sample_data.create_user("newcomer"))

        assert load_dashboard(client).blank
        assert "nobody has given you a role yet" in load_text(client)


@pytest.mark.same_everywhere
class TestCost:
    def test_takes_thirteen_queries_at_most(
        self,
        client: Client,
        raffle: Raffle,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        create_waiting_work(raffle)
        log_in_as(client, "Seller")
        cache.clear()

        with django_assert_max_num_queries(13):
            assert not load_dashboard(client).blank

    def test_reads_sums_once_in_twenty_seconds(
        self,
        raffle: Raffle,
        monkeypatch: pytest.MonkeyPatch,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        now = timezone.now()
        clock = time.time()

        for seconds, queries in ((0, 2), (19, 0), (21, 2)):
            monkeypatch.setattr(time, "time", lambda later=clock + seconds: later)
            with django_assert_num_queries(queries):
                sales_cache.get_recent_sales(now=now, zone="UTC")


class TestSums:
    def test_puts_a_payment_on_its_day_in_the_zone(self, raffle: Raffle) -> None:
        order = sample_data.place_order(raffle, numbers=[1, 2])
        payments.confirm_payment(
            order.pk, by=builders.build_staff_actor(), now=NOON.replace(hour=3)
        )

        there = sales_cache.sum_sales(now=NOON, zone="America/Bogota").days
        here = sales_cache.sum_sales(now=NOON, zone="UTC").days

        assert [day.tickets for day in there[-3:]] == [0, 2, 0]
        assert [day.tickets for day in here[-3:]] == [0, 0, 2]
        assert here[-1].money.confirmed == {"USD": Decimal("10.00")}

    def test_shows_money_that_goes_back_as_a_second_figure_of_its_own_day(
        self, raffle: Raffle
    ) -> None:
        order = sample_data.place_order(raffle, numbers=[1, 2])
        payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON)
        reversals.undo_confirmation(
            order.pk,
            confirmation_id=order.events.get(action="PAID").pk,
            reason="A mistake.",
            by=builders.build_staff_actor(),
            now=NOON + timedelta(days=1),
        )

        chart = sales_chart.build_sales_chart(
            sales_cache.sum_sales(now=NOON + timedelta(days=1), zone="UTC").days, currency="USD"
        )

        assert [(panel.name, panel.total) for panel in chart.panels] == [
            ("Money in", "$10.00"),
            ("Money back", "$10.00"),
            ("Numbers sold", "2"),
        ]
        assert (chart.today_money, chart.today_back) == ("$0.00", "$10.00")
        assert [(day.money, day.back) for day in chart.days[:2]] == [
            ("$0.00", "$10.00"),
            ("$10.00", "$0.00"),
        ]

    def test_draws_two_currencies_side_by_side(self, raffle: Raffle) -> None:
        euros = builders.create_raffle(currency="EUR")
        for order in (
            sample_data.place_order(raffle, numbers=[1]),
            sample_data.place_order(euros, numbers=[1, 2]),
        ):
            payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON)

        chart = sales_chart.build_sales_chart(
            sales_cache.sum_sales(now=NOON, zone="UTC").days, currency="USD"
        )

        assert chart.today_money == "€10.00 + $5.00"
        assert chart.money.bars[-1].height == sales_chart.CHART_HEIGHT
        assert chart.tickets.total == "3"


@pytest.mark.same_everywhere
def test_reads_no_more_than_eight_queries_of_its_own(
    raffle: Raffle, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    create_waiting_work(raffle)
    request = client.get("/").wsgi_request
    request.user = User.objects.create_superuser("olga")

    with django_assert_max_num_queries(8):
        page.load_dashboard(request, now=timezone.now())


class TestLastDay:
    """Draws that are due and raffles called off come first."""

    def create_due_raffle(self, **fields: Any) -> Raffle:
        return builders.create_raffle(
            numbers=20, draw_at=timezone.now() - 30 * MINUTE, time_zone="America/Bogota", **fields
        )

    def test_says_first_that_a_draw_is_due_and_what_is_left_to_decide(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=20)
        in_time = sample_data.place_order(raffle, numbers=[1])
        sample_data.receive_proof(in_time, at=timezone.now() - 60 * MINUTE)
        Raffle.objects.update(draw_at=timezone.now() - 30 * MINUTE)
        builders.create_order_row(
            raffle, status=OrderStatus.EXPIRED, needs_decision=True, expires_at=None
        )
        late = builders.create_order_row(
            raffle, status=OrderStatus.PENDING_PAYMENT, under_review_since=timezone.now()
        )
        PaymentProof.objects.create(order=late, arrived_at=timezone.now())

        [due] = load_dashboard(owner).last_day
        words = load_text(owner)

        assert (due.title, due.reviews, due.refunds) == ("Summer Raffle", 2, 1)
        assert words.index("Draw due: Summer Raffle") < words.index("proofs to review")
        assert "2 orders to review" in words
        assert "1 refund to make" in words
        for address in (due.page, due.reviews_url, due.refunds_url):
            assert owner.get(address).status_code == 200

    @pytest.mark.parametrize(
        ("status", "shown"),
        [
            ("DRAFT", False),
            ("OPEN", True),
            ("PAUSED", True),
            ("CLOSED", True),
            ("SEALED", True),
            ("DRAWN", False),
            ("CANCELLED", False),
        ],
    )
    def test_a_draw_needs_work_until_it_is_drawn_or_called_off(
        self, owner: Client, status: str, shown: bool
    ) -> None:
        self.create_due_raffle(status=status)
        builders.create_raffle(numbers=1)

        assert bool(load_dashboard(owner).last_day) is shown

    def test_a_raffle_closed_long_ago_is_shown_only_with_something_to_decide(
        self, owner: Client
    ) -> None:
        builders.create_raffle(numbers=1, status="CLOSED", draw_at=NOON - timedelta(days=2000))
        owing = builders.create_raffle(
            numbers=1, status="CLOSED", draw_at=NOON - timedelta(days=2000)
        )
        builders.create_order_row(
            owing, status=OrderStatus.EXPIRED, needs_decision=True, expires_at=None
        )

        assert [due.page for due in load_dashboard(owner).last_day] == [
            reverse("admin:raffles_raffle_change", args=[owing.pk])
        ]

    def test_a_raffle_drawn_when_sold_out_is_due_once_its_last_number_is_paid(
        self, owner: Client
    ) -> None:
        raffle = builders.create_raffle(numbers=2, draw_at=None, draw_when_sold_out=True)
        found = [sample_data.place_order(raffle, numbers=[number]) for number in (1, 2)]
        shown = []
        for order in found:
            shown.append(len(load_dashboard(owner).last_day))
            payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON)

        [due] = load_dashboard(owner).last_day

        assert shown == [0, 0]
        assert (due.sold_out, due.draw) == (True, "")
        assert "It is drawn when sold out, and all its numbers are sold." in load_text(owner)

    def test_a_sold_out_raffle_with_a_date_is_not_due_before_it(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=1, draw_at=timezone.now() + timedelta(days=2))
        order = sample_data.place_order(raffle, numbers=[1])
        payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON)

        assert not load_dashboard(owner).last_day

    def test_a_raffle_without_any_number_is_not_sold_out(self, owner: Client) -> None:
        builders.create_raffle(with_numbers=False, draw_at=None, draw_when_sold_out=True)

        assert not load_dashboard(owner).last_day

    def test_shows_a_raffle_called_off_until_its_money_went_back(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=5, status="CANCELLED")
        for _ in range(2):
            builders.create_order_row(raffle, status=OrderStatus.PAID)

        [called_off] = load_dashboard(owner).last_day
        words = load_text(owner)
        Order.objects.update(status=OrderStatus.CANCELLED)

        assert (called_off.called_off, called_off.refunds) == (True, 2)
        assert "Called off: Summer Raffle" in words
        assert "2 refunds to make" in words
        assert not load_dashboard(owner).last_day

    def test_takes_one_query_for_any_number_of_raffles(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(3):
            raffle = self.create_due_raffle()
            builders.create_order_row(raffle, under_review_since=NOON)

        with django_assert_num_queries(1):
            assert len(last_day.load_last_day_raffles(now=timezone.now())) == 3


class TestWaitingPeople:
    def test_are_listed_with_the_longest_wait_first(self, owner: Client) -> None:
        now = timezone.now()
        later = builders.create_contact(profile_name="Late Lena", wants_person_at=now - 5 * MINUTE)
        first = builders.create_contact(profile_name="Ana", wants_person_at=now - 95 * MINUTE)
        builders.create_contact(wants_person_at=now - 99 * MINUTE, is_blocked=True)
        builders.create_contact(profile_name="Content Cora")
        WhatsAppContact.objects.exclude(pk=first.pk).update(last_inbound_at=now)
        WhatsAppContact.objects.filter(pk=first.pk).update(last_inbound_at=now - timedelta(days=2))

        people = load_dashboard(owner).people

        assert people is not None
        assert (people.count, people.more) == (2, 0)
        assert [(person.name, person.since) for person in people.shown] == [
            (f"Ana, +{first.wa_id}", "1 h"),
            (f"Late Lena, +{later.wa_id}", "5 min"),
        ]
        assert people.shown[0].page == (
            reverse("admin:whatsapp_whatsappcontact_change", args=[first.pk]) + "#chat"
        )
        assert [person.closed for person in people.shown] == [True, False]
        words = load_text(owner)
        assert "2 buyers wait for a person" in words
        assert words.count("window closed · for 1 h") == 1

    def test_stand_above_draws_that_are_more_than_a_day_ahead(self, owner: Client) -> None:
        builders.create_contact(wants_person_at=timezone.now())
        for title, hours in (("Far Raffle", 30), ("Near Raffle", 20)):
            draw_at = timezone.now() + timedelta(hours=hours)
            builders.create_raffle(title=title, numbers=1, status="CLOSED", draw_at=draw_at)

        dashboard = load_dashboard(owner)
        words = load_text(owner)

        assert [raffle.title for raffle in dashboard.urgent_draws] == ["Near Raffle"]
        assert [raffle.title for raffle in dashboard.far_draws] == ["Far Raffle"]
        places = [words.index(each) for each in ("Near Raffle", "waits for a person", "Far Raffle")]
        assert places == sorted(places)

    def test_beyond_the_first_are_counted(self, owner: Client) -> None:
        for _ in range(10):
            builders.create_contact(wants_person_at=timezone.now())

        text = load_text(owner)

        assert "10 buyers wait for a person" in text
        assert "2 more" in text

    def test_are_for_those_who_may_see_contacts(self, client: Client) -> None:
        builders.create_contact(wants_person_at=timezone.now())
        client.force_login(sample_data.create_user("nora", "view_order"))

        assert load_dashboard(client).people is None
