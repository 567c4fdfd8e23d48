"""Rows that the browser tests begin with, by the names under which they know their keys."""

from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any, Final
from uuid import uuid4

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from PIL import Image, ImageDraw

from shared.core.enums import DrawMethod, OrderStatus, OutboxKind, OutboxStatus, RaffleStatus
from shared.events.models import EventAttempt, EventDelivery
from shared.events.services import endpoints
from shared.publishing import recorder
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.rendering import pictures
from shared.raffles.services import ledger_entries, lifecycle, locks, orders
from shared.raffles.services.draws import winners
from shared.raffles.services.draws.draw_rules import ChosenRules
from shared.raffles.services.payment_proofs import renditions
from shared.use_cases import cash_sales, payments, raffle_changes, reversals
from shared.whatsapp import messages
from shared.whatsapp.models import BusinessNumber, InboundMessage, OutboundMessage, WhatsAppContact
from shared.whatsapp.services import alarms
from tests import builders
from tests.integration.backoffice import draw_steps, sample_data
from tests.integration.whatsapp.webhook_builders import (
    build_message,
    build_webhook,
    store_webhooks,
)

PASSWORD: Final = "correct-horse-battery"
LONG_NAME: Final = "Wilhelmina Featherstonehaugh-Cholmondeley of the Third Street Corner Shop"

LONGEST_NAMES: Final = (
    "W" * 128,
    "\N{PARTY POPPER}\N{ADMISSION TICKETS}" * 64,
    "محمد عبد الرحمن بن عبد العزيز الأندلسي " * 3,
)
"""Names of contacts that are as long as the database keeps them."""


def draw_receipt(words: str, *, seed: int = 0, quality: int = 88) -> bytes:
    """Draw a receipt as tall as a phone's screenshot; `seed` varies its pattern."""
    picture = Image.new("RGB", (720, 1280), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 720, 160), fill="navy")
    draw.text((40, 50), "BANK OF EXAMPLE", fill="white", font_size=52)
    draw.text((40, 220), words, fill="black", font_size=48)
    for row in range(16):
        width = (seed * 7919 + row * row * 104729) % 640
        draw.rectangle((40, 400 + row * 50, 40 + width, 430 + row * 50), fill="grey")
    written = BytesIO()
    picture.save(written, "JPEG", quality=quality)
    return written.getvalue()


def seed_database() -> dict[str, int]:
    """Create two users, two raffles and orders at every stage; return their keys by name."""
    User.objects.create_superuser("olga", password=PASSWORD)
    User.objects.create_superuser("rita", password=PASSWORD)
    raffle = builders.create_raffle(numbers=1000, time_zone="America/Bogota")
    empty = builders.create_raffle(
        title="Harbour Raffle", numbers=120, with_numbers=False, status=RaffleStatus.DRAFT
    )
    keys = {"raffle": raffle.pk, "empty": empty.pk}
    for name in ("live_wide", "live_narrow", "live_hidden", "live_long"):
        keys[name] = builders.create_raffle(title=f"Live Raffle, {name}", numbers=10).pk
    return keys | (
        create_orders_to_review(raffle)
        | create_late_payment(raffle)
        | create_orphan_proof(raffle)
        | create_second_receipts(raffle)
        | create_refunds()
        | create_channel_troubles()
        | create_failed_delivery()
        | create_last_day_raffles()
        | create_draws()
        | create_longest_values()
        | create_moved_buyers(raffle)
    )


def create_orders_to_review(raffle: Raffle) -> dict[str, int]:
    """Create orders with waiting proofs, oldest first."""
    keys = {}
    names = (
        *("confirm", "reject", "original", "same", "similar", "ask", "faster", "unseen", "many"),
        *("undo_wide", "undo_narrow"),
    )
    for place, name in enumerate(names):
        first = 100 + place * 20
        order = sample_data.place_order(
            raffle,
            numbers=list(range(first, first + (20 if name == "confirm" else 3))),
            buyer=builders.create_contact(
                profile_name=LONG_NAME if name == "confirm" else f"Buyer {name}"
            ),
        )
        at = builders.NOON + place * builders.MINUTE
        alike = {"same": 2, "similar": 2}.get(name, place)
        words = "original" if alike == 2 else name
        quality = 70 if name == "similar" else 88
        sample_data.keep_proof_file(
            sample_data.receive_proof(order, at=at),
            content=draw_receipt(words, seed=alike, quality=quality),
        )
        keys[name] = order.pk
    for page in range(2):
        proof = sample_data.receive_proof(
            _load_order(keys["many"]), at=builders.NOON + 20 * builders.MINUTE
        )
        sample_data.keep_proof_file(proof, content=draw_receipt(f"page {page}", seed=50 + page))
    return keys


