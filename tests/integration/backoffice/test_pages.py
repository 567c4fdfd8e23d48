"""Every page of the admin as production serves it, and what the important ones show."""

from io import BytesIO
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image
from pytest_django import DjangoAssertNumQueries
from rest_framework.authtoken.models import Token

from shared.conversation import settlement
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.whatsapp.models import (
    AccountNotice,
    Alarm,
    BusinessNumber,
    InboundMessage,
    OutboundMessage,
    UnreadableItem,
    WhatsAppContact,
)
from shared.whatsapp.services import alarms
from tests import builders
from tests.builders import MINUTE, NOON, NUMBER_ID
from tests.integration.backoffice import shop

pytestmark = pytest.mark.django_db

READ_ONLY = [
    AccountNotice,
    Alarm,
    BusinessNumber,
    InboundMessage,
    LogEntry,
    Order,
    OutboundMessage,
    PaymentProof,
    UnreadableItem,
    WhatsAppContact,
]


def page_of(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def fill_every_table() -> None:
    """Put at least one row behind every list, and a second page behind that of orders."""
    raffle = builders.raffle()
    order = shop.an_order(raffle, numbers=[1])
    shop.with_file(shop.a_proof(order))
    settlement.confirm_payment(order.pk, by=builders.a_reviewer(), now=NOON)
    for _ in range(60):
        builders.order(raffle)
    InboundMessage.objects.create(
        phone_number_id=NUMBER_ID,
        wa_message_id="wamid.1",
        dedupe_key="wamid.1",
        contact=order.contact,
        type="text",
        text="hi",
        payload={"type": "text", "text": {"body": "<b>hi</b>"}},
        sent_at=NOON,
        received_at=NOON,
    )
    alarms.sound("token", title="Sending is paused", now=NOON)
    AccountNotice.objects.create(
        dedupe_key="x", field="account_update", payload={"a": 1}, received_at=NOON
    )
    UnreadableItem.objects.create(sha256="x", body=b"\xff{", reason="not JSON", received_at=NOON)
    BusinessNumber.objects.create(phone_number_id=NUMBER_ID)
    Group.objects.create(name="Reviewers")
    n8n = User.objects.create_user("n8n")
    Token.objects.create(user=n8n)
    LogEntry.objects.create(user=n8n, object_repr="n8n", action_flag=CHANGE)


@pytest.mark.usefixtures("production")
class TestEveryPage:
    def test_of_every_model_comes_with_its_hashed_static_files(self, owner: Client) -> None:
        fill_every_table()
        for model, model_admin in admin.site._registry.items():
            row = model._default_manager.first()
            assert row is not None, f"no row of {model.__name__} to look at"
            pages = [
                page_of(model, "changelist"),
                page_of(model, "changelist") + "?q=a",
                page_of(model, "change", row.pk),
                page_of(model, "history", row.pk),
            ]
            if model not in READ_ONLY:
                pages.append(page_of(model, "add"))
            for page in pages:
                answer = owner.get(page)
                assert answer.status_code == 200, page
                assert b"backoffice/css/admin." in answer.content, page
                assert b"fonts.googleapis" not in answer.content, page
            assert model_admin.list_per_page

    @pytest.mark.parametrize(
        "path",
        [
            "/admin/",
            "/admin/raffles/",
            "/admin/whatsapp/",
            "/admin/password_change/",
            "/admin/raffles/order/?p=2",
            "/admin/raffles/order/?review=waiting&o=6",
            "/admin/raffles/order/?decision=yes",
            "/admin/raffles/order/?status=PAID&raffle=1",
            "/admin/raffles/order/?raffle=99999999999999999999",
            "/admin/raffles/order/?status=NONSENSE",
            "/admin/raffles/order/?o=99&p=x&q=%25",
            "/admin/raffles/paymentproof/?order=none",
            "/admin/whatsapp/alarm/?open=yes",
        ],
    )
    def test_outside_the_models_comes_too(self, owner: Client, path: str) -> None:
        fill_every_table()

        assert owner.get(path).status_code == 200

    def test_of_the_login_comes_and_its_style_sheet_is_served(self) -> None:
        page = Client().get("/admin/login/").content.decode()
        sheet = next(
            part.split('"')[0]
            for part in page.split('href="')
            if part.startswith("/static/jazzmin/css/main.")
        )

        answer = Client().get(sheet)

        assert answer.status_code == 200
        assert "immutable" in answer["Cache-Control"]
        assert answer.getvalue()

    def test_at_the_root_leads_to_the_admin(self) -> None:
        answer = Client().get("/")

        assert (answer.status_code, answer["Location"]) == (302, "/admin/")


class TestReadOnlyPages:
    @pytest.mark.parametrize("model", READ_ONLY)
    def test_offer_neither_adding_nor_changing_nor_deleting(
        self, owner: Client, model: Any
    ) -> None:
        fill_every_table()
        key = model._default_manager.first().pk

        refused = [
            owner.get(page_of(model, "add")),
            owner.post(page_of(model, "add"), {}),
            owner.post(page_of(model, "change", key), {"status": "PAID"}),
            owner.get(page_of(model, "delete", key)),
            owner.post(page_of(model, "delete", key), {"post": "yes"}),
            owner.post(
                page_of(model, "changelist"),
                {"action": "delete_selected", "_selected_action": [key], "post": "yes"},
            ),
        ]

        assert [answer.status_code for answer in refused][:5] == [403] * 5
        assert refused[5].status_code in {200, 302, 403}
        assert model._default_manager.filter(pk=key).exists()


class TestOrderList:
    @pytest.mark.parametrize(
        "typed",
        ["{code}", "{lower}", " {bare} ", "15550107777", "+1 555 010 7777", "010-7777", "ana mar"],
    )
    def test_finds_by_code_phone_and_name(self, owner: Client, typed: str) -> None:
        buyer = builders.contact(profile_name="Ana Maria", wa_id="15550107777")
        raffle = builders.raffle()
        wanted = shop.an_order(raffle, numbers=[1], buyer=buyer)
        other = shop.an_order(raffle, numbers=[2])
        code = str(wanted.code)
        term = typed.format(code=code, lower=code.lower(), bare=code.removeprefix("R-").lower())

        page = owner.get(page_of(Order, "changelist"), {"q": term}).content.decode()

        assert f">{wanted.code}</a>" in page
        assert f">{other.code}</a>" not in page

    def test_tells_how_long_a_proof_waits_the_longest_first(self, owner: Client) -> None:
        raffle = builders.raffle()
        later, sooner = (shop.an_order(raffle, numbers=[n]) for n in (1, 2))
        shop.a_proof(later, at=NOON + 5 * MINUTE)
        shop.a_proof(sooner, at=NOON + MINUTE)
        shop.an_order(raffle, numbers=[3])

        page = owner.get(page_of(Order, "changelist") + "?review=waiting&o=6").content.decode()

        assert page.index(f">{sooner.code}<") < page.index(f">{later.code}<")
        assert page.count('class="field-waiting"') == 2

    def test_takes_as_many_queries_for_many_as_for_few(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        raffle = builders.raffle()
        for number in range(1, 21):
            shop.an_order(raffle, numbers=[number])

        with django_assert_max_num_queries(12):
            owner.get(page_of(Order, "changelist"))


class TestOrderPage:
    def page(self, browser: Client, order: Order) -> str:
        answer = browser.get(page_of(Order, "change", order.pk))
        assert answer.status_code == 200
        return answer.content.decode()

    def test_shows_the_picture_of_a_proof(self, owner: Client) -> None:
        order = shop.an_order()
        proof = shop.with_file(shop.a_proof(order))

        page = self.page(owner, order)

        assert f'<img src="/admin/raffles/paymentproof/{proof.pk}/file/"' in page

    def test_offers_a_pdf_as_a_link(self, owner: Client) -> None:
        order = shop.an_order()
        shop.with_file(shop.a_proof(order), content=b"%PDF-1.7", content_type="application/pdf")

        page = self.page(owner, order)

        assert "Open the PDF" in page
        assert "<img src=" not in page.split('id="jazzy-navbar"')[1].split("order-page")[1]

    def test_says_in_words_that_a_file_is_on_its_way_or_could_not_be_had(
        self, owner: Client
    ) -> None:
        order = shop.an_order()
        shop.a_proof(order)
        failed = shop.a_proof(order)
        settlement.proof_failed(failed.pk, error="Meta lost it", retry_at=None, now=NOON)

        page = self.page(owner, order)

        assert "still being fetched from WhatsApp" in page
        assert "could not be had from WhatsApp" in page
        assert "Meta lost it" in page

    def test_warns_where_the_same_bytes_came_with_another_order(self, owner: Client) -> None:
        raffle = builders.raffle()
        first, second = (shop.an_order(raffle, numbers=[n]) for n in (1, 2))
        for order in (first, second):
            shop.with_file(shop.a_proof(order), content=shop.a_picture("red"))
        alone = shop.an_order(raffle, numbers=[3])
        for _ in range(2):  # the same picture twice with one order is no second order
            shop.with_file(shop.a_proof(alone), content=shop.a_picture("blue"))

        assert f"{first.code}</a>" in self.page(owner, second).split("The very same file")[1]
        assert "The very same file" not in self.page(owner, alone)

    def test_tells_the_history_in_the_raffles_own_time(self, owner: Client) -> None:
        order = shop.an_order(builders.raffle(time_zone="America/Bogota"))

        page = self.page(owner, order)

        assert "<strong>Placed</strong> by Buyer" in page
        assert "22 Nov 2026, 07:00" in page

    def test_escapes_what_buyers_wrote(self, owner: Client) -> None:
        buyer = builders.contact(profile_name="<script>alert(1)</script>")
        order = shop.an_order(buyer=buyer)

        assert "<script>alert(1)" not in self.page(owner, order)

    def test_takes_as_many_queries_for_many_proofs_as_for_one(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        order = shop.an_order()
        for _ in range(6):
            shop.with_file(shop.a_proof(order), content=shop.a_picture())

        with django_assert_max_num_queries(16):
            self.page(owner, order)


class TestProofFile:
    def file(self, browser: Client, proof: PaymentProof) -> Any:
        return browser.get(reverse("admin:raffles_paymentproof_file", args=[proof.pk]))

    def test_is_sent_as_the_picture_it_is_and_nothing_else(self, owner: Client) -> None:
        picture = shop.a_picture()
        proof = shop.with_file(shop.a_proof(shop.an_order()), content=picture)

        answer = self.file(owner, proof)

        assert answer.getvalue() == picture
        assert answer["Content-Type"] == "image/jpeg"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Disposition"].startswith("inline; filename=")
        assert "sandbox" in answer["Content-Security-Policy"]
        assert "no-store" in answer["Cache-Control"]

    @pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", ""])
    def test_of_a_type_that_could_run_is_a_download(self, owner: Client, kind: str) -> None:
        proof = shop.with_file(shop.a_proof(shop.an_order()), content=b"<script>")
        PaymentProof.objects.update(content_type=kind)

        answer = self.file(owner, proof)

        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer.getvalue() == b"<script>"

    @pytest.mark.parametrize("permission", ["view_paymentproof", "view_order", "change_order"])
    def test_is_shown_to_who_may_see_proofs_or_orders(
        self, client: Client, permission: str
    ) -> None:
        client.force_login(shop.a_user("rita", permission))
        proof = shop.with_file(shop.a_proof(shop.an_order()))

        answer = self.file(client, proof)

        assert answer.status_code == 200
        assert answer.getvalue()

    def test_is_not_shown_to_others(self, client: Client) -> None:
        proof = shop.with_file(shop.a_proof(shop.an_order()))
        assert self.file(client, proof).status_code == 302

        client.force_login(shop.a_user("other", "view_raffle"))

        assert self.file(client, proof).status_code == 403

    def test_that_is_not_there_is_404(self, owner: Client) -> None:
        fetching = shop.a_proof(shop.an_order())
        gone = shop.with_file(shop.a_proof(shop.an_order()))
        gone.file.storage.delete(str(gone.file.name))

        assert self.file(owner, fetching).status_code == 404
        assert self.file(owner, gone).status_code == 404


class TestAlarms:
    def test_are_resolved_by_who_may_change_them(self, owner: Client) -> None:
        alarm = alarms.sound("token", title="Sending is paused", now=NOON)

        owner.post(
            page_of(Alarm, "changelist"),
            {"action": "mark_resolved", "_selected_action": [alarm.pk]},
        )

        alarm.refresh_from_db()
        assert alarm.resolved_by == "olga"

    def test_stay_open_for_who_may_only_look(self, client: Client) -> None:
        client.force_login(shop.a_user("looker", "view_alarm"))
        alarm = alarms.sound("token", title="Sending is paused", now=NOON)

        client.post(
            page_of(Alarm, "changelist"),
            {"action": "mark_resolved", "_selected_action": [alarm.pk]},
        )

        alarm.refresh_from_db()
        assert alarm.resolved_at is None


class TestRaffleForm:
    FORM = {
        "title": "Winter Raffle",
        "prize": "a bicycle",
        "number_count": "100",
        "first_number": "0",
        "number_width": "0",
        "price": "5.00",
        "currency": "USD",
        "min_per_order": "1",
        "max_per_order": "20",
        "hold_minutes": "30",
        "time_zone": "America/Bogota",
        "draw_at_0": "2026-12-12",
        "draw_at_1": "20:00",
        "payment_instructions": "Bank of Example, account 000-123",
        "seller_contact": "Ana",
    }

    def test_adds_a_raffle_with_times_in_its_own_zone(self, owner: Client) -> None:
        answer = owner.post(page_of(Raffle, "add"), self.FORM)

        raffle = Raffle.objects.get()
        assert answer["Location"] == page_of(Raffle, "change", raffle.pk)
        assert raffle.status == "DRAFT"
        assert raffle.draw_at is not None
        assert raffle.draw_at.isoformat() == "2026-12-13T01:00:00+00:00"
        page = owner.get(answer["Location"]).content.decode()
        assert 'value="20:00:00"' in page
        assert "Generate 100 numbers" in page

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"max_per_order": "3", "min_per_order": "5"}, "At least as many as the fewest"),
            ({"max_per_contact": "1", "min_per_order": "2"}, "At least as many as the fewest"),
            ({"currency": "usd"}, "is not a currency code"),
            ({"time_zone": "Mars/Base"}, "is not a time zone"),
            ({"price": "-1"}, "greater than or equal to 0"),
            ({"number_count": "1000001"}, "less than or equal to 1000000"),
            (
                {
                    "sales_open_at_0": "2026-12-02",
                    "sales_open_at_1": "10:00",
                    "sales_close_at_0": "2026-12-01",
                    "sales_close_at_1": "10:00",
                },
                "After the opening of sales",
            ),
        ],
    )
    def test_says_what_does_not_fit_together(
        self, owner: Client, wrong: dict[str, str], words: str
    ) -> None:
        answer = owner.post(page_of(Raffle, "add"), self.FORM | wrong)

        assert answer.status_code == 200
        assert words in answer.content.decode()
        assert "Constraint" not in answer.content.decode()
        assert not Raffle.objects.exists()

    def test_freezes_the_numbers_once_they_exist(self, owner: Client) -> None:
        raffle = builders.raffle(numbers=10)

        owner.post(page_of(Raffle, "change", raffle.pk), self.FORM | {"number_count": "500"})

        raffle.refresh_from_db()
        assert raffle.title == "Winter Raffle"
        assert (raffle.number_count, raffle.first_number) == (10, 1)

    def test_cannot_set_the_status(self, owner: Client) -> None:
        owner.post(page_of(Raffle, "add"), self.FORM | {"status": "OPEN"})

        assert Raffle.objects.get().status == "DRAFT"

    def test_is_never_deleted(self, owner: Client) -> None:
        raffle = builders.raffle(numbers=1)

        answer = owner.post(page_of(Raffle, "delete", raffle.pk), {"post": "yes"})

        assert answer.status_code == 403

    def test_is_frozen_altogether_once_it_is_drawn(self, owner: Client) -> None:
        raffle = builders.raffle(numbers=1, status="DRAWN")

        assert owner.get(page_of(Raffle, "change", raffle.pk)).status_code == 200
        answer = owner.post(page_of(Raffle, "change", raffle.pk), self.FORM)

        assert answer.status_code == 403

    def test_takes_pictures_that_whatsapp_shows_and_shows_them(self, owner: Client) -> None:
        good, bad = BytesIO(), BytesIO()
        Image.new("RGB", (8, 8)).save(good, "PNG")
        Image.new("RGB", (8, 8)).save(bad, "WEBP")
        webp = SimpleUploadedFile("x.webp", bad.getvalue(), content_type="image/webp")
        png = SimpleUploadedFile("x.png", good.getvalue(), content_type="image/png")

        refused = owner.post(page_of(Raffle, "add"), self.FORM | {"picture": webp})
        taken = owner.post(page_of(Raffle, "add"), self.FORM | {"picture": png})

        assert "JPEG and PNG pictures only" in refused.content.decode()
        assert taken.status_code == 302
        raffle = Raffle.objects.get()
        shown = owner.get(reverse("admin:raffles_raffle_picture", args=[raffle.pk]))
        assert shown.getvalue() == good.getvalue()


