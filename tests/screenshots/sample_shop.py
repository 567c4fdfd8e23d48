"""Sample data of a shop on an ordinary day, the same in every run."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth.models import Group, User
from django.db import transaction

from shared.core.enums import ActorKind, OutboxKind, OutboxStatus, RejectReason
from shared.raffles.actor import Actor
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.results import ProofSource
from shared.raffles.services import lifecycle, locks, orders, reservations
from shared.raffles.services.draws import (
    draw_rules,
    drawing,
    sealed_lists,
    source_readings,
    winners,
)
from shared.raffles.services.draws.draw_rules import ChosenRules
from shared.raffles.services.proof_placement import proofs
from shared.raffles.services.ticket_numbers import number_generation
from shared.use_cases import payments, proof_files
from shared.use_cases.contacts import handover
from shared.whatsapp import messages
from shared.whatsapp.models import (
    BusinessNumber,
    InboundMessage,
    OutboundMessage,
    WhatsAppContact,
)
from tests import builders
from tests.builders import PHONE_NUMBER_ID
from tests.screenshots import receipts
from tests.screenshots.receipts import Transfer

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
NAMES: Final = (
    "Ana Torres", "Ben Okafor", "Carla Núñez", "Dmitri Novak", "Eva Lindqvist", "Farah Haddad",
    "Goran Petrović", "Hana Sato", "Ivo Silva", "José Ñandú", "Kofi Mensah", "Li Wei",
    "María García", "Noor Aziz", "Olu Adeyemi", "Priya Nair",
)  # fmt: skip


@dataclass(slots=True)
class SampleShop:
    """Builder of the sample data; `now` is the time of the screenshots."""

    now: datetime
    dice: random.Random = field(default_factory=lambda: random.Random(11))
    serial: "Iterator[int]" = field(default_factory=lambda: count(1))
    free: dict[int, list[int]] = field(default_factory=dict)

    def raffle(self, title: str, prize: str, *, numbers_: int, price: str, days: int) -> Raffle:
        """Create an open raffle."""
        raffle = Raffle.objects.create(
            title=title,
            prize=prize,
            price=Decimal(price),
            currency="USD",
            number_count=numbers_,
            description="Drawn live, all proceeds for the club.",
            payment_instructions="Bank of Example, account 000-123, name: Club.",
            seller_contact="Ana, +1 555 0100",
            time_zone="America/Bogota",
            time_zone_confirmed=True,
            draw_at=self.now.replace(hour=1, minute=0) + timedelta(days=days),
        )
        number_generation.generate_numbers(raffle.pk, pause=0)
        lifecycle.open_raffle(
            raffle.pk, by=builders.build_staff_actor(), now=self.now - timedelta(days=9)
        )
        raffle.refresh_from_db()
        self.free[raffle.pk] = list(range(raffle.first_number, raffle.last_number + 1))
        self.dice.shuffle(self.free[raffle.pk])
        return raffle

    def buyer(self, name: str = "", *, heard: datetime) -> WhatsAppContact:
        """Create a buyer."""
        serial = next(self.serial)
        return WhatsAppContact.objects.create(
            phone_number_id=PHONE_NUMBER_ID,
            wa_id=f"1555010{serial:04d}",
            profile_name=name or self.dice.choice(NAMES),
            last_inbound_at=heard,
            created_at=heard - HOUR,
        )

    def hold(self, raffle: Raffle, buyer: WhatsAppContact, quantity: int, *, at: datetime) -> Order:
        """Hold the next free numbers as the chat does."""
        wanted = sorted(self.free[raffle.pk].pop() for _ in range(quantity))
        with transaction.atomic():
            return reservations.hold_numbers(
                raffle, contact_id=buyer.pk, numbers=wanted, now=at, by=_build_chat_actor(buyer)
            )

    def order(
        self, raffle: Raffle, quantity: int, *, at: datetime, name: str = ""
    ) -> tuple[Order, WhatsAppContact]:
        """Place an order that waits for payment."""
        buyer = self.buyer(name, heard=at)
        held = self.hold(raffle, buyer, quantity, at=at)
        with transaction.atomic():
            return orders.place(
                locks.lock_order(held.pk), at=at, now=at, by=_build_chat_actor(buyer)
            ), buyer

    def proof(
        self, order: Order | None, buyer: WhatsAppContact, *, at: datetime, content: bytes = b""
    ) -> PaymentProof:
        """Store a proof with its file."""
        serial = next(self.serial)
        source = ProofSource(PHONE_NUMBER_ID, f"wamid.p{serial}", f"media{serial}", "", "", at)
        with transaction.atomic():
            locked = locks.lock_order(order.pk) if order is not None else None
            received = proofs.receive_proof(
                source, order=locked, contact_id=buyer.pk, by=_build_chat_actor(buyer), now=at
            )
        proof_files.keep_proof_file(
            received.proof.pk,
            content=content or draw_receipt_for(order, buyer, at=at - 2 * MINUTE),
            content_type="image/jpeg",
            extension="jpg",
            now=at,
        )
        return received.proof


def seed_database(*, now: datetime, password: str) -> dict[str, int]:
    """Fill the database and return the keys that the screenshots use."""
    _create_staff(password)
    shop = SampleShop(now=now)
    summer = shop.raffle("Summer Raffle", "a motorbike", numbers_=1000, price="5.00", days=20)
    hamper = shop.raffle("Christmas Hamper", "a full hamper", numbers_=100, price="2.50", days=30)
    _sell_tickets(shop, summer, orders_=150)
    _sell_tickets(shop, hamper, orders_=24)
    keys = {"raffle": summer.pk, **_create_waiting_proofs(shop, summer, hamper)}
    _create_unpaid_orders(shop, summer, hamper)
    _create_troubles(shop, summer)
    keys["asked"] = _create_handovers(shop, summer).pk
    BusinessNumber.objects.update_or_create(
        phone_number_id=PHONE_NUMBER_ID,
        defaults={
            "display_phone_number": "+1 555 010 0000",
            "last_webhook_at": now - timedelta(seconds=40),
        },
    )
    OutboundMessage.objects.filter(status=OutboxStatus.QUEUED).update(
        status=OutboxStatus.SENT, delivery="read", sent_at=now - MINUTE, attempts=1
    )
    keys |= {"hamper": hamper.pk, "drawn": _create_drawn_raffle(shop).pk}
    return keys


def draw_receipt_for(order: Order | None, buyer: WhatsAppContact, *, at: datetime) -> bytes:
    """Draw the receipt that the buyer's bank shows after the transfer."""
    paid = Transfer(
        amount=f"${order.total:.2f}" if order is not None else "$10.00",
        payer=buyer.profile_name,
        reference=str(order.code) if order is not None else "raffle",
        at=at - 5 * HOUR,
    )
    return receipts.draw_receipt(paid)


