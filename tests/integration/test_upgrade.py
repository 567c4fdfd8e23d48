"""Tests of an upgrade: an installation of version 0.1.0 is migrated and continues to sell.

`tests/fixtures/make_installation.py` made the dump that is restored here. The tests refer to what
stays when code is moved: addresses, cookies, tokens, commands, and models by their app label. Only
the imports below name modules of the product.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.apps import apps
from django.conf import global_settings
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from shared.conversation.answering import waiting_messages
from shared.core.enums import DrawMethod
from shared.events.services import deliveries
from shared.publishing import recorder
from shared.raffles.services import availability, sales
from shared.raffles.services.draws import draw_rules
from shared.raffles.services.ticket_numbers import inventory
from shared.use_cases import raffle_changes
from shared.whatsapp.services.outbox import message_claims, outbox_queue
from tests import old_installation, schemas
from tests.builders import build_staff_actor
from tests.databases import DatabaseFactory, use_database
from tests.model_admins import load_model_admins

pytestmark = [pytest.mark.django_db, pytest.mark.acceptance]

_serial = count(1)


@dataclass(frozen=True, slots=True)
class Installation:
    """The installation after `migrate`.

    Attributes:
        facts: the content of `installation.json`.
        now: some minutes after the dump was made; holds and sessions are still valid.
        rights: the groups' permissions before, as (group, app label, codename).
        kinds: the content types before, as (app label, model).
        paid: the paid orders before, as (raffle, currency, total, quantity, time of payment).

    """

    facts: dict[str, Any]
    now: datetime
    rights: frozenset[tuple[str, str, str]]
    kinds: frozenset[tuple[str, str]]
    paid: tuple[Any, ...]


@pytest.fixture(scope="module")
def installation(django_db_setup: None, run_folder: Path) -> Iterator[Installation]:
    """Restore the dump of this kind of database, and migrate it."""
    vendor = connections["default"].vendor
    folder = old_installation.FOLDER / vendor
    facts = json.loads((folder / "installation.json").read_text())
    with (
        old_installation.restore_database(vendor, run_folder) as address,
        use_database(address),
    ):
        rights, kinds, paid = _read_rights(), _read_kinds(), _read_paid_orders()
    with (
        old_installation.copy_upgraded_database(vendor, run_folder) as address,
        use_database(address),
    ):
        ContentType.objects.clear_cache()
        availability.clear_counts_cache()
        _restore_files(folder / "media" / "proofs")
        now = datetime.fromisoformat(facts["saved_at"]) + timedelta(minutes=5)
        yield Installation(facts, now, rights, kinds, paid)
    ContentType.objects.clear_cache()
    availability.clear_counts_cache()


@pytest.fixture(autouse=True)
def resume_installation(
    installation: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Use the installation's own secret, some minutes after the dump was made."""
    settings.SECRET_KEY = installation.facts["secret_key"]
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    settings.WHITENOISE_USE_FINDERS = False
    settings.STATIC_ROOT = tmp_path / "nothing collected"
    monkeypatch.setattr(timezone, "now", lambda: installation.now)


@pytest.fixture
def facts(installation: Installation) -> dict[str, Any]:
    """Return the content of `installation.json`."""
    return installation.facts


@pytest.fixture
def now(installation: Installation) -> datetime:
    """Return the time."""
    return installation.now


@pytest.fixture
def program(facts: dict[str, Any]) -> Client:
    """Return a program with its old token."""
    return Client(headers={"Authorization": f"Bearer {facts['api_token']}"})


def _read_rights() -> frozenset[tuple[str, str, str]]:
    groups = apps.get_model("auth", "Group").objects
    names = ("name", "permissions__content_type__app_label", "permissions__codename")
    return frozenset(groups.values_list(*names))


def _read_kinds() -> frozenset[tuple[str, str]]:
    return frozenset(ContentType.objects.values_list("app_label", "model"))


