"""Tests of every admin page as production serves it, and of what the important ones show."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from backoffice.api import tokens
from backoffice.api.models import ApiToken
from shared.core.enums import Scope
from shared.events.models import Event, EventDelivery, EventEndpoint
from shared.events.services import endpoints
from shared.publishing import recorder
from shared.raffles.models import LedgerEntry, Order, PaymentProof, Raffle
from shared.use_cases import payments
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
from tests.builders import NOON, PHONE_NUMBER_ID
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.pages import build_url
from tests.model_admins import load_model_admins

pytestmark = [pytest.mark.django_db, pytest.mark.acceptance]

READ_ONLY = [
    AccountNotice,
    Alarm,
    BusinessNumber,
    Event,
    EventDelivery,
    InboundMessage,
    LedgerEntry,
    LogEntry,
    Order,
    OutboundMessage,
    PaymentProof,
    UnreadableItem,
    WhatsAppContact,
]

OTHER_PAGES = [
    "/admin/",
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
    "/admin/events/eventdelivery/?endpoint=99999999999999999999&status=NONSENSE&type=x&p=2",
]
"""Addresses outside the models, and of lists with filters that are odd or wrong."""


def fill_every_table() -> None:
    """Create at least one row for every list, and enough orders for a second page."""
    endpoints.create_endpoint(
        name="n8n", url="https://n8n.example", by="olga", allow_private=False, now=NOON
    )
    tokens.issue_token(name="n8n", scope=Scope.READ, by="olga", now=NOON)
    raffle = builders.create_raffle()
    order = sample_data.place_order(raffle, numbers=[1])
    sample_data.keep_proof_file(sample_data.receive_proof(order))
    payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON)
    for _ in range(60):
        builders.create_order_row(raffle)
    InboundMessage.objects.create(
        phone_number_id=PHONE_NUMBER_ID,
        wa_message_id="wamid.1",
        dedupe_key="wamid.1",
        contact=order.contact,
        type="text",
        text="hi",
        payload={"type": "text", "text": {"body": "<b>hi</b>"}},
        sent_at=NOON,
        received_at=NOON,
    )
    alarms.sound_alarm("token", title="Sending is paused", now=NOON)
    recorder.sequence_events(now=NOON)
    AccountNotice.objects.create(
        dedupe_key="x", field="account_update", payload={"a": 1}, received_at=NOON
    )
    UnreadableItem.objects.create(sha256="x", body=b"\xff{", reason="not JSON", received_at=NOON)
    BusinessNumber.objects.create(phone_number_id=PHONE_NUMBER_ID)
    Group.objects.create(name="Reviewers")
    rita = User.objects.create_user("rita")
    LogEntry.objects.create(user=rita, object_repr="rita", action_flag=CHANGE)


@pytest.mark.usefixtures("production")
class TestEveryPage:
    @pytest.mark.acceptance
    def test_of_every_model_comes_with_its_hashed_static_files(self, owner: Client) -> None:
        fill_every_table()
        for model, model_admin in load_model_admins().items():
            row = model._default_manager.first()
            assert row is not None, f"no row of {model.__name__} to look at"
            pages = [
                build_url(model, "changelist"),
                build_url(model, "changelist") + "?q=a",
                build_url(model, "change", row.pk),
                build_url(model, "history", row.pk),
            ]
            if model not in READ_ONLY:
                pages.append(build_url(model, "add"))
            for page in pages:
                answer = owner.get(page)
                assert answer.status_code == 200, page
                assert b"backoffice/css/admin." in answer.content, page
                assert b"fonts.googleapis" not in answer.content, page
            assert model_admin.list_per_page

    @pytest.mark.same_everywhere
    def test_outside_the_models_comes_too(self, owner: Client) -> None:
        fill_every_table()

        answers = {path: owner.get(path).status_code for path in OTHER_PAGES}

        assert answers == dict.fromkeys(OTHER_PAGES, 200)

    @pytest.mark.same_everywhere
    def test_loads_jquery_only_where_a_script_needs_it_and_the_small_file(
        self, owner: Client
    ) -> None:
        orders = owner.get("/admin/raffles/order/").content

        assert b"jquery.min." in orders
        assert b"jquery/jquery." not in orders.replace(b"jquery/jquery.min.", b"")
        assert b"jquery" not in owner.get("/admin/").content
        assert b"jquery" not in owner.get("/admin/queue/").content

    @pytest.mark.same_everywhere
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

    @pytest.mark.same_everywhere
    def test_of_an_app_leads_to_the_dashboard(self, owner: Client) -> None:
        answers = [owner.get(f"/admin/{label}/")["Location"] for label in ("raffles", "whatsapp")]

        assert answers == ["/admin/", "/admin/"]

    @pytest.mark.same_everywhere
    def test_of_a_row_names_its_list_once_in_the_breadcrumb(self, owner: Client) -> None:
        raffle = builders.create_raffle()

        page = owner.get(build_url(Raffle, "change", raffle.pk)).content.decode()

        crumbs = page.split('<ol class="breadcrumb', 1)[1].split("</ol>", 1)[0]
        assert crumbs.count("Raffles") == 1
        assert "Summer Raffle" in crumbs

    @pytest.mark.same_everywhere
    def test_at_the_root_leads_to_the_admin(self) -> None:
        answer = Client().get("/")

        assert (answer.status_code, answer["Location"]) == (302, "/admin/")


@pytest.mark.same_everywhere
class TestReadOnlyPages:
    def test_offer_neither_adding_nor_changing_nor_deleting(self, owner: Client) -> None:
        fill_every_table()
        for model in READ_ONLY:
            row = model._default_manager.first()
            assert row is not None

            refused = [
                owner.get(build_url(model, "add")),
                owner.post(build_url(model, "add"), {}),
                owner.post(build_url(model, "change", row.pk), {"status": "PAID"}),
                owner.get(build_url(model, "delete", row.pk)),
                owner.post(build_url(model, "delete", row.pk), {"post": "yes"}),
                owner.post(
                    build_url(model, "changelist"),
                    {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"},
                ),
            ]

            assert [answer.status_code for answer in refused][:5] == [403] * 5, model
            assert refused[5].status_code in {200, 302, 403}, model
            assert model._default_manager.filter(pk=row.pk).exists(), model


@pytest.mark.same_everywhere
class TestProofFile:
    def download_file(self, browser: Client, proof: PaymentProof) -> Any:
        return browser.get(reverse("admin:raffles_paymentproof_file", args=[proof.pk]))

    def test_is_sent_as_the_picture_it_is_and_nothing_else(self, owner: Client) -> None:
        picture = sample_data.draw_picture()
        proof = sample_data.keep_proof_file(
            sample_data.receive_proof(sample_data.place_order()), content=picture
        )

        answer = self.download_file(owner, proof)

        assert answer.getvalue() == picture
        assert answer["Content-Type"] == "image/jpeg"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Disposition"].startswith("inline; filename=")
        assert "sandbox" in answer["Content-Security-Policy"]
        assert answer["Cache-Control"] == "private, max-age=3600"

    @pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", ""])
    def test_of_a_type_that_could_run_is_a_download(self, owner: Client, kind: str) -> None:
        proof = sample_data.keep_proof_file(
            sample_data.receive_proof(sample_data.place_order()), content=b"<script>"
        )
        PaymentProof.objects.update(content_type=kind)

        answer = self.download_file(owner, proof)

        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer.getvalue() == b"<script>"

    @pytest.mark.parametrize("permission", ["view_paymentproof", "view_order", "change_order"])
    def test_is_shown_to_who_may_see_proofs_or_orders(
        self, client: Client, permission: str
    ) -> None:
        client.force_login(sample_data.create_user("rita", permission))
        proof = sample_data.keep_proof_file(sample_data.receive_proof(sample_data.place_order()))

        answer = self.download_file(client, proof)

        assert answer.status_code == 200
        assert answer.getvalue()

    def test_is_not_shown_to_others(self, client: Client) -> None:
        proof = sample_data.keep_proof_file(sample_data.receive_proof(sample_data.place_order()))
        assert self.download_file(client, proof).status_code == 302

        client.force_login(sample_data.create_user("other", "view_raffle"))

        assert self.download_file(client, proof).status_code == 403

    def test_that_is_not_there_is_404(self, owner: Client) -> None:
        fetching = sample_data.receive_proof(sample_data.place_order())
        gone = sample_data.keep_proof_file(sample_data.receive_proof(sample_data.place_order()))
        gone.file.storage.delete(str(gone.file.name))

        assert self.download_file(owner, fetching).status_code == 404
        assert self.download_file(owner, gone).status_code == 404


@pytest.mark.same_everywhere
class TestAlarms:
    def test_are_resolved_by_who_may_change_them(self, owner: Client) -> None:
        alarm = alarms.sound_alarm("token", title="Sending is paused", now=NOON)

        owner.post(
            build_url(Alarm, "changelist"),
            {"action": "mark_resolved", "_selected_action": [alarm.pk]},
        )

        alarm.refresh_from_db()
        assert alarm.resolved_by == "olga"

    def test_stay_open_for_who_may_only_look(self, client: Client) -> None:
        client.force_login(sample_data.create_user("looker", "view_alarm"))
        alarm = alarms.sound_alarm("token", title="Sending is paused", now=NOON)

        client.post(
            build_url(Alarm, "changelist"),
            {"action": "mark_resolved", "_selected_action": [alarm.pk]},
        )

        alarm.refresh_from_db()
        assert alarm.resolved_at is None


@pytest.mark.same_everywhere
@pytest.mark.parametrize("term", ["1" * 5_000, "ana " * 1_500, "ﷺ" * 4_096, '"' * 4_000])
def test_every_list_bears_a_search_that_is_too_long(owner: Client, term: str) -> None:
    searched = [kind for kind, rows in load_model_admins().items() if rows.search_fields]
    answers = {
        kind._meta.label: owner.get(
            reverse(f"admin:{kind._meta.app_label}_{kind._meta.model_name}_changelist"), {"q": term}
        ).status_code
        for kind in searched
    }

    assert len(searched) > 8
    assert set(answers.values()) == {200}, answers


@pytest.mark.same_everywhere
@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Raffle, "New raffle"),
        (User, "New person"),
        (Group, "New role"),
        (ApiToken, "New API token"),
        (EventEndpoint, "New event endpoint"),
    ],
)
def test_a_new_row_has_one_name_on_its_button_and_its_page(
    owner: Client, production: None, model: type[Any], words: str
) -> None:
    listed = owner.get(build_url(model, "changelist")).content.decode()
    form = owner.get(build_url(model, "add")).content.decode()

    assert re.search(rf"</i>\s+{words}</a>", listed)
    assert f"<title>{words} ·" in form
    assert re.search(rf"<h1[^>]*>\s*{words}\s*</h1>", form)
    for page in (listed, form):
        assert not re.search(r">\s*Add [a-z]", page)
