"""Tests of exporting and erasing a buyer in the back office, and of the pages afterwards."""

import zipfile
from io import BytesIO

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from shared.core.enums import RaffleStatus, Scope
from shared.raffles.models import Order, Raffle
from shared.use_cases import payments
from shared.whatsapp.models import WhatsAppContact
from tests import builders
from tests.builders import MINUTE, NOON, build_staff_actor
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.pages import join_messages

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.same_everywhere]


@pytest.fixture
def contact() -> WhatsAppContact:
    """A buyer with a paid order and its receipt, in a raffle that is still open."""
    contact = builders.create_contact(wa_id="15550100321", profile_name="Quetzalina")
    order = sample_data.place_order(buyer=contact)
    sample_data.receive_kept_proof(order)
    payments.confirm_payment(order.pk, by=build_staff_actor(), now=NOON + 5 * MINUTE)
    contact.outbound_messages.update(status="SENT")
    return contact


def build_address(page: str, contact: WhatsAppContact) -> str:
    return reverse(f"admin:whatsapp_whatsappcontact_{page}", args=[contact.pk])


def read(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


class TestErasure:
    def test_says_first_what_goes_and_what_stays(
        self, owner: Client, contact: WhatsAppContact
    ) -> None:
        order = Order.objects.get()
        address = build_address("erase", contact)
        assert f'href="{address}"' in read(owner, build_address("change", contact))

        refused = read(owner, address)
        assert "and a winner must be reachable." in refused
        assert str(order) in refused
        assert "Yes, erase them" not in refused
        answer = owner.post(address, {"sure": "yes"}, follow=True)
        assert "Nothing was changed" in join_messages(answer)

        Raffle.objects.update(status=RaffleStatus.CLOSED, draw_at=NOON)
        asked = read(owner, address)
        assert "Have they won?" in asked
        assert "<strong>1 payment proof</strong>" in asked
        owner.post(address)  # not sure
        contact.refresh_from_db()
        assert contact.erased_at is None

    def test_leaves_pages_exports_and_the_api_without_the_person(
        self, owner: Client, contact: WhatsAppContact
    ) -> None:
        Raffle.objects.update(status=RaffleStatus.CLOSED, draw_at=NOON)
        order, proof = Order.objects.get(), contact.proofs.get()
        owner.post(build_address("block", contact))

        answer = owner.post(build_address("erase", contact), {"sure": "yes"}, follow=True)

        assert "The buyer is erased." in join_messages(answer)
        pages = [
            build_address("change", contact),
            build_address("history", contact),
            reverse("admin:admin_logentry_changelist"),
            reverse("admin:raffles_order_changelist"),
            reverse("admin:raffles_order_change", args=[order.pk]),
            reverse("admin:desk_review", args=[order.pk]),
            reverse("admin:raffles_paymentproof_changelist"),
            reverse("admin:raffles_paymentproof_change", args=[proof.pk]),
            reverse("admin:whatsapp_whatsappcontact_changelist"),
        ]
        for page in pages:
            shown = read(owner, page)
            assert "Quetzalina" not in shown, page
            assert "15550100321" not in shown, page
        entries = LogEntry.objects.filter(user__username="olga").order_by("pk")
        assert {entry.object_repr for entry in entries} == {"Erased buyer"}
        assert entries.last() is not None
        assert "Erased the buyer" in entries.values_list("change_message", flat=True)[1]
        assert "The file was erased with" in read(owner, pages[5])
        file = reverse("admin:raffles_paymentproof_file", args=[proof.pk])
        assert owner.get(file).status_code == 404
        picture = reverse("admin:raffles_paymentproof_picture", args=[proof.pk])
        assert owner.get(picture).status_code == 404
        for page in ("erase", "join"):
            assert owner.get(build_address(page, contact)).status_code == 404

        token = {"Authorization": f"Bearer {sample_data.create_api_token(scope=Scope.READ)}"}
        api = Client(headers=token)
        assert api.get(f"/api/orders/{order.pk}").json()["buyer"] == {
            "name": "Erased buyer",
            "phone": None,
            "user_id": None,
        }
        assert api.get(f"/api/proofs/{proof.pk}").json()["status"] == "ERASED"
        refused = api.get(f"/api/proofs/{proof.pk}/file")
        assert (refused.status_code, refused.json()["code"]) == (410, "proof_erased")


def test_an_export_is_logged_and_has_the_receipt(owner: Client, contact: WhatsAppContact) -> None:
    answer = owner.post(build_address("export", contact))

    with zipfile.ZipFile(BytesIO(answer.getvalue())) as archive:
        names = archive.namelist()
        assert "Quetzalina" in archive.read("buyer.json").decode()
    assert names == [f"files/proof-{contact.proofs.get().pk}.jpg", "buyer.json"]
    assert LogEntry.objects.get().change_message == "Exported what is stored about the buyer"
