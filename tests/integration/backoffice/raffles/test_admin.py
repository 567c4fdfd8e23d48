"""Tests of raffles in the admin: the form with its preview card, the life cycle and the list."""

import re
from datetime import timedelta
from decimal import Decimal
from functools import partial
from io import BytesIO
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image
from pytest_django import DjangoAssertNumQueries, Settings

from shared.core.enums import RaffleStatus
from shared.raffles.draws.draw_models import DrawRules
from shared.raffles.models import Raffle, TicketNumber
from shared.use_cases import payments, reversals
from shared.whatsapp.models import BusinessNumber
from tests import builders
from tests.builders import NOON
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.pages import list_messages
from tests.integration.concurrency import run_at_once
from tests.model_admins import load_model_admins

FORM = {
    "title": "Winter Raffle",
    "prize": "a bicycle",
    "number_count": "100",
    "first_number": "0",
    "number_width": "0",
    "price": "5.00",
    "currency": "usd",
    "min_per_order": "1",
    "max_per_order": "20",
    "hold_minutes": "30",
    "time_zone": "America/Bogota",
    "draw_at": "2037-12-12T20:00",
    "payment_instructions": "Bank of Example, account 000-123",
    "seller_contact": "Ana",
}
STEPS = ["generate", "open", "pause", "close", "duplicate"]


def build_url(page: str, *args: Any) -> str:
    return reverse(f"admin:raffles_raffle_{page}", args=args)


def post_step(browser: Client, raffle: Raffle, name: str, **form: str) -> Any:
    return browser.post(build_url(name, raffle.pk), form)


def list_log_lines(raffle: Raffle) -> list[tuple[str, str]]:
    """Return the raffle's log entries as pairs of user and message, oldest first."""
    lines = LogEntry.objects.filter(object_id=str(raffle.pk)).order_by("pk")
    return [(line.user.username, line.get_change_message()) for line in lines]


def build_upload(kind: str) -> SimpleUploadedFile:
    written = BytesIO()
    Image.new("RGB", (8, 8)).save(written, kind)
    return SimpleUploadedFile(
        f"x.{kind.lower()}", written.getvalue(), content_type=f"image/{kind.lower()}"
    )


