"""Sample data of a busy month: a million ticket numbers and a hundred thousand orders.

The data is random but the same in every run, because the generator is seeded; only the times depend
on the clock.
"""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from tests.benchmarks.support import rows
from tests.benchmarks.support.rows import format_moment, insert_rows
from tests.builders import PHONE_NUMBER_ID

if TYPE_CHECKING:
    from shared.raffles.models import Raffle

NUMBERS: Final = 1_000_000
ORDERS: Final = 100_000
BUYERS: Final = 100_000
WAITING: Final = 1_000
UNPAID: Final = 1_500
HELD: Final = 500
LATE: Final = 100
ORPHANS: Final = 100
PICTURES: Final = 8

PRICE: Final = 5
MINUTE: Final = timedelta(minutes=1)
QUANTITIES: Final = (1, 1, 2, 2, 3, 3, 5, 5, 10)
FIRST_NAMES: Final = (
    "Ana",
    "Ben",
    "Carla",
    "Dmitri",
    "Eva",
    "Farah",
    "Goran",
    "José",
    "Kofi",
    "Noor",
)
LAST_NAMES: Final = (
    "Torres",
    "Okafor",
    "Nguyen",
    "Smith",
    "García",
    "Novak",
    "Li",
    "Ñandú",
    "Young",
)
TICKET_STEP: Final = 7919
"""Coprime to `NUMBERS`: its multiples modulo `NUMBERS` reach every number once."""


@dataclass(frozen=True, slots=True)
class Deal:
    """One order; its rows in all tables are derived from it."""

    key: int
    status: str
    buyer: int | None
    quantity: int
    at: datetime
    review: bool = False
    late: bool = False

    @property
    def has_proof(self) -> bool:
        """Return whether the buyer sent a proof."""
        return self.buyer is not None and (self.status == "PAID" or self.review or self.late)

    @property
    def live(self) -> bool:
        """Return whether the order has ticket numbers now."""
        return self.status in {"PAID", "PENDING_PAYMENT", "DRAFT"}