def create_moved_buyers(raffle: Raffle) -> dict[str, int]:
    """Create two buyers with a new phone number that has a contact of its own already."""
    keys = {}
    for place, size in enumerate(("wide", "narrow")):
        old, new = f"1555019{place}001", f"1555019{place}002"
        name = LONG_NAME if size == "narrow" else "Mona Moved"
        former = builders.create_contact(wa_id=old, profile_name=name)
        sample_data.place_order(raffle, numbers=[880 + place], buyer=former)
        builders.create_contact(wa_id=new, profile_name=f"Mona at {size}", last_inbound_at=None)
        system = {"type": "user_changed_number", "wa_id": new}
        store_webhooks(
            build_webhook(
                build_message(phone=old, text={"body": "is my payment in?"}),
                build_message(phone=old, type="system", system=system),
            )
        )
        keys[f"former_{size}"] = former.pk
    return keys


def create_late_payment(raffle: Raffle) -> dict[str, int]:
    """Create an expired order with a late payment; one of its numbers has a new owner."""
    order = sample_data.place_order(raffle, numbers=[901, 902])
    with transaction.atomic():
        orders.expire(locks.lock_order(order.pk), now=builders.NOON + timedelta(hours=1))
    sample_data.place_order(raffle, numbers=[902])
    proof = sample_data.receive_proof(order, at=builders.NOON + timedelta(hours=2))
    sample_data.keep_proof_file(proof, content=draw_receipt("late", seed=70))
    return {"late": order.pk}


def create_refunds() -> dict[str, int]:
    """Call off a raffle with a paid order, one under review, a cash sale and one refund made."""
    by, now = builders.build_staff_actor(), builders.NOON
    raffle = builders.create_raffle(title="Boat Raffle", time_zone="America/Bogota")
    buyer = builders.create_contact(profile_name=LONG_NAME)
    found = [
        sample_data.place_order(raffle, numbers=numbers, buyer=buyer if 1 in numbers else None)
        for numbers in ([1, 2, 3], [4, 5], [6])
    ]
    for serial, order in enumerate(found):
        proof = sample_data.receive_proof(order)
        sample_data.keep_proof_file(proof, content=draw_receipt(f"boat {serial}", seed=90 + serial))
    for order in (found[0], found[2]):
        payments.confirm_payment(order.pk, by=by, now=now)
    cash_sales.sell_for_cash(
        raffle.pk,
        numbers=[9],
        quantity=1,
        buyer_name="Walter",
        buyer_phone="+1 555 0109",
        request_key=uuid4(),
        pivot=1,
        by=by,
        now=now,
    )
    lifecycle.call_off(raffle.pk, reason="too few were sold", by=by, now=now)
    raffle_changes.continue_raffle_changes(now=now)
    last = Order.objects.get(pk=found[2].pk, status=OrderStatus.PAID)
    reversals.refund_order(
        last.pk,
        confirmation_id=ledger_entries.load_confirmation(last).pk,
        note="sent back",
        reference="TR-2026-0042",
        by=by,
        now=now,
    )
    return {"boat": raffle.pk, "to_refund": found[0].pk, "refunded": found[2].pk}


def create_orphan_proof(raffle: Raffle) -> dict[str, int]:
    """Create a proof that matches no order of its sender, and the order it is for."""
    friend = builders.create_contact(profile_name="A friend who paid")
    proof = sample_data.receive_proof(None, contact_id=friend.pk)
    sample_data.keep_proof_file(proof, content=draw_receipt("orphan", seed=80))
    order = sample_data.place_order(
        raffle, numbers=[950], buyer=builders.create_contact(profile_name="Waits")
    )
    return {"orphan": proof.pk, "paid_by_friend": order.pk}