def _create_staff(password: str) -> None:
    for name, full, group in (("sofia", "Sofía", "Seller"), ("rita", "Rita", "Reviewer")):
        person = User.objects.create_user(name, password=password, is_staff=True, first_name=full)
        person.groups.add(Group.objects.get(name=group))


def _sell_tickets(shop: SampleShop, raffle: Raffle, *, orders_: int) -> None:
    """Sell tickets over a week, more of them towards its end."""
    rita = Actor(ActorKind.STAFF, id="2", label="rita")
    for place in range(orders_):
        at = shop.now - timedelta(days=8) * (1 - place / orders_) ** 2 - 3 * HOUR
        quantity = min(shop.dice.choice((1, 2, 3, 3, 5, 8)), raffle.max_per_order)
        order, buyer = shop.order(raffle, quantity, at=at)
        shop.proof(order, buyer, at=at + 4 * MINUTE)
        payments.confirm_payment(order.pk, by=rita, now=at + 9 * MINUTE)


def _create_waiting_proofs(shop: SampleShop, summer: Raffle, hamper: Raffle) -> dict[str, int]:
    """Create waiting proofs: one was sent twice, one buyer has a longer chat."""
    keys: dict[str, int] = {}
    first: bytes = b""
    for place, minutes in enumerate((74, 58, 51, 43, 37, 30, 22, 15, 9, 4)):
        at = shop.now - (minutes + 6) * MINUTE
        raffle = hamper if place % 4 == 3 else summer
        order, buyer = shop.order(raffle, 3, at=at, name=NAMES[place])
        content = draw_receipt_for(order, buyer, at=at)
        if place == 1:
            first = content
        if place == 2:
            content = receipts.recompress_picture(first)
            keys["alike"] = order.pk
        if place in (2, 5):
            _create_chat(shop, order, buyer, at=at)
        shop.proof(order, buyer, at=shop.now - minutes * MINUTE, content=content)
        if place == 5:
            keys["told"] = order.pk
    return keys