@pytest.mark.django_db
class TestForm:
    @pytest.mark.same_everywhere
    def test_begins_with_what_is_most_likely_right(self, owner: Client) -> None:
        BusinessNumber.objects.create(
            phone_number_id="106540352242922", display_phone_number="+1 555 010 0000"
        )
        builders.create_raffle(
            numbers=1,
            currency="EUR",
            payment_instructions="IBAN 12",
            phone_number_id="7",
            time_zone="Europe/Madrid",
        )

        page = owner.get(build_url("add")).content.decode()

        assert 'value="Europe/Madrid"' in page
        assert 'value="EUR"' in page
        assert "IBAN 12</textarea>" in page
        assert '<option value="106540352242922">+1 555 010 0000</option>' in page

    def test_adds_a_raffle_with_times_in_its_own_zone_and_leads_to_its_numbers(
        self, owner: Client
    ) -> None:
        answer = owner.post(build_url("add"), FORM)

        raffle = Raffle.objects.get()
        assert answer["Location"] == build_url("generate", raffle.pk)
        assert (raffle.status, raffle.currency) == ("DRAFT", "USD")
        assert raffle.draw_at is not None
        assert raffle.draw_at.isoformat() == "2037-12-13T01:00:00+00:00"
        assert b"100 numbers, 00 to 99" in owner.get(answer["Location"]).content
        page = owner.get(build_url("change", raffle.pk)).content.decode()
        assert 'value="2037-12-12T20:00"' in page
        assert "Make the numbers" in page

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"title": ""}, "Please fill this in."),
            ({"max_per_order": "3", "min_per_order": "5"}, "At least as many as the fewest"),
            ({"max_per_contact": "1", "min_per_order": "2"}, "At least as many as the fewest"),
            ({"currency": "ZZZ"}, "is not a currency code"),
            ({"time_zone": "Mars/Base"}, "is not a time zone"),
            ({"price": "-1"}, "greater than or equal to 0"),
            ({"number_count": "1000001"}, "less than or equal to 1000000"),
            (
                {"sales_open_at": "2026-12-02T10:00", "sales_close_at": "2026-12-01T10:00"},
                "After the beginning of sales",
            ),
            ({"sales_close_at": "2037-12-12T20:01"}, "Not after the draw"),
            ({"draw_when_sold_out": "on"}, "Either a date or this"),
            ({"time_zone": ""}, "Please fill this in."),
        ],
    )
    def test_says_kindly_what_does_not_fit_and_loses_nothing(
        self, owner: Client, wrong: dict[str, str], words: str
    ) -> None:
        answer = owner.post(build_url("add"), FORM | wrong | {"prize": "a kept <b>bicycle"})

        page = answer.content.decode()
        assert answer.status_code == 200
        assert words in page
        assert "Constraint" not in page
        assert 'value="a kept &lt;b&gt;bicycle"' in page
        assert not Raffle.objects.exists()

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        ("price", "answer"),
        [("0", "Yes, the numbers are free"), ("50000", "Yes, $50,000.00 a number")],
    )
    def test_asks_once_about_an_unusual_price(self, owner: Client, price: str, answer: str) -> None:
        form = FORM | {"price": price, "draw_at": ""}

        asked = owner.post(build_url("add"), form).content.decode()
        confirmed = re.search(r'name="price_confirmed"[^>]*value="([^"]+)"', asked)
        assert confirmed is not None
        other = owner.post(build_url("add"), form | {"price": "70000", "price_confirmed": "x"})
        saved = owner.post(build_url("add"), form | {"price_confirmed": confirmed[1]})

        assert answer in asked
        assert 'value="Winter Raffle"' in asked
        assert "Yes, $70,000.00 a number" in other.content.decode()
        assert saved.status_code == 302
        raffle = Raffle.objects.get()
        assert raffle.price == Decimal(price)
        again = owner.post(build_url("change", raffle.pk), form | {"title": "Another"})
        assert again.status_code == 302

    def test_does_not_ask_about_a_usual_price(self, owner: Client) -> None:
        page = owner.get(build_url("add")).content.decode()

        assert "price_confirmed" not in page
        assert owner.post(build_url("add"), FORM | {"price": "10000"}).status_code == 302

    @pytest.mark.same_everywhere
    def test_has_no_time_zone_until_somebody_chose_one(
        self, owner: Client, settings: Settings
    ) -> None:
        settings.TIME_ZONE = "UTC"
        unchosen = owner.get(build_url("add")).context["adminform"].form["time_zone"].value()
        settings.TIME_ZONE = "America/Bogota"
        configured = owner.get(build_url("add")).context["adminform"].form["time_zone"].value()
        builders.create_raffle(numbers=1, time_zone="Europe/Madrid")
        builders.create_raffle(numbers=1, time_zone_confirmed=False)
        carried = owner.get(build_url("add")).context["adminform"].form["time_zone"].value()

        assert (unchosen, configured, carried) == ("", "America/Bogota", "Europe/Madrid")

    def test_confirms_the_time_zone_with_each_saving(self, owner: Client) -> None:
        owner.post(build_url("add"), FORM)
        added = Raffle.objects.get()
        old = builders.create_raffle(numbers=1, status="DRAFT", time_zone_confirmed=False)

        owner.post(build_url("change", old.pk), FORM | {"time_zone": "UTC"})

        old.refresh_from_db()
        assert (added.time_zone_confirmed, old.time_zone_confirmed) == (True, True)

    def test_takes_a_draft_without_a_draw_and_one_that_is_drawn_when_sold_out(
        self, owner: Client
    ) -> None:
        owner.post(build_url("add"), FORM | {"draw_at": ""})
        undated = Raffle.objects.get()

        owner.post(
            build_url("change", undated.pk), FORM | {"draw_at": "", "draw_when_sold_out": "on"}
        )

        assert (undated.draw_at, undated.draw_when_sold_out) == (None, False)
        undated.refresh_from_db()
        assert (undated.draw_at, undated.draw_when_sold_out) == (None, True)

    def test_keeps_the_draw_and_the_zone_of_an_opened_raffle_and_leads_to_moving_it(
        self, owner: Client
    ) -> None:
        raffle = builders.create_raffle(numbers=10)

        page = owner.get(build_url("change", raffle.pk)).content.decode()
        owner.post(
            build_url("change", raffle.pk),
            FORM | {"draw_at": "2038-01-01T10:00", "sales_close_at": "2037-12-12T19:00"},
        )

        raffle.refresh_from_db()
        assert (raffle.title, raffle.draw_at, raffle.time_zone) == (
            "Winter Raffle",
            builders.DRAW,
            "UTC",
        )
        assert raffle.sales_close_at == builders.DRAW - timedelta(hours=1)  # in the raffle's zone
        assert build_url("move_draw", raffle.pk) in page

    @pytest.mark.same_everywhere
    def test_asks_for_a_picture_again_which_the_browser_forgot(self, owner: Client) -> None:
        page = owner.post(build_url("add"), FORM | {"title": "", "picture": build_upload("PNG")})

        assert b"Please choose the picture once more" in page.content

    @pytest.mark.same_everywhere
    def test_takes_pictures_that_whatsapp_shows_and_shows_them(self, owner: Client) -> None:
        refused = owner.post(build_url("add"), FORM | {"picture": build_upload("WEBP")})
        taken = owner.post(build_url("add"), FORM | {"picture": build_upload("PNG")})

        assert "JPEG and PNG pictures only" in refused.content.decode()
        assert taken.status_code == 302
        shown = owner.get(build_url("picture", Raffle.objects.get().pk))
        assert shown.getvalue() == build_upload("PNG").read()

    @pytest.mark.same_everywhere
    def test_freezes_the_numbers_once_they_exist_and_the_currency_once_somebody_ordered(
        self, owner: Client
    ) -> None:
        raffle = builders.create_raffle(numbers=10)
        changed = FORM | {"number_count": "500", "number_width": "5", "currency": "EUR"}

        owner.post(build_url("change", raffle.pk), changed)
        raffle.refresh_from_db()
        before = (raffle.title, raffle.number_count, raffle.number_width, raffle.currency)
        sample_data.place_order(raffle, numbers=[7])
        owner.post(build_url("change", raffle.pk), changed | {"currency": "COP", "price": "9"})
        raffle.refresh_from_db()

        assert before == ("Winter Raffle", 10, 0, "EUR")
        assert (raffle.first_number, raffle.currency, raffle.price) == (1, "EUR", Decimal(9))

    @pytest.mark.same_everywhere
    def test_says_that_existing_orders_keep_their_price(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=10)
        order = sample_data.place_order(raffle, numbers=[7])

        page = owner.get(build_url("change", raffle.pk)).content.decode()
        owner.post(build_url("change", raffle.pk), FORM | {"price": "9.00"})

        assert "existing orders keep $5.00" in page
        order.refresh_from_db()
        assert order.unit_price == Decimal("5.00")

    @pytest.mark.same_everywhere
    def test_leaves_a_trace_and_no_way_to_the_status(self, owner: Client) -> None:
        owner.post(build_url("add"), FORM | {"status": "OPEN", "currency": "USD"})
        raffle = Raffle.objects.get()

        owner.post(build_url("change", raffle.pk), FORM | {"title": "Another", "currency": "USD"})

        assert Raffle.objects.get().status == "DRAFT"
        assert list_log_lines(raffle) == [
            ("olga", "Added."),
            ("olga", "Changed title from “Winter Raffle” to “Another”"),
        ]

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize("status", ["SEALED", "DRAWN", "CANCELLED"])
    def test_is_frozen_altogether_once_it_is_final_and_never_deleted(
        self, owner: Client, status: str
    ) -> None:
        raffle = builders.create_raffle(numbers=1, status=status)

        assert owner.get(build_url("change", raffle.pk)).status_code == 200
        assert owner.post(build_url("change", raffle.pk), FORM).status_code == 403
        assert owner.post(build_url("delete", raffle.pk), {"post": "yes"}).status_code == 403

    @pytest.mark.same_everywhere
    def test_title_and_prize_stay_once_numbers_were_sold_for_them(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=1)
        title, zone = raffle.title, raffle.time_zone
        DrawRules.objects.create(raffle=raffle, text="rules", sha256="0" * 64, frozen_at=NOON)

        assert owner.post(build_url("change", raffle.pk), FORM).status_code == 302

        raffle.refresh_from_db()
        assert raffle.seller_contact == "Ana"
        assert (raffle.title, raffle.prize, raffle.time_zone) == (title, "a motorbike", zone)

    @pytest.mark.same_everywhere
    def test_editing_the_terms_does_not_bring_an_old_status_back(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=1)
        model_admin = load_model_admins()[Raffle]
        form = model_admin.get_form(None, raffle)(  # type: ignore[arg-type]
            FORM, instance=Raffle.objects.get()
        )
        assert form.is_valid()
        Raffle.objects.update(status="CLOSED")  # meanwhile, in another tab

        model_admin.save_model(None, form.instance, form, change=True)  # type: ignore[arg-type]

        raffle.refresh_from_db()
        assert (raffle.title, raffle.status) == ("Winter Raffle", "CLOSED")