class Month:
    """Writer of the sample data into an empty migrated database, table by table."""

    def __init__(self, *, now: datetime) -> None:
        self.now = now.replace(microsecond=0)
        self.dice = random.Random(3)
        self.deals = list(self._build_deals())

    def write(self) -> None:
        """Write all tables; this takes about a minute."""
        from tests.benchmarks.support import message_history, proofs

        raffle = self._create_raffles()
        self._create_staff()
        with rows.without_foreign_key_checks():
            self._write_buyers()
            self._write_orders(raffle)
            self._write_order_tickets(raffle)
            self._write_order_events()
            self._write_ledger()
            proofs.write_proofs(self)
            message_history.write_messages(self)
        self._mark_numbers()
        self._fill_search_columns()
        rows.update_statistics()

    def _build_deals(self) -> Iterator[Deal]:
        dice, now = self.dice, self.now
        past = ORDERS - WAITING - UNPAID - HELD
        step = timedelta(days=30) / past
        for key in range(1, past + 1):
            chance, at = dice.random(), now - timedelta(days=31) + key * step
            status = "PAID" if chance < 0.72 else "EXPIRED" if chance < 0.92 else "CANCELLED"
            buyer = None if chance < 0.03 else dice.randint(1, BUYERS)
            late = status == "EXPIRED" and past - key < LATE * 5 + 20
            yield Deal(key, status, buyer, dice.choice(QUANTITIES), at, late=late)
        for nth in range(ORDERS - past):
            at = now - (ORDERS - past - nth) * (MINUTE / 2 if nth < WAITING else MINUTE / 90)
            status = "PENDING_PAYMENT" if nth < WAITING + UNPAID else "DRAFT"
            buyer = dice.randint(1, BUYERS)
            quantity = dice.choice(QUANTITIES)
            yield Deal(past + 1 + nth, status, buyer, quantity, at, review=nth < WAITING)

    def _create_raffles(self) -> "Raffle":
        from shared.raffles.services import lifecycle
        from shared.raffles.services.ticket_numbers import number_generation
        from tests import builders

        facts: dict[str, Any] = {
            "time_zone": "America/Bogota",
            "draw_at": self.now + timedelta(days=20),
        }
        raffle = builders.create_raffle(
            numbers=NUMBERS, with_numbers=False, status="DRAFT", **facts
        )
        number_generation.generate_numbers(raffle.pk, pause=0)
        lifecycle.open_raffle(raffle.pk, by=builders.build_staff_actor(), now=self.now)
        for title, status in (("Hamper", "OPEN"), ("Bicycle", "PAUSED"), ("Radio", "CLOSED")):
            builders.create_raffle(title=title, numbers=1_000, status=status, **facts)
        builders.create_raffle(title="A draft", with_numbers=False, status="DRAFT", **facts)
        return raffle

    def _create_staff(self) -> None:
        from django.contrib.auth.models import Group, User

        User.objects.create_superuser("olga", password="correct-horse-battery")
        seller = User.objects.create_user(
            "sofia", password="correct-horse-battery", is_staff=True, first_name="Sofía"
        )
        seller.groups.add(Group.objects.get(name="Seller"))

    def _write_buyers(self) -> None:
        from shared.whatsapp.models import WhatsAppContact

        heard = {deal.buyer: deal.at for deal in self.deals}
        insert_rows(
            WhatsAppContact,
            "id phone_number_id wa_id profile_name last_inbound_at is_blocked created_at",
            (
                (
                    key,
                    PHONE_NUMBER_ID,
                    f"1555{key * 7:07d}",
                    f"{self.dice.choice(FIRST_NAMES)} {self.dice.choice(LAST_NAMES)}",
                    format_moment(heard.get(key, self.now - timedelta(days=40))),
                    key % 997 == 0,
                    format_moment(self.now - timedelta(days=45)),
                )
                for key in range(1, BUYERS + 1)
            ),
        )

    def _fill_search_columns(self) -> None:
        """Compute what saving a row through its model would have computed."""
        from django.apps import apps

        from shared.core.search_columns import SearchColumn, fill_search_columns

        for model in apps.get_models():
            columns = {
                each.attname: (each.source, each.compute)
                for each in model._meta.concrete_fields
                if isinstance(each, SearchColumn)
            }
            if columns:
                fill_search_columns(model._default_manager.all(), columns)

    def _write_orders(self, raffle: "Raffle") -> None:
        from shared.raffles.models import Order

        insert_rows(
            Order,
            "id raffle_id contact_id buyer_name buyer_phone code status mode quantity unit_price "
            "total currency expires_at under_review_since needs_decision created_at placed_at "
            "closed_at",
            (self._build_order_row(deal, raffle_id=raffle.pk) for deal in self.deals),
        )

    def _build_order_row(self, deal: Deal, *, raffle_id: int) -> tuple[Any, ...]:
        cash = deal.buyer is None
        ended = deal.status in {"PAID", "EXPIRED", "CANCELLED"}
        ticks = not ended and not deal.review
        return (
            deal.key,
            raffle_id,
            deal.buyer,
            self.dice.choice(FIRST_NAMES) + " Cash" if cash else "",
            f"+1 555 {deal.key:07d}" if cash else "",
            build_code(deal.key),
            deal.status,
            "PICK" if deal.key % 3 else "RANDOM",
            deal.quantity,
            PRICE,
            PRICE * deal.quantity,
            "USD",
            format_moment(deal.at + 30 * MINUTE) if ticks else None,
            format_moment(deal.at + 4 * MINUTE) if deal.review else None,
            deal.late,
            format_moment(deal.at),
            None if deal.status == "DRAFT" else format_moment(deal.at + MINUTE),
            format_moment(deal.at + 30 * MINUTE) if ended else None,
        )

    def _write_order_tickets(self, raffle: "Raffle") -> None:
        from shared.raffles.models import OrderTicket, TicketNumber

        first = TicketNumber.objects.filter(raffle=raffle).order_by("number").values_list("pk")
        start = first[0][0]
        insert_rows(
            OrderTicket, "order_id ticket_id released_at", self._build_order_ticket_rows(start)
        )

    def _build_order_ticket_rows(self, start: int) -> Iterator[tuple[int, int, str | None]]:
        taken = 0
        for deal in self.deals:
            for _ in range(deal.quantity):
                if deal.live:
                    taken += 1
                    yield deal.key, start + taken * TICKET_STEP % NUMBERS, None
                else:
                    released = format_moment(deal.at + 30 * MINUTE)
                    yield deal.key, start + self.dice.randrange(NUMBERS), released

    def _write_order_events(self) -> None:
        from shared.raffles.models import OrderEvent

        names = "order_id action actor_kind actor_id actor_label from_status to_status reason at"
        insert_rows(
            OrderEvent, names, (row for deal in self.deals for row in _build_history_rows(deal))
        )

    def _write_ledger(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO raffles_ledgerentry (
                    raffle_id, order_id, kind, confirmation_id, amount, currency, quantity,
                    reference, actor_kind, actor_id, actor_label, at
                )
                SELECT o.raffle_id, o.id, 'CONFIRMED', e.id, o.total, o.currency, o.quantity,
                       '', e.actor_kind, e.actor_id, e.actor_label, e.at
                FROM raffles_orderevent e JOIN raffles_order o ON o.id = e.order_id
                WHERE e.action = 'PAID'
                ORDER BY e.id
                """
            )

    def _mark_numbers(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE raffles_ticketnumber SET status = CASE found.status
                    WHEN 'PAID' THEN 'SOLD' ELSE 'RESERVED' END
                FROM (
                    SELECT link.ticket_id, o.status FROM raffles_orderticket link
                    JOIN raffles_order o ON o.id = link.order_id WHERE link.released_at IS NULL
                ) found
                WHERE found.ticket_id = raffles_ticketnumber.id
                """
            )


