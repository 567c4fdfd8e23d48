"""Tests of the migrations that add search columns to full tables."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection

from shared.raffles.models import Order
from shared.whatsapp.models import WhatsAppContact
from tests import builders, former_release
from tests.databases import use_database

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.acceptance]

CONTACTS = 1_203
"""More than two batches, the last one not full."""


@pytest.fixture
def full_tables(vendor: str, run_folder: Path) -> Iterator[None]:
    """Fill a database of the former release, which had no search columns."""
    with (
        former_release.copy_former_tables(vendor, run_folder) as address,
        use_database(address),
    ):
        ContentType.objects.clear_cache()
        release = former_release.FormerRelease(
            former_release.load_former_models(), numbers=1, orders=0
        )
        release.fill()
        contact = release.models.get_model("whatsapp.WhatsAppContact")
        release.query("whatsapp.WhatsAppContact").bulk_create(
            contact(
                phone_number_id="1",
                wa_id=None if n == 0 else f"55119{61230000 + n}",
                user_id="US.1" if n == 0 else None,
                profile_name=f"José {n}",
                created_at=builders.NOON,
            )
            for n in range(CONTACTS)
        )
        release.create(
            "raffles.Order",
            raffle_id=1,
            mode="RANDOM",
            quantity=1,
            unit_price=5,
            total=5,
            currency="USD",
            expires_at=builders.NOON,
            created_at=builders.NOON,
            buyer_name="Zoë",
            buyer_phone="07400 123456",
        )
        yield
    ContentType.objects.clear_cache()


def test_fill_every_row_go_on_after_an_interruption_and_let_the_earlier_version_write(
    full_tables: None,
) -> None:
    call_command("migrate", "whatsapp", "0003", verbosity=0)
    with connection.cursor() as cursor:  # an earlier start got as far as this
        cursor.execute("UPDATE whatsapp_whatsappcontact SET search_phone = 'done' WHERE id < 501")

    call_command("migrate", verbosity=0)

    contacts = WhatsAppContact.objects.order_by("pk")
    assert contacts.filter(search_phone="done").count() == 500
    last = contacts[CONTACTS - 1]
    assert last.search_name == f"jose {CONTACTS - 1}"
    assert last.search_username == ""
    assert last.search_phone == f"55119{61230000 + CONTACTS - 1} 5511{61230000 + CONTACTS - 1}"
    assert not contacts.filter(search_phone__isnull=True).exists()
    sale = Order.objects.get()
    assert (sale.search_name, sale.search_phone) == ("zoe", "7400123456")

    with connection.cursor() as cursor:  # a program of the earlier version goes on writing
        cursor.execute(
            """INSERT INTO whatsapp_whatsappcontact (phone_number_id, wa_id, parent_user_id,
            profile_name, username, state, context, is_blocked, identity_conflict, pair_rate_hits,
            created_at) VALUES ('1', '15550100000', '', 'Ana', '', 'MENU', '{}', false, false, 0,
            '2026-11-22 12:00:00+00:00')"""
        )

    written = WhatsAppContact.objects.get(wa_id="15550100000")
    assert written.search_name is None
    written.save(update_fields=["profile_name"])
    assert WhatsAppContact.objects.get(search_name="ana").pk == written.pk