def _create_unpaid_orders(shop: SampleShop, summer: Raffle, hamper: Raffle) -> None:
    for minutes in (26, 24, 22, 18, 12, 7, 3):
        shop.order(summer, 2, at=shop.now - minutes * MINUTE)
    for minutes in (8, 2):
        at = shop.now - minutes * MINUTE
        shop.hold(hamper, shop.buyer(heard=at), 1, at=at)


def _create_troubles(shop: SampleShop, raffle: Raffle) -> None:
    """Create a late payment, an orphan, a rejected proof and two waiting messages."""
    rita = Actor(ActorKind.STAFF, id="2", label="rita")
    at = shop.now - 3 * HOUR
    late, buyer = shop.order(raffle, 2, at=at)
    with transaction.atomic():
        orders.expire(locks.lock_order(late.pk), now=at + 40 * MINUTE)
    shop.free[raffle.pk].extend(late.list_ticket_numbers())
    other, other_buyer = shop.order(raffle, 2, at=at + HOUR)
    shop.proof(other, other_buyer, at=at + HOUR + 3 * MINUTE)
    payments.confirm_payment(other.pk, by=rita, now=at + HOUR + 9 * MINUTE)
    shop.proof(late, buyer, at=shop.now - 33 * MINUTE)
    stranger = shop.buyer("Priya Nair", heard=shop.now - 19 * MINUTE)
    shop.proof(None, stranger, at=shop.now - 19 * MINUTE)
    rejected, its_buyer = shop.order(raffle, 1, at=shop.now - 35 * MINUTE)
    shop.proof(rejected, its_buyer, at=shop.now - 31 * MINUTE)
    payments.reject_payment(
        rejected.pk, reason=RejectReason.ILLEGIBLE, note="", by=rita, now=shop.now - 12 * MINUTE
    )
    away = shop.buyer("Li Wei", heard=shop.now - 26 * HOUR)
    for number in ("113", "207"):
        OutboundMessage.objects.create(
            phone_number_id=PHONE_NUMBER_ID,
            contact=away,
            kind=OutboxKind.NOTICE,
            key="paid",
            payload=messages.build_text(f"Paid. *{number}* is yours."),
            status=OutboxStatus.WITHHELD,
            created_at=shop.now - HOUR,
        )


def _create_handovers(shop: SampleShop, raffle: Raffle) -> WhatsAppContact:
    """Create two buyers who wait for a person, and the chat of the one who waits longer."""
    rita = Actor(ActorKind.STAFF, id="2", label="rita")
    asked_at, until = shop.now - 12 * MINUTE, shop.now + 12 * HOUR
    order, buyer = shop.order(raffle, 2, at=shop.now - 21 * MINUTE, name="Hana Sato")
    _create_chat(shop, order, buyer, at=shop.now - 21 * MINUTE)
    _, said = _build_speakers(shop, buyer)
    said("can i pay half of it on friday?", at=shop.now - 16 * MINUTE)
    handover.send_staff_message(
        buyer.pk,
        text="Hello Hana, yes: the numbers wait for you until Friday evening.",
        by=rita,
        now=shop.now - 14 * MINUTE,
    )
    said("great! and to which account, please?", at=asked_at)
    WhatsAppContact.objects.filter(pk=buyer.pk).update(
        last_inbound_at=asked_at, wants_person_at=asked_at, bot_paused_until=until
    )
    other = shop.buyer("Ivo Silva", heard=shop.now - 4 * MINUTE)
    WhatsAppContact.objects.filter(pk=other.pk).update(
        wants_person_at=shop.now - 4 * MINUTE, bot_paused_until=until
    )
    return buyer


