"""Tests that pages and API find the same buyers, written as people write them."""

import re
from typing import Final
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client

from backoffice.changelists.search import TERM_TOO_LONG
from shared.core.search_columns import SearchQuerySet
from shared.raffles.models import LedgerEntry, Order, PaymentProof, Raffle
from shared.whatsapp.models import BusinessNumber, InboundMessage, OutboundMessage, WhatsAppContact
from tests import builders
from tests.builders import NOON
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.api_client import ApiProgram
from tests.integration.backoffice.pages import build_url, list_messages

pytestmark = [pytest.mark.django_db, pytest.mark.acceptance]

JOSE: Final = {"wa_id": "5511961234567", "profile_name": "José Łukasz O’Brien"}
OTHER: Final = {"wa_id": "447400123456", "profile_name": "محمد علي", "username": "m.ali_7"}

TERMS: Final = (
    "josé",
    "JOSE",
    "jose lukasz",
    "brien JOSÉ",
    "o'brien",
    "+55 11 96123-4567",
    "+55 (11) 6123-4567",
    "(011) 96123 4567",
    "0055 11 961234567",
    "٠٠٥٥ ١١ ٩٦١٢٣٤٥٦٧",
    "wa.me/5511961234567",
    "4567",
    "Jose 4567",
)


@pytest.fixture
def api(db: None) -> ApiProgram:
    return ApiProgram()


@pytest.fixture
def order() -> Order:
    """Return an order of José with a proof, beside one of somebody else."""
    sample_data.place_order(numbers=[3], buyer=builders.create_contact(**OTHER))
    order = sample_data.place_order(numbers=[7], buyer=builders.create_contact(**JOSE))
    sample_data.receive_proof(order)
    return order


def list_found(client: Client, model: type, term: str) -> list[int]:
    """Return the ids of the rows of a list that a search shows."""
    found = client.get(build_url(model, "changelist"), {"q": term})
    return [row.pk for row in found.context["cl"].result_list]


def test_finds_the_same_on_every_page_and_over_the_api(
    owner: Client, api: ApiProgram, order: Order
) -> None:
    proof = PaymentProof.objects.get()
    for term in TERMS:
        proofs = api.get(f"/api/proofs?search={quote(term)}").json()["results"]

        assert list_found(owner, WhatsAppContact, term) == [order.contact_id], term
        assert list_found(owner, Order, term) == [order.pk], term
        assert list_found(owner, PaymentProof, term) == [proof.pk], term
        assert api.list_ids(f"search={quote(term)}") == [order.pk], term
        assert api.list_ids(f"buyer={quote(term)}") == [order.pk], term
        assert [row["id"] for row in proofs] == [proof.pk], term


def test_finds_other_scripts_and_usernames(owner: Client, order: Order) -> None:
    wanted = WhatsAppContact.objects.get(wa_id=OTHER["wa_id"])
    for term in ("محمد", "مُحَمَّد عَلِي", "@m.ali_7", "07400 123456", "M ALI"):
        assert list_found(owner, WhatsAppContact, term) == [wanted.pk], term


def test_reads_prefixes_as_the_country_of_the_business_number_dials_them(
    owner: Client, order: Order
) -> None:
    term = "0 15 11 96123-4567"  # by way of a Brazilian carrier
    assert list_found(owner, WhatsAppContact, term) == []

    BusinessNumber.objects.create(phone_number_id="7", display_phone_number="+55 11 96555-0000")

    assert list_found(owner, WhatsAppContact, term) == [order.contact_id]


def test_finds_messages_and_money_of_a_buyer(owner: Client, order: Order) -> None:
    contact = order.contact
    assert contact is not None
    received = InboundMessage.objects.create(
        phone_number_id=contact.phone_number_id,
        wa_message_id="wamid.1",
        dedupe_key="wamid.1",
        contact=contact,
        type="text",
        payload={},
        sent_at=NOON,
        received_at=NOON,
    )
    sent = OutboundMessage.objects.create(
        phone_number_id=contact.phone_number_id,
        contact=contact,
        kind="REPLY",
        key="paid",
        payload={},
        created_at=NOON,
    )
    entry = LedgerEntry.objects.create(
        raffle=order.raffle,
        order=order,
        kind="LATE_REFUNDED",
        amount=order.total,
        currency=order.currency,
        quantity=1,
        actor_kind="STAFF",
        at=NOON,
    )
    for term in ("jose", "+55 11 6123-4567"):
        assert list_found(owner, InboundMessage, term) == [received.pk]
        assert list_found(owner, OutboundMessage, term) == [sent.pk]
        assert list_found(owner, LedgerEntry, term) == [entry.pk]
    assert list_found(owner, LedgerEntry, str(order.code).lower().replace("-", " ")) == [entry.pk]


