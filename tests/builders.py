"""Builders of model objects and actors with sensible defaults, for arranging tests."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Final

from django.db import connection

from shared.core.enums import ActorKind, Mode, OrderStatus, RaffleStatus
from shared.raffles.actor import Actor
from shared.raffles.models import Order, Raffle
from shared.whatsapp.models import WhatsAppContact

NOON: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DRAW: Final = datetime(2037, 12, 12, 20, 0, tzinfo=UTC)
"""A Saturday that is far enough: pages and processes compare it with the real time."""
MINUTE: Final = timedelta(minutes=1)
PHONE_NUMBER_ID: Final = "106540352242922"

_serial = count(1)


def create_raffle(*, numbers: int = 100, with_numbers: bool = True, **fields: Any) -> Raffle:
    """Create an open raffle whose numbers are all free."""
    raffle = Raffle.objects.create(
        **{
            "title": "Summer Raffle",
            "prize": "a motorbike",
            "price": Decimal("5.00"),
            "currency": "USD",
            "number_count": numbers,
            "payment_instructions": "Bank of Example, account 000-123, name: Club.",
            "seller_contact": "Ana, +1 555 0100",
            "status": RaffleStatus.OPEN,
            "time_zone_confirmed": True,
            "draw_at": DRAW,
            **fields,
        }
    )
    if with_numbers:
        _insert_numbers(raffle)
    return raffle


def _insert_numbers(raffle: Raffle) -> None:
    """Insert a raffle's ticket numbers, always in the same random order."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO raffles_ticketnumber (raffle_id, number, status, shuffle_key)
            WITH RECURSIVE series(number) AS (
                SELECT %(first)s UNION ALL SELECT number + 1 FROM series WHERE number < %(last)s
            )
            SELECT %(raffle)s, number, 'AVAILABLE', CAST(number AS bigint) * 7919 %% 2000000011
            FROM series
            """,
            {"raffle": raffle.pk, "first": raffle.first_number, "last": raffle.last_number},
        )


def create_contact(**fields: Any) -> WhatsAppContact:
    """Create a buyer whose last message is one minute old."""
    serial = next(_serial)
    return WhatsAppContact.objects.create(
        **{
            "phone_number_id": PHONE_NUMBER_ID,
            "wa_id": f"1555010{serial:04d}",
            "profile_name": f"Buyer {serial}",
            "last_inbound_at": NOON - MINUTE,
            "created_at": NOON - MINUTE,
            **fields,
        }
    )


def create_order_row(raffle: Raffle, *, quantity: int = 1, **fields: Any) -> Order:
    """Create the row of an order without tickets and history; for a real order use the services."""
    return Order.objects.create(
        **{
            "raffle": raffle,
            "contact": None,
            "status": OrderStatus.DRAFT,
            "mode": Mode.RANDOM,
            "quantity": quantity,
            "unit_price": raffle.price,
            "total": raffle.price * quantity,
            "currency": raffle.currency,
            "expires_at": NOON + 30 * MINUTE,
            "created_at": NOON,
            **fields,
        }
    )


def build_chat_actor() -> Actor:
    """Build the actor of a chat."""
    return Actor(ActorKind.CHAT, id="1", label="Buyer")


def build_staff_actor() -> Actor:
    """Build the actor of a member of staff."""
    return Actor(ActorKind.STAFF, id="7", label="rita")


def build_token_actor() -> Actor:
    """Build the actor of an API token."""
    return Actor(ActorKind.TOKEN, id="3", label="n8n")