def _describe_database() -> dict[str, Any]:
    """Return the schema, and the rows that migrations create."""
    return {
        **schemas.read_schema(),
        "kinds": _read_kinds(),
        "rights": _read_rights(),
        "permissions": set(Permission.objects.values_list("content_type__model", "codename")),
        "migrations": set(MigrationRecorder(connection).applied_migrations()),
    }


def _read_paid_orders() -> tuple[Any, ...]:
    paid = apps.get_model("raffles", "Order").objects.filter(status="PAID")
    return tuple(paid.values_list("raffle_id", "currency", "total", "quantity", "closed_at"))


def _restore_files(folder: Path) -> None:
    storage = apps.get_model("raffles", "PaymentProof")._meta.get_field("file").storage
    for file in folder.rglob("*.jpg"):
        name = str(file.relative_to(folder))
        if not storage.exists(name):
            storage.save(name, ContentFile(file.read_bytes()))


def get_row(model: str, **fields: Any) -> Any:
    """Return the one row of a model, e.g. `raffles.Order`."""
    return apps.get_model(model)._default_manager.get(**fields)


def open_browser(session: str) -> Client:
    """Return a browser with its old session cookie."""
    browser = Client()
    browser.cookies["sessionid"] = session
    return browser


def answer_waiting(contact: Any, *, now: datetime) -> list[str]:
    """Answer the waiting messages and return the keys of the new messages."""
    before = set(contact.outbound_messages.values_list("pk", flat=True))
    while waiting_messages.answer_waiting_messages(contact.pk, now=now, pivot=12345).messages:
        pass
    new = contact.outbound_messages.exclude(pk__in=before).order_by("pk")
    return list(new.values_list("key", flat=True))


def send_text(contact: Any, text: str, *, now: datetime) -> list[str]:
    """Send a text and return the keys of the bot's answers."""
    return _send_message(contact, "text", {"text": {"body": text}}, now=now)


def tap_button(contact: Any, button: str, *, now: datetime) -> list[str]:
    """Tap a button by its id and return the keys of the bot's answers."""
    reply = {"type": "button_reply", "button_reply": {"id": button, "title": "?"}}
    return _send_message(contact, "interactive", {"interactive": reply}, now=now)


def _send_message(contact: Any, kind: str, body: dict[str, Any], *, now: datetime) -> list[str]:
    wa_message_id = f"wamid.upgrade{next(_serial)}"
    contact.inbound_messages.create(
        phone_number_id=contact.phone_number_id,
        wa_message_id=wa_message_id,
        dedupe_key=wa_message_id,
        type=kind,
        payload={"id": wa_message_id, "type": kind, **body},
        sent_at=now,
        received_at=now,
    )
    return answer_waiting(contact, now=now)


def _sum_totals(
    installation: Installation, *, raffle: int | None = None, day: date | None = None
) -> dict[str, Decimal]:
    """Sum up the orders that were paid before, of a raffle or of a day."""
    total: dict[str, Decimal] = defaultdict(Decimal)
    for order_raffle, currency, amount, _, paid_at in installation.paid:
        if raffle in {None, order_raffle} and day in {None, paid_at.date()}:
            total[currency] += amount
    return total