class TestRaffleLife:
    def step(self, browser: Client, raffle: Raffle, name: str, **form: str) -> Any:
        return browser.post(reverse(f"admin:raffles_raffle_{name}", args=[raffle.pk]), form)

    def test_goes_from_numbers_to_open_to_paused_to_closed(self, owner: Client) -> None:
        raffle = builders.raffle(numbers=30, with_numbers=False, status="DRAFT")
        statuses = []
        for name in ("generate", "open", "pause", "open"):
            assert self.step(owner, raffle, name).status_code == 302
            raffle.refresh_from_db()
            statuses.append(raffle.status)

        asked = self.step(owner, raffle, "close")
        assert b"Yes, close the raffle" in asked.content
        self.step(owner, raffle, "close", sure="yes")

        raffle.refresh_from_db()
        assert [*statuses, raffle.status] == ["DRAFT", "OPEN", "PAUSED", "OPEN", "CLOSED"]
        assert raffle.numbers.count() == 30

    def test_a_step_that_does_not_fit_is_told(self, owner: Client) -> None:
        raffle = builders.raffle(numbers=30, with_numbers=False, status="DRAFT")

        answer = owner.get(self.step(owner, raffle, "open")["Location"])

        assert b"cannot open before all its numbers exist" in answer.content
        raffle.refresh_from_db()
        assert raffle.status == "DRAFT"

    @pytest.mark.parametrize("name", ["generate", "open", "pause", "close"])
    def test_staff_without_the_permission_get_403(self, client: Client, name: str) -> None:
        client.force_login(shop.a_user("looker", "view_raffle"))
        raffle = builders.raffle(numbers=1)

        assert self.step(client, raffle, name, sure="yes").status_code == 403

    @pytest.mark.parametrize("name", ["generate", "open", "pause", "close"])
    def test_never_by_following_a_link(self, owner: Client, name: str) -> None:
        raffle = builders.raffle(numbers=1)

        answer = owner.get(reverse(f"admin:raffles_raffle_{name}", args=[raffle.pk]))

        assert answer.status_code == 405

    def test_editing_the_terms_does_not_bring_an_old_status_back(self, owner: Client) -> None:
        raffle = builders.raffle(numbers=1)
        model_admin = admin.site.get_model_admin(Raffle)
        form = model_admin.get_form(None, raffle)(  # type: ignore[arg-type]
            TestRaffleForm.FORM, instance=Raffle.objects.get()
        )
        assert form.is_valid()
        Raffle.objects.update(status="CLOSED")  # meanwhile, somewhere else

        model_admin.save_model(None, form.instance, form, change=True)  # type: ignore[arg-type]

        raffle.refresh_from_db()
        assert (raffle.title, raffle.status) == ("Winter Raffle", "CLOSED")