@pytest.mark.same_everywhere
@pytest.mark.django_db
class TestPreview:
    def test_is_what_the_chat_says(self, owner: Client) -> None:
        page = owner.post(build_url("preview"), FORM).content.decode()

        assert "<strong>Winter Raffle</strong> · win a bicycle" in page
        assert "Draw: Sat 12 Dec 2037, 20:00 · $5.00 a number · 100 of 100 left" in page
        for title in ("Random numbers", "Pick my numbers", "My tickets"):
            assert f"<span>{title}</span>" in page
        assert "please pay $5.00 by" in page
        assert "Bank of Example, account 000-123" in page
        assert "$500.00" in page

    def test_of_free_numbers_asks_for_no_payment(self, owner: Client) -> None:
        page = owner.post(build_url("preview"), FORM | {"price": "0"}).content.decode()

        assert "please pay" not in page
        assert "Paid." not in page
        assert "yours" in page

    def test_fills_in_for_what_is_not_typed_yet_and_escapes_the_rest(self, owner: Client) -> None:
        page = owner.post(build_url("preview"), {"title": "<script>", "number_count": "x"})

        assert page.status_code == 200
        assert b"<strong>&lt;script&gt;</strong> \xc2\xb7 win your prize" in page.content
        assert not Raffle.objects.exists()

    def test_of_a_raffle_on_sale_counts_what_is_left(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=100)
        sample_data.place_order(raffle, numbers=[7, 13])

        drawn = owner.post(build_url("preview_of", raffle.pk), FORM).content.decode()
        page = owner.get(build_url("change", raffle.pk)).content.decode()

        assert "98 of 100 left" in drawn
        assert "98 of 100 left" in page

    @pytest.mark.parametrize(("permission", "status"), [("view_raffle", 403), ("add_raffle", 200)])
    def test_is_for_those_who_write_raffles(
        self, client: Client, permission: str, status: int
    ) -> None:
        client.force_login(sample_data.create_user("looker", permission))

        assert client.post(build_url("preview"), FORM).status_code == status