def create_second_receipts(raffle: Raffle) -> dict[str, int]:
    """Create a paid order with a second receipt for each window size, and what that is for."""
    keys: dict[str, int] = {}
    for place, name in enumerate(("wide", "narrow")):
        buyer = builders.create_contact(profile_name=f"Pays twice, {name}")
        paid = sample_data.place_order(raffle, numbers=[960 + place], buyer=buyer)
        first = sample_data.receive_proof(paid)
        sample_data.keep_proof_file(first, content=draw_receipt("first", seed=110 + place))
        payments.confirm_payment(
            paid.pk, by=builders.build_staff_actor(), now=builders.NOON, seen_proofs=[first.pk]
        )
        meant = sample_data.place_order(raffle, numbers=[970 + place], buyer=buyer)
        keys |= {f"paid_{name}": paid.pk, f"meant_{name}": meant.pk}
        for use in ("moved", "dismissed"):
            second = sample_data.receive_proof(
                paid, at=builders.NOON + timedelta(minutes=5 + place)
            )
            sample_data.keep_proof_file(
                second, content=draw_receipt(f"{use} {name}", seed=120 + second.pk)
            )
            keys[f"{use}_{name}"] = second.pk
    return keys


def create_last_day_raffles() -> dict[str, int]:
    """Create a raffle for each window size with an order and a cash sale, and one that is due."""
    keys = {}
    for name in ("wide", "narrow", "due"):
        raffle = builders.create_raffle(
            title=f"Autumn Raffle, {name}", numbers=50, time_zone="America/Bogota"
        )
        order = sample_data.place_order(raffle, numbers=[7, 13])
        sample_data.keep_proof_file(
            sample_data.receive_proof(order), content=draw_receipt(name, seed=90)
        )
        cash_sales.sell_for_cash(
            raffle.pk,
            numbers=(21,),
            quantity=0,
            buyer_name="Greta " + LONG_NAME[:40],
            buyer_phone="+1 555 010 0123",
            request_key=uuid4(),
            pivot=0,
            by=builders.build_staff_actor(),
            now=builders.NOON,
        )
        keys[f"last_day_{name}"] = raffle.pk
    _load_raffles(keys["last_day_due"]).update(draw_at=timezone.now() - timedelta(minutes=30))
    return keys


def create_draws() -> dict[str, int]:
    """Create raffles to seal and to draw for each window size, and one that is drawn."""
    keys = {}
    two_prizes = ChosenRules(
        prizes=["A motorbike with a full tank", "A helmet"], minimum_sold=2, claim_days=365
    )
    for size in ("wide", "narrow"):
        to_seal = draw_steps.create_sold_raffle(
            sold=3, draw_at=builders.DRAW, title=f"Winter Raffle, {size}", rules=two_prizes
        )
        keys[f"to_seal_{size}"] = to_seal.pk
        keys[f"holding_{size}"] = sample_data.hold_numbers(to_seal, numbers=[9]).pk
        sealed = draw_steps.create_sold_raffle(
            sold=12, title=f"Spring Raffle, {size}", rules=two_prizes, time_zone="America/Bogota"
        )
        Order.objects.filter(raffle=sealed).update(buyer_name="W" * 120)
        draw_steps.close_and_seal(sealed, two_people=True)
        keys[f"sealed_{size}"] = sealed.pk
    drawn = draw_steps.create_sold_raffle(title="Raffle of last spring", rules=two_prizes)
    draw_steps.close_and_seal(drawn)
    for result in draw_steps.draw(drawn).results:
        winners.confirm_winner(result.pk, by=draw_steps.SYLVIA, now=draw_steps.DRAW_AT)
    drum = draw_steps.create_sold_raffle(
        title="Raffle with a drum",
        rules=ChosenRules(method=DrawMethod.RECORDED_DRUM, sources=()),
    )
    draw_steps.close_and_seal(drum)
    return keys | {"drawn": drawn.pk, "drum": drum.pk}