class TestDatabase:
    def test_is_as_the_models_say(self) -> None:
        call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)
        call_command("migrate", check_unapplied=True, verbosity=0)

    def test_knows_every_migration_that_ever_ran(self) -> None:
        loader = MigrationLoader(connection)

        assert set(loader.applied_migrations) <= set(loader.disk_migrations)

    def test_is_as_a_new_one(self, vendor: str, run_folder: Path) -> None:
        upgraded = _describe_database()

        with DatabaseFactory(vendor, run_folder).fresh() as address, use_database(address):
            new = _describe_database()

        assert upgraded == new

    def test_has_its_numbers_whole(self) -> None:
        written = StringIO()

        call_command("check_inventory", stdout=written)

        assert written.getvalue()

    def test_has_the_sums_that_its_orders_had(
        self, installation: Installation, now: datetime
    ) -> None:
        assert installation.paid

        sums = sales.load_sales_sums(now=now, zone="UTC", days=30)

        for raffle, found in sums.raffles.items():
            assert found.money.balance == found.money.confirmed
            assert found.money.confirmed == _sum_totals(installation, raffle=raffle)
        for day in sums.days:
            assert day.money.confirmed == _sum_totals(installation, day=day.day)
        assert sums.overall.sold == sum(quantity for *_, quantity, _ in installation.paid)
        assert sum(day.orders for day in sums.days) == len(installation.paid)

    def test_has_every_constraint_and_index_by_the_name_its_model_gives(self) -> None:
        for label in ("raffles", "whatsapp", "events", "api"):
            for model in apps.get_app_config(label).get_models():
                with connection.cursor() as cursor:
                    table = model._meta.db_table
                    there = connection.introspection.get_constraints(cursor, table)
                named = (*model._meta.constraints, *model._meta.indexes)

                assert {rule.name for rule in named} <= set(there), table

    def test_has_the_content_types_it_had(self, installation: Installation) -> None:
        assert installation.kinds <= _read_kinds()


class TestDraws:
    def test_wait_until_a_person_says_how_a_raffle_with_sold_numbers_is_drawn(
        self, now: datetime
    ) -> None:
        waiting = list(draw_rules.query_raffles_without_rules())
        paid = apps.get_model("raffles", "Order").objects.filter(status="PAID")
        assert waiting
        assert not paid.filter(receipt_entry__isnull=False).exists()

        for raffle in waiting:
            rules = draw_rules.ChosenRules(method=DrawMethod.RECORDED_DRUM, sources=())
            draw_rules.save_rules(raffle.pk, rules, by=build_staff_actor(), now=now)
        assert raffle_changes.continue_raffle_changes(now=now)

        assert not draw_rules.query_raffles_without_rules()
        for raffle in waiting:
            receipts = paid.filter(raffle=raffle).order_by("closed_at", "id")
            entries = list(receipts.values_list("receipt_entry", flat=True))
            assert entries == list(range(1, len(entries) + 1))
        assert inventory.find_inventory_problems() == []


class TestPeople:
    def test_keep_what_their_groups_may_do(self, installation: Installation) -> None:
        assert {group for group, *_ in installation.rights} == {"Seller", "Reviewer", "Auditor"}
        assert installation.rights <= _read_rights()

    @pytest.mark.parametrize("name", ["sofia", "olga"])
    def test_stay_logged_in_with_and_without_a_second_factor(
        self, facts: dict[str, Any], name: str
    ) -> None:
        browser = open_browser(facts["sessions"][name])

        page = browser.get("/admin/raffles/order/")

        assert page.status_code == 200
        assert page.wsgi_request.user.get_username() == name

    def test_log_in_with_the_password_they_had(self, facts: dict[str, Any]) -> None:
        form = {"username": "ada", "password": facts["password"]}

        assert Client().post("/admin/login/", form)["Location"] == "/admin/"

    def test_log_in_with_a_code_on_paper(self, facts: dict[str, Any]) -> None:
        browser = Client()
        browser.post("/admin/login/", {"username": "olga", "password": facts["password"]})
        code = apps.get_model("otp_static", "StaticToken").objects.first()

        assert browser.get("/admin/").status_code == 302
        assert browser.post("/admin/login/", {"code": code.token})["Location"] == "/admin/"
        assert browser.get("/admin/").status_code == 200

    def test_stay_locked_out(self, facts: dict[str, Any]) -> None:
        locked = facts["locked_out"]
        attempts = apps.get_model("axes", "AccessAttempt").objects
        attempts.filter(username=locked["username"]).update(attempt_time=datetime.now(UTC))
        form = {"username": locked["username"], "password": facts["password"]}

        refused = Client().post("/admin/login/", form, REMOTE_ADDR=locked["address"])

        assert refused.status_code == 429

    def test_open_the_list_and_the_newest_row_of_everything(self, facts: dict[str, Any]) -> None:
        browser = open_browser(facts["sessions"]["olga"])

        for model in load_model_admins():
            label, name = model._meta.app_label, model._meta.model_name
            pages = [f"/admin/{label}/{name}/"]
            newest = model._default_manager.order_by("pk").last()
            if newest is not None:
                pages.append(f"/admin/{label}/{name}/{newest.pk}/change/")

            assert [browser.get(page).status_code for page in pages] == [200] * len(pages), pages

    def test_read_what_was_done_before(self, facts: dict[str, Any]) -> None:
        browser = open_browser(facts["sessions"]["sofia"])

        page = browser.get(f"/admin/raffles/raffle/{facts['paused_raffle']}/history/")

        assert page.status_code == 200
        assert "Paused the raffle" in page.content.decode()