@pytest.mark.django_db
class TestLife:
    def test_goes_from_numbers_to_open_to_paused_to_closed_and_is_written_down(
        self, owner: Client
    ) -> None:
        raffle = builders.create_raffle(numbers=30, with_numbers=False, status="DRAFT")
        statuses = []
        for name in ("generate", "open", "pause", "open"):
            assert post_step(owner, raffle, name).status_code == 302
            raffle.refresh_from_db()
            statuses.append(raffle.status)

        asked = post_step(owner, raffle, "close")
        assert b"Yes, close the raffle" in asked.content
        post_step(owner, raffle, "close", sure="yes")

        raffle.refresh_from_db()
        assert [*statuses, raffle.status] == ["DRAFT", "OPEN", "PAUSED", "OPEN", "CLOSED"]
        assert raffle.numbers.count() == 30
        assert list_log_lines(raffle) == [
            ("olga", "Made all 30 numbers"),
            ("olga", "Opened the raffle"),
            ("olga", "Paused the raffle"),
            ("olga", "Opened the raffle"),
            ("olga", "Closed the raffle"),
        ]

    def test_makes_numbers_a_step_at_a_time_and_says_how_far_it_is(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=25_030, with_numbers=False, status="DRAFT")
        address = build_url("generate", raffle.pk)

        answers = [owner.post(address, headers={"accept": "application/json"}).json()]
        between = owner.get(address).content.decode()
        answers.append(owner.post(address, headers={"accept": "application/json"}).json())
        after = owner.get(address).content.decode()

        assert answers == [
            {"made": 25_000, "total": 25_030, "done": False},
            {"made": 25_030, "total": 25_030, "done": True},
        ]
        assert "25,000 of 25,030 are made" in between
        assert "Go on</button>" in between
        assert "Open the raffle</button>" in after
        assert [line for _, line in list_log_lines(raffle)] == [
            "Began to make 25,030 numbers",
            "Made all 25,030 numbers",
        ]

    @pytest.mark.same_everywhere
    def test_a_step_that_does_not_fit_is_told(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=30, with_numbers=False, status="DRAFT")

        answer = owner.get(post_step(owner, raffle, "open")["Location"])

        assert b"cannot open before all its numbers exist" in answer.content
        raffle.refresh_from_db()
        assert raffle.status == "DRAFT"
        assert list_log_lines(raffle) == []

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        ("terms", "sentence", "field"),
        [
            ({"draw_at": None}, "needs a draw date in the future", "draw_at"),
            ({"draw_at": builders.NOON}, "The draw must be in the future", "draw_at"),
            ({"sales_close_at": builders.NOON}, "Sales would be over already", "sales_close_at"),
            ({"time_zone_confirmed": False}, "Nobody has chosen the raffle", "time_zone"),
        ],
    )
    def test_a_refused_opening_leads_to_its_field(
        self, owner: Client, terms: dict[str, Any], sentence: str, field: str
    ) -> None:
        early = builders.NOON - timedelta(days=365 * 3)
        terms = {name: early if value == builders.NOON else value for name, value in terms.items()}
        raffle = builders.create_raffle(numbers=3, status="DRAFT", **terms)

        answer = post_step(owner, raffle, "open")

        [told] = list_messages(answer)
        assert sentence in told
        assert f'href="{build_url("change", raffle.pk)}#id_{field}"' in told
        assert f'#id_{field}"' in owner.get(answer["Location"]).content.decode()
        raffle.refresh_from_db()
        assert raffle.status == "DRAFT"

    @pytest.mark.same_everywhere
    def test_staff_without_the_permission_get_403_and_see_no_button(self, client: Client) -> None:
        client.force_login(sample_data.create_user("looker", "view_raffle"))
        raffle = builders.create_raffle(numbers=1, with_numbers=False, status="DRAFT")

        refused = {name: post_step(client, raffle, name, sure="yes").status_code for name in STEPS}

        assert refused == dict.fromkeys(STEPS, 403)
        assert not raffle.numbers.exists()
        assert Raffle.objects.count() == 1
        page = client.get(build_url("change", raffle.pk)).content.decode()
        assert not [name for name in STEPS if f"/{name}/" in page]
        assert 'name="_save"' not in page

    @pytest.mark.same_everywhere
    def test_nothing_happens_by_following_a_link(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=1, with_numbers=False, status="DRAFT")

        answers = [owner.get(build_url(name, raffle.pk)).status_code for name in STEPS]

        # The first also loads the progress of the numbers.
        assert answers == [200, 405, 405, 405, 405]
        assert not raffle.numbers.exists()

    @pytest.mark.same_everywhere
    def test_a_copy_has_the_same_terms_and_both_say_where_it_came_from(self, owner: Client) -> None:
        original = builders.create_raffle(numbers=5)

        answer = post_step(owner, original, "duplicate")

        copy = Raffle.objects.get(title="Summer Raffle (copy)")
        assert answer["Location"] == build_url("change", copy.pk)
        assert list_log_lines(copy) == [("olga", "Duplicated “Summer Raffle”")]
        assert list_log_lines(original) == [("olga", "Duplicated it as “Summer Raffle (copy)”")]

    def test_shows_money_in_and_back_and_expected_within_twelve_queries(
        self, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        client.force_login(
            sample_data.create_user(
                "sally", "view_raffle", "change_raffle", "view_order", "add_order"
            )
        )
        raffle = builders.create_raffle()
        for numbers in ([1, 2, 3], [4]):
            order = sample_data.place_order(raffle, numbers=numbers)
            payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON)
        reversals.refund_order(
            order.pk,
            confirmation_id=order.events.get(action="PAID").pk,
            note="Back.",
            by=builders.build_staff_actor(),
            now=NOON,
        )
        sample_data.place_order(raffle, numbers=[5, 6])

        with django_assert_max_num_queries(12):
            page = client.get(build_url("change", raffle.pk)).content.decode()

        orders = reverse("admin:raffles_order_changelist") + f"?raffle={raffle.pk}"
        assert f'<a href="{orders}&amp;status=PAID">$20.00</a>' in page
        assert "1 paid order</span>" in page
        assert "<dt>Money back</dt><dd><strong>$5.00</strong></dd>" in page
        assert f'<a href="{orders}&amp;status=PENDING_PAYMENT">$10.00</a>' in page
        assert reverse("admin:desk_sell", args=[raffle.pk]) in page
        assert reverse("admin:desk_numbers", args=[raffle.pk]) in page