def build_code(order_id: int) -> str:
    """Build an order code as the product does, with a separate key."""
    from shared.raffles import codes

    return codes.build_order_code(order_id, key=b"busy month")


def derive_token(word: object) -> str:
    """Return 64 hexadecimal digits derived from `word`."""
    return hashlib.sha256(str(word).encode()).hexdigest()


def draw_receipt(words: str) -> bytes:
    """Draw a small picture of a receipt."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (360, 640), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 360, 80), fill="navy")
    for line in range(8):
        draw.text(
            (20, 110 + 50 * line), derive_token(f"{words}{line}")[:18], fill="black", font_size=26
        )
    written = BytesIO()
    picture.save(written, "JPEG", quality=80)
    return written.getvalue()


def _build_history_rows(deal: Deal) -> Iterator[tuple[Any, ...]]:
    buyer = ("CHAT", str(deal.buyer), "Buyer")
    staff = ("STAFF", "2", "sofia")
    first = staff if deal.buyer is None else buyer

    def line(action: str, who: tuple[str, str, str], was: str, now: str, after: float) -> Any:
        return (deal.key, action, *who, was, now, "", format_moment(deal.at + after * MINUTE))

    yield line("HELD", first, "", "DRAFT", 0)
    if deal.status != "DRAFT":
        yield line("PLACED", first, "DRAFT", "PENDING_PAYMENT", 1)
    if deal.has_proof and not deal.late:
        yield line("PROOF_RECEIVED", buyer, "PENDING_PAYMENT", "PENDING_PAYMENT", 4)
    if deal.status in {"PAID", "CANCELLED"}:
        yield line(deal.status, staff, "PENDING_PAYMENT", deal.status, 30)
    if deal.status == "EXPIRED":
        sweeper = ("SWEEPER", "", "")
        yield line("EXPIRED", sweeper, "PENDING_PAYMENT", "EXPIRED", 30)
    if deal.late:
        yield line("LATE_PAYMENT", buyer, "EXPIRED", "EXPIRED", 50)
