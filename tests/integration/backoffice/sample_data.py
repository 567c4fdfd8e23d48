"""Sample data of the back office: users, API tokens, orders and proofs with files."""

from datetime import datetime
from io import BytesIO
from typing import Final

from django.contrib.auth.models import Permission, User
from django.db import transaction
from PIL import Image

from backoffice.api import tokens
from shared.core.enums import Scope
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.results import ProofSource
from shared.raffles.services import locks, orders, reservations
from shared.raffles.services.proof_placement import proofs
from shared.use_cases import proof_files
from shared.whatsapp.media_files import PROOF_FILE_EXTENSIONS
from shared.whatsapp.models import WhatsAppContact
from tests import builders
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID

REVIEWER_PERMISSIONS: Final = ("view_order", "change_order", "view_raffle")


def create_user(name: str, *permissions: str) -> User:
    """Create a member of staff with exactly the named permissions."""
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def create_api_token(name: str = "n8n", *, scope: Scope = Scope.REVIEW) -> str:
    """Create an API token, by default one that may decide about payments, and return its text."""
    return tokens.issue_token(name=name, scope=scope, by="olga", now=NOON).text


def hold_numbers(
    raffle: Raffle, *, numbers: list[int], buyer: WhatsAppContact | None = None
) -> Order:
    """Hold numbers at noon, as a buyer in the chat does."""
    buyer = buyer or builders.create_contact()
    with transaction.atomic():
        return reservations.hold_numbers(
            raffle, contact_id=buyer.pk, numbers=numbers, now=NOON, by=builders.build_chat_actor()
        )


def place_order(
    raffle: Raffle | None = None,
    *,
    numbers: list[int] | None = None,
    buyer: WhatsAppContact | None = None,
) -> Order:
    """Hold numbers and place the order, so that it waits for its payment."""
    order = hold_numbers(
        raffle or builders.create_raffle(), numbers=numbers or [7, 13], buyer=buyer
    )
    with transaction.atomic():
        return orders.place(
            locks.lock_order(order.pk), at=NOON, now=NOON, by=builders.build_chat_actor()
        )


def expire_order(order: Order) -> None:
    """Expire an order an hour after noon."""
    with transaction.atomic():
        assert orders.expire(locks.lock_order(order.pk), now=NOON + 60 * MINUTE)


def receive_proof(
    order: Order | None, *, contact_id: int | None = None, at: datetime = NOON + MINUTE
) -> PaymentProof:
    """Create a proof whose file is not fetched yet."""
    sender = order.contact_id if order is not None else contact_id
    assert sender is not None
    serial = PaymentProof.objects.count() + 1
    source = ProofSource(PHONE_NUMBER_ID, f"wamid.proof{serial}", f"media{serial}", "", "paid!", at)
    with transaction.atomic():
        received = proofs.receive_proof(
            source,
            order=locks.lock_order(order.pk) if order is not None else None,
            contact_id=sender,
            by=builders.build_chat_actor(),
            now=at,
        )
    return received.proof


def keep_proof_file(
    proof: PaymentProof, *, content: bytes | None = None, content_type: str = "image/jpeg"
) -> PaymentProof:
    """Store a proof's file, as the gateway does once it has fetched it."""
    proof_files.keep_proof_file(
        proof.pk,
        content=content or draw_picture(),
        content_type=content_type,
        extension=PROOF_FILE_EXTENSIONS.get(content_type, "bin"),
        now=NOON + 2 * MINUTE,
    )
    proof.refresh_from_db()
    return proof


def receive_kept_proof(order: Order, *, at: datetime = NOON + MINUTE) -> PaymentProof:
    """Create a proof whose file is there, and like no other file."""
    proof = receive_proof(order, at=at)
    return keep_proof_file(proof, content=draw_picture() + str(proof.pk).encode())


def draw_picture(colour: str = "white") -> bytes:
    """Return a small JPEG."""
    written = BytesIO()
    Image.new("RGB", (80, 120), colour).save(written, "JPEG")
    return written.getvalue()