@pytest.mark.django_db
class TestList:
    def test_draws_each_raffles_share_in_as_many_queries_as_one(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        busy = builders.create_raffle(numbers=10, time_zone="America/Bogota")
        sample_data.place_order(busy, numbers=[1, 2])
        for _ in range(5):
            builders.create_raffle(numbers=1)
        builders.create_raffle(numbers=7, with_numbers=False, status="DRAFT")

        with django_assert_max_num_queries(12):
            page = owner.get(build_url("changelist")).content.decode()

        assert 'aria-label="0 sold, 2 held, 8 free"' in page
        assert page.count("0 sold, 0 held, 1 free") == 5
        assert "7 numbers, not made yet" in page
        assert "12 Dec 2037, 15:00" in page

    def test_shows_each_status_by_its_own_name(self, owner: Client) -> None:
        for status in RaffleStatus:
            builders.create_raffle(numbers=1, status=status)

        page = owner.get(build_url("changelist")).content.decode()

        for label in ("Draft", "Open", "Paused", "Closed", "Sealed", "Drawn", "Called off"):
            assert re.search(f'<span class="badge [a-z-]+">{label}</span>', page)
        called_off = owner.get(build_url("changelist"), {"status": "CANCELLED"})
        assert called_off.context["cl"].result_count == 1


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    @pytest.fixture
    def browsers(self) -> list[Client]:
        found = []
        for name in ("olga", "rita"):
            client = Client()
            client.force_login(User.objects.create_superuser(name))
            found.append(client)
        return found

    def test_make_each_number_once(self, browsers: list[Client]) -> None:
        raffle = builders.create_raffle(numbers=2000, with_numbers=False, status="DRAFT")

        answers = run_at_once(
            [partial(post_step, browser, raffle, "generate") for browser in browsers]
        )

        assert [answer.status_code for answer in answers] == [302, 302]
        numbers = TicketNumber.objects.filter(raffle=raffle).values_list("number", flat=True)
        assert sorted(numbers) == list(range(1, 2001))
        assert len(list_log_lines(raffle)) == 1

    def test_open_it_once_and_the_second_is_told_so(self, browsers: list[Client]) -> None:
        raffle = builders.create_raffle(numbers=5, status="DRAFT")

        answers = run_at_once([partial(post_step, browser, raffle, "open") for browser in browsers])

        raffle.refresh_from_db()
        assert raffle.status == "OPEN"
        assert [line for _, line in list_log_lines(raffle)] == ["Opened the raffle"]
        messages = {message for answer in answers for message in list_messages(answer)}
        assert "The raffle is open already." in messages