def _create_chat(shop: SampleShop, order: Order, buyer: WhatsAppContact, *, at: datetime) -> None:
    """Create the messages of the chat until the order was placed."""
    named = " · ".join(
        order.raffle.format_ticket_number(number) for number in order.list_ticket_numbers()
    )
    card = messages.build_buttons(
        f"*{order.raffle}* · win {order.raffle.prize}\nDraw: Fri 11 Dec, 20:00 · $5.00 a number",
        buttons=[messages.ReplyButton(str(n), title) for n, title in enumerate(_TITLES)],
    )
    told, said = _build_speakers(shop, buyer)
    said("hi", at=at - 4 * MINUTE)
    told(card, at=at - 4 * MINUTE)
    said("3 please", at=at - 2 * MINUTE)
    told(messages.build_text(f"Held for you: *{named}*  Total ${order.total}"), at=at - 2 * MINUTE)
    said("Confirm", at=at)
    told(
        messages.build_text(
            f"Order *{order.code}* · please pay ${order.total}.\nThen send a photo of the receipt."
        ),
        at=at,
    )
    said("paying now, one moment", at=at + 3 * MINUTE)


def _create_drawn_raffle(shop: SampleShop) -> Raffle:
    """Create a raffle of two prizes that was sold, sealed and drawn, its prizes claimed."""
    sofia = Actor(ActorKind.STAFF, id="1", label="sofia")
    raffle = shop.raffle("Autumn Raffle", "a bicycle", numbers_=200, price="2.00", days=-1)
    rules = ChosenRules(prizes=["a bicycle", "a dinner for two"])
    draw_rules.save_rules(raffle.pk, rules, by=sofia, now=shop.now - timedelta(days=8))
    for place in range(24):
        at = shop.now - timedelta(days=6) + place * HOUR
        order, buyer = shop.order(raffle, 5, at=at)
        shop.proof(order, buyer, at=at + 4 * MINUTE)
        payments.confirm_payment(order.pk, by=sofia, now=at + 9 * MINUTE)
    assert raffle.draw_at is not None
    before, after = raffle.draw_at - HOUR, raffle.draw_at + MINUTE
    lifecycle.close(raffle.pk, by=sofia, now=before)
    sealed = sealed_lists.seal(raffle.pk, two_people=False, by=sofia, now=before)
    value = random.Random(7).randbytes(32).hex()
    source_readings.enter_values(
        raffle.pk, position=1, values=[value], link="https://drand.love", by=sofia, now=after
    )
    raffle.refresh_from_db()
    inputs = drawing.load_inputs(raffle, sealed)
    drawn = drawing.draw(raffle.pk, fingerprint=inputs.fingerprint, by=sofia, now=after)
    for result in drawn.results:
        winners.confirm_winner(result.pk, by=sofia, now=after + MINUTE)
        winners.claim_prize(result.pk, note="", by=sofia, now=after + HOUR)
    return raffle


_TITLES: Final = ("Random numbers", "Pick my numbers", "My tickets")


def _build_speakers(
    shop: SampleShop, buyer: WhatsAppContact
) -> tuple[Callable[..., None], Callable[..., None]]:
    def told(message: dict[str, Any], *, at: datetime) -> None:
        OutboundMessage.objects.create(
            phone_number_id=PHONE_NUMBER_ID,
            contact=buyer,
            kind=OutboxKind.REPLY,
            key="card",
            payload=message,
            status=OutboxStatus.SENT,
            delivery="read",
            attempts=1,
            wa_message_id=f"wamid.o{next(shop.serial)}",
            created_at=at + timedelta(seconds=1),
            sent_at=at + timedelta(seconds=2),
        )

    def said(text: str, *, at: datetime) -> None:
        name = f"wamid.i{next(shop.serial)}"
        InboundMessage.objects.create(
            phone_number_id=PHONE_NUMBER_ID,
            wa_message_id=name,
            dedupe_key=name,
            contact=buyer,
            type="text",
            text=text,
            payload={"type": "text", "text": {"body": text}},
            sent_at=at,
            received_at=at,
            status="PROCESSED",
            processed_at=at,
        )

    return told, said


def _build_chat_actor(buyer: WhatsAppContact) -> Actor:
    return Actor(ActorKind.CHAT, id=str(buyer.pk), label=str(buyer))