def create_longest_values() -> dict[str, int]:
    """Create a raffle and orders with the longest titles and names, in emoji and Arabic."""
    raffle = builders.create_raffle(
        title="W" * 60,
        prize="M" * 60,
        numbers=1_000,
        first_number=999_000,
        price=Decimal("99999999.99"),
    )
    for number, name in enumerate(LONGEST_NAMES, start=999_000):
        buyer = builders.create_contact(profile_name=name)
        order = sample_data.place_order(raffle, numbers=[number], buyer=buyer)
        sample_data.keep_proof_file(
            sample_data.receive_proof(order, at=builders.NOON + timedelta(hours=1)),
            content=draw_receipt("long", seed=number),
        )
    builders.create_order_row(
        raffle, status=OrderStatus.PAID, quantity=1, buyer_name="W" * 150, buyer_phone="9" * 32
    )
    return {"longest": raffle.pk}


def create_channel_troubles() -> dict[str, int]:
    """Create a failed message, a contact to block and an alarm."""
    buyer = builders.create_contact(profile_name="Somebody rude")
    message: dict[str, Any] = {"type": "text", "text": {"body": "rude words"}}
    said = InboundMessage.objects.create(
        phone_number_id=builders.PHONE_NUMBER_ID,
        wa_message_id="wamid.rude",
        dedupe_key="wamid.rude",
        contact=buyer,
        type="text",
        text="rude words",
        payload=message,
        sent_at=builders.NOON,
        received_at=builders.NOON,
        status="PROCESSED",
    )
    failed = OutboundMessage.objects.create(
        phone_number_id=builders.PHONE_NUMBER_ID,
        contact=_create_unreachable_contact(),
        kind=OutboxKind.NOTICE,
        key="paid",
        payload=messages.build_text("Paid. *113* is yours."),
        status=OutboxStatus.FAILED,
        delivery="failed",
        error_code=131026,
        error="The buyer's number is not on WhatsApp.",
        created_at=builders.NOON,
    )
    BusinessNumber.objects.create(
        phone_number_id=builders.PHONE_NUMBER_ID,
        display_phone_number="+1 555 010 0000",
        last_webhook_at=builders.NOON,
    )
    alarm = alarms.sound_alarm(
        "token", title="Meta refuses the token", detail="190", now=builders.NOON
    )
    return {"rude": buyer.pk, "said": said.pk, "failed": failed.pk, "alarm": alarm.pk}


def create_failed_delivery() -> dict[str, int]:
    """Create an endpoint with one failed delivery."""
    endpoint = endpoints.create_endpoint(
        name="n8n: " + LONG_NAME[:50],
        url="https://n8n.example.com/webhook/7f1c2a9e-1b2c-4d3e-9f00-aa55bb66cc77/raffle",
        by="olga",
        allow_private=False,
        now=builders.NOON,
    )
    recorder.sequence_events(now=builders.NOON)
    delivery = EventDelivery.objects.filter(endpoint=endpoint).latest("pk")
    EventAttempt.objects.create(
        delivery=delivery, at=builders.NOON, http_status=404, latency_ms=143, error="Answered 404."
    )
    return {"endpoint": endpoint.pk, "delivery": delivery.pk}


def render_proofs() -> None:
    """Make the pictures of all proofs here: the back office starts a process for each file."""
    for proof in PaymentProof.objects.exclude(file=""):
        with proof.file.open("rb") as file:
            rendering = pictures.render(file.read(), content_type=proof.content_type)
        renditions.store_rendition(rendering, sha256=proof.sha256)
        proof.rendition, proof.page_count = rendering.status, rendering.page_count
        proof.save(update_fields=["rendition", "page_count"])


def _create_unreachable_contact() -> WhatsAppContact:

    return builders.create_contact(profile_name="Not on WhatsApp any more")


def _load_raffles(key: int) -> Any:

    return Raffle.objects.filter(pk=key)


def _load_order(key: int) -> Order:

    return Order.objects.get(pk=key)
