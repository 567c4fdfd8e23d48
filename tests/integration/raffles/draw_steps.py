"""Steps of a raffle towards its draw, for arranging tests."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Model

from shared.core.enums import (
    ActorKind,
    DrawMethod,
    OrderStatus,
    RaffleStatus,
    SourceKind,
    TicketStatus,
    UnsoldRule,
)
from shared.raffles import receipt_lines
from shared.raffles.actor import Actor
from shared.raffles.draws.draw_models import DrawResult, DrawSource, SealedList, SourceReading
from shared.raffles.models import Order, OrderTicket, Raffle, TicketNumber
from shared.raffles.services import orders, reservations
from shared.raffles.services.draws import draw_rules, drawing, source_dates, source_readings
from shared.raffles.services.draws.draw_rules import ChosenRules, ChosenSource
from shared.raffles.services.payment_decisions import payments
from tests.builders import NOON, build_staff_actor, create_order_row, create_raffle

RITA: Final = build_staff_actor()
OMAR: Final = Actor(ActorKind.STAFF, id="8", label="omar")
TOKEN: Final = Actor(ActorKind.TOKEN, id="3", label="n8n", owner="rita")
DRAW_AT: Final = NOON + timedelta(hours=8)
LINK: Final = "https://example.com/round"
LOTTERY: Final = ChosenSource(
    SourceKind.LOTTERY, name="Lotería de Bogotá", at=DRAW_AT, repeat_days=7, highest=9_999
)
WEEK: Final = timedelta(days=7)


def sell(raffle: Raffle, *numbers: int, now: datetime = NOON) -> Order:
    """Sell ticket numbers for cash."""
    with transaction.atomic():
        held = reservations.hold_chosen_or_random(
            raffle, contact_id=None, numbers=numbers, quantity=0, pivot=0, by=RITA, now=now
        )
        order = orders.place(held, at=now, now=now, by=RITA, changes={"buyer_name": "Bo Li"})
        payments.sell_order(order, by=RITA, now=now, late=False)
    return order


def choose_lottery(*, prizes: Sequence[str] = (), later: bool = False) -> ChosenRules:
    """Return rules by which lottery digits decide, a source for each prize."""
    return ChosenRules(
        method=DrawMethod.LOTTERY_DIGITS,
        sources=[LOTTERY] * max(len(prizes), 1),
        prizes=prizes,
        unsold_rule=UnsoldRule.NEXT_SOURCE_DATE if later else UnsoldRule.NEXT_SOLD_UPWARDS,
    )


DRUM: Final = ChosenRules(method=DrawMethod.RECORDED_DRUM, sources=[])


def create_sealed_raffle(
    chosen: ChosenRules, *, sold: Sequence[int], two_people: bool = False
) -> Raffle:
    """Create a raffle of the numbers 00 to 99 that is sealed, without orders."""
    raffle = create_raffle(
        numbers=100, first_number=0, with_numbers=False, draw_at=DRAW_AT, status=RaffleStatus.CLOSED
    )
    draw_rules.save_rules(raffle.pk, chosen, by=RITA, now=NOON)
    raffle.refresh_from_db()
    with transaction.atomic():
        draw_rules.freeze_rules(raffle, by=RITA, now=NOON)
    numbers = receipt_lines.build_list(f"{number:02d}" for number in sorted(sold))
    SealedList.objects.create(
        raffle=raffle,
        numbers=numbers,
        sha256=receipt_lines.hash_list(numbers),
        count=len(sold),
        unsold=100 - len(sold),
        chain_head="0" * 64,
        chain_length=1,
        two_people=two_people,
        sources=[
            source_dates.describe_date(source, source.at or DRAW_AT, index=0)
            for source in DrawSource.objects.filter(raffle=raffle)
        ],
        sealed_at=NOON,
        by_kind=ActorKind.STAFF,
    )
    Raffle.objects.filter(pk=raffle.pk).update(status=RaffleStatus.SEALED)
    raffle.refresh_from_db()
    return raffle


def create_paid_order(raffle: Raffle, *numbers: int, **fields: Any) -> Order:
    """Create a paid order of a raffle that is sealed already, with its ticket numbers."""
    order = create_order_row(
        raffle, quantity=len(numbers), status=OrderStatus.PAID, expires_at=None, **fields
    )
    for number in numbers:
        ticket = TicketNumber.objects.create(
            raffle=raffle, number=number, status=TicketStatus.SOLD, shuffle_key=number
        )
        OrderTicket.objects.create(order=order, ticket=ticket)
    return order


def enter(
    raffle: Raffle,
    *values: str,
    position: int = 1,
    by: Actor = RITA,
    now: datetime = DRAW_AT,
    **evidence: Any,
) -> SourceReading:
    """Enter values that a source published."""
    return source_readings.enter_values(
        raffle.pk,
        position=position,
        values=values,
        by=by,
        now=now,
        **(evidence or {"link": LINK}),
    )


def enter_stub(raffle: Raffle, number: int, *, prize: int = 1, by: Actor = RITA) -> SourceReading:
    """Enter the stub that came out of the drum for a prize."""
    return source_readings.enter_stub(
        raffle.pk, prize_position=prize, number=number, link=LINK, by=by, now=DRAW_AT
    )


def load_inputs(raffle: Raffle) -> drawing.DrawInputs:
    """Return what the next draw is computed from."""
    raffle.refresh_from_db()
    return drawing.load_inputs(raffle, SealedList.objects.get(raffle=raffle))


def draw(raffle: Raffle, *, by: Actor = RITA, now: datetime = DRAW_AT) -> drawing.Drawn:
    """Draw what is not drawn, from the inputs as they are."""
    fingerprint = load_inputs(raffle).fingerprint
    return drawing.draw(raffle.pk, fingerprint=fingerprint, by=by, now=now)


def list_numbers(raffle: Raffle) -> list[int]:
    """Return the number that wins each prize now, in the order of the prizes."""
    return [result.number for result in drawing.load_latest_results(raffle.pk)]


def get_latest_result(raffle: Raffle, *, prize: int = 1) -> DrawResult:
    """Return the latest result of a prize."""
    results = DrawResult.objects.filter(raffle=raffle, prize__position=prize)
    return results.latest("attempt")


def replace_row(row: Model) -> None:
    """Remove a row as neither an update nor a deletion does; SQLite puts `row` in its place."""
    table = connection.ops.quote_name(row._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"TRUNCATE {table} CASCADE")
            return
        fields = row._meta.concrete_fields
        names = ", ".join(str(field.column) for field in fields)
        places = ", ".join(["%s"] * len(fields))
        values = [
            field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields
        ]
        cursor.execute(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({places})", values)