class TestPrograms:
    def test_get_in_with_their_token_until_it_is_revoked(
        self, program: Client, facts: dict[str, Any]
    ) -> None:
        revoked = Client(headers={"Authorization": f"Bearer {facts['revoked_api_token']}"})

        assert program.get("/api/orders").status_code == 200
        assert revoked.get("/api/orders").status_code == 401

    def test_open_links_signed_before_for_as_long_as_they_are_good(
        self, facts: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        link = urlsplit(facts["proof_link"]["url"])
        address = f"{link.path}?{link.query}"

        opened = Client().get(address)
        content = b"".join(opened.streaming_content)  # type: ignore[attr-defined]
        monkeypatch.setattr(
            timezone, "now", lambda: datetime.fromisoformat(facts["proof_link"]["expires_at"])
        )
        expired = Client().get(address)

        assert (opened.status_code, content[:2]) == (200, b"\xff\xd8")
        assert expired.json()["code"] == "proof_link_expired"

    def test_are_answered_the_same_when_they_repeat_a_request(
        self, program: Client, facts: dict[str, Any]
    ) -> None:
        asked = facts["idempotent"]

        repeated = program.post(
            asked["path"],
            asked["body"],
            content_type="application/json",
            headers={"Idempotency-Key": asked["key"]},
        )

        assert repeated["Idempotent-Replayed"] == "true"
        assert repeated.json() == asked["answer"]

    def test_decide_about_a_payment_that_came_too_late(
        self, program: Client, facts: dict[str, Any]
    ) -> None:
        late = f"/api/orders/{facts['late']['order']}"

        refunded = program.post(
            f"{late}/resolve-late",
            json.dumps({"decision": "refund", "note": "By bank transfer."}),
            content_type="application/json",
        )

        assert refunded.status_code == 200, refunded.content
        assert not get_row("raffles.Order", code=facts["late"]["order"]).needs_decision


class TestBuyers:
    def test_who_wrote_before_are_answered(self, facts: dict[str, Any], now: datetime) -> None:
        contact = get_row("whatsapp.WhatsAppContact", pk=facts["unanswered"]["contact"])

        assert answer_waiting(contact, now=now) == ["card"]

    def test_confirm_what_they_hold_with_the_button_they_have(
        self, facts: dict[str, Any], now: datetime
    ) -> None:
        contact = get_row("whatsapp.WhatsAppContact", pk=facts["draft"]["contact"])

        answered = tap_button(contact, facts["draft"]["button"], now=now)

        assert answered == ["how_to_pay"]
        assert get_row("raffles.Order", code=facts["draft"]["order"]).status == "PENDING_PAYMENT"

    @pytest.mark.parametrize(
        ("name", "text", "expected"),
        [
            ("Quantity Quinn", "3", "held"),
            ("Picking Pia", "1 2", "held"),
            ("Owing Olaf", "cancel", "cancelled"),
            ("Stranger Stan", "hi", "card"),
        ],
    )
    def test_go_on_where_they_stood(
        self, now: datetime, name: str, text: str, expected: str
    ) -> None:
        contact = get_row("whatsapp.WhatsAppContact", profile_name=name)

        assert expected in send_text(contact, text, now=now)

    def test_who_fell_silent_get_what_was_withheld(self, now: datetime) -> None:
        withheld = get_row("whatsapp.OutboundMessage", status="WITHHELD")

        send_text(withheld.contact, "hi", now=now)

        withheld.refresh_from_db()
        assert (withheld.key, withheld.status) == ("paid", "QUEUED")

    def test_are_told_when_their_proof_is_confirmed(
        self, program: Client, facts: dict[str, Any]
    ) -> None:
        waiting = facts["under_review"]

        confirmed = program.post(
            f"/api/orders/{waiting['order']}/confirm-payment",
            json.dumps({"proofs": [waiting["proof"]]}),
            content_type="application/json",
        )

        assert confirmed.json()["status"] == "PAID"
        assert get_row("whatsapp.OutboundMessage", about=waiting["order"], key="paid")

    def test_who_are_new_buy(self, now: datetime) -> None:
        contact = apps.get_model("whatsapp", "WhatsAppContact").objects.create(
            phone_number_id="106540352242922", wa_id="15550109001", created_at=now
        )

        assert send_text(contact, "hi", now=now) == ["card"]
        assert send_text(contact, "2 random", now=now) == ["held"]
        held = get_row("raffles.Order", contact=contact)
        assert tap_button(contact, f"r1:confirm:{held.pk}", now=now) == ["how_to_pay"]
        assert held.tickets.filter(status="RESERVED").count() == 2


class TestWorkers:
    def test_number_events_and_bring_them(self, now: datetime) -> None:
        events = apps.get_model("events", "Event").objects
        last = events.filter(sequence__isnull=False).count()
        new = events.filter(sequence=None).count()

        recorder.sequence_events(now=now)
        claimed = deliveries.claim_deliveries(
            now=now, lease=uuid4(), lease_for=timedelta(minutes=1), limit=100, busy={}
        )

        assert new > 0
        assert set(events.values_list("sequence", flat=True)) == set(range(1, last + new + 1))
        assert {delivery.endpoint for delivery in claimed} == {"n8n", "archive"}
        assert claimed[0].secret.startswith("whsec_")

    def test_take_over_what_a_process_left_in_the_middle(self, now: datetime) -> None:
        assert deliveries.expire_leases(now) == 1

    def test_send_what_is_queued(self, now: datetime) -> None:
        claimed = message_claims.claim_messages(now=now, lease=uuid4(), limit=100)

        assert claimed.messages
        assert {message.body["messaging_product"] for message in claimed.messages} == {"whatsapp"}

    def test_send_again_what_may_never_have_arrived(self, now: datetime) -> None:
        unknown = get_row("whatsapp.OutboundMessage", status="UNKNOWN")

        outbox_queue.settle_abandoned_sends(now=now)

        unknown.refresh_from_db()
        assert unknown.status == "QUEUED"

    def test_expire_what_nobody_paid(
        self, facts: dict[str, Any], now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Nothing expires while a message waits for its answer: it may be a receipt.
        answer_waiting(
            get_row("whatsapp.WhatsAppContact", pk=facts["unanswered"]["contact"]), now=now
        )
        monkeypatch.setattr(timezone, "now", lambda: now + timedelta(hours=2))

        call_command("expire_reservations", stdout=StringIO())

        unpaid, draft = facts["unpaid"]["order"], facts["draft"]["order"]
        for code in (unpaid, draft):
            assert get_row("raffles.Order", code=code).status == "EXPIRED"
        assert get_row("whatsapp.OutboundMessage", about=unpaid, key="expired")