def test_finds_a_sale_for_cash(owner: Client, api: ApiProgram) -> None:
    raffle = builders.create_raffle()
    sale = builders.create_order_row(raffle, buyer_name="Zoë Ångström", buyer_phone="07400 123456")
    builders.create_order_row(raffle, buyer_name="Bo", buyer_phone="+44 7400 999999")

    for term in ("zoë", "ANG", "+44 7400 123456", "07400 123-456", "7400123456", "Zoe 3456"):
        assert list_found(owner, Order, term) == [sale.pk], term
        assert api.list_ids(f"buyer={quote(term)}") == [sale.pk], term


def test_finds_raffles_and_people_without_accents(owner: Client) -> None:
    raffle = builders.create_raffle(title="Été à Łódź", prize="Straße")
    builders.create_raffle(title="Winter")
    person = User.objects.create_user("z", first_name="Zoë", last_name="Ångström")

    assert list_found(owner, Raffle, "ete LODZ") == [raffle.pk]
    assert list_found(owner, Raffle, "STRASSE") == [raffle.pk]
    assert list_found(owner, User, "angstrom zoe") == [person.pk]


def test_finds_a_number_in_a_raffle_by_its_title_without_accents(owner: Client) -> None:
    raffle = builders.create_raffle(title="Été")
    order = sample_data.place_order(raffle, numbers=[7])
    sample_data.place_order(builders.create_raffle(title="Winter"), numbers=[7])

    assert list_found(owner, Order, "07 in ete") == [order.pk]


def test_finds_nobody_by_punctuation(owner: Client, api: ApiProgram, order: Order) -> None:
    for term in ("?!…", "%", "_", "---", "+", "()", "'", "\\", '"', "…" * 100):
        for model in (WhatsAppContact, Order, PaymentProof):
            assert list_found(owner, model, term) == [], term
        assert api.list_ids(f"search={quote(term)}") == [], term


@pytest.mark.same_everywhere
@pytest.mark.parametrize("term", ["ana " * 2_500, "1" * 10_000], ids=["words", "digits"])
def test_says_that_a_term_is_too_long(
    owner: Client, api: ApiProgram, order: Order, term: str
) -> None:
    answer = owner.get(build_url(WhatsAppContact, "changelist"), {"q": term})

    assert list_messages(answer) == [TERM_TOO_LONG]
    assert api.get(f"/api/orders?search={term}").status_code == 400


class TestStoredSpelling:
    def test_follows_every_way_of_writing_a_contact(self) -> None:
        made = builders.create_contact(profile_name="José", wa_id="5511961234567")
        (bulk,) = WhatsAppContact.objects.bulk_create(
            [WhatsAppContact(phone_number_id="1", wa_id="1", profile_name="Ünal", created_at=NOON)]
        )
        assert read_spellings(made) == ("jose", "", "5511961234567 551161234567")
        assert read_spellings(bulk) == ("unal", "", "1")

        made.profile_name = "Łucja"
        made.save(update_fields=["profile_name"])
        WhatsAppContact.objects.filter(pk=bulk.pk).update(username="Ñu", wa_id="2")

        assert read_spellings(made)[0] == "lucja"
        assert read_spellings(bulk) == ("unal", "nu", "2")

    def test_is_not_computed_from_an_expression_of_the_database(self) -> None:
        rows = WhatsAppContact.objects.all()
        assert isinstance(rows, SearchQuerySet)
        with pytest.raises(TypeError, match="profile_name"):
            rows.update(profile_name=F("username"))


def read_spellings(contact: WhatsAppContact) -> tuple[str | None, ...]:
    contact.refresh_from_db()
    return contact.search_name, contact.search_username, contact.search_phone


@pytest.mark.same_everywhere
def test_is_offered_on_every_list_with_its_terms(owner: Client, order: Order) -> None:
    for model in (WhatsAppContact, Order, PaymentProof, InboundMessage, OutboundMessage):
        page = owner.get(build_url(model, "changelist")).content.decode()
        assert re.search(r'<input[^>]* name="q"[^>]* placeholder="[^"]*[Pp]hone, name', page), model
