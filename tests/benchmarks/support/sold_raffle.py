"""A raffle whose numbers are all sold, with its receipt chain, for benchmarks of the draw."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tests.benchmarks.support import rows

if TYPE_CHECKING:
    from shared.raffles.models import Raffle

NUMBERS_PER_ORDER: Final = 5
SOLD_AT: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DRAW_AT: Final = SOLD_AT + timedelta(hours=8)


def create_sold_raffle(numbers: int, *, prizes: Sequence[str]) -> "Raffle":
    """Create a closed raffle whose numbers are sold in orders of five, one after the other.

    The rows are those that so many sales would have written; the heads of the receipt chain are
    those of so many entries, so that the sealing accepts them.
    """
    from django.db import transaction

    from shared.core.enums import RaffleStatus
    from shared.raffles.models import Raffle
    from shared.raffles.services.draws import draw_rules
    from shared.raffles.services.draws.draw_rules import ChosenRules
    from tests import builders

    raffle = builders.create_raffle(numbers=numbers, with_numbers=False, draw_at=DRAW_AT)
    actor = builders.build_staff_actor()
    draw_rules.save_rules(raffle.pk, ChosenRules(prizes=prizes), by=actor, now=SOLD_AT)
    raffle.refresh_from_db()
    with transaction.atomic():
        rules = draw_rules.freeze_rules(raffle, by=actor, now=SOLD_AT)
    _insert_orders(raffle, numbers // NUMBERS_PER_ORDER)
    _insert_chain(raffle, rule_hash=rules.sha256)
    Raffle.objects.filter(pk=raffle.pk).update(status=RaffleStatus.CLOSED)
    rows.update_statistics()
    raffle.refresh_from_db()
    return raffle


def _insert_orders(raffle: "Raffle", orders: int) -> None:
    """Insert sold ticket numbers, whose ids are the numbers, and orders, whose ids begin at 1.

    All are made at once, since numbers that were free before take minutes to update.
    """
    from shared.raffles.models import Order, OrderTicket, TicketNumber

    moment = rows.format_moment(SOLD_AT)
    numbers = range(raffle.first_number, raffle.last_number + 1)
    with rows.without_foreign_key_checks():
        rows.insert_rows(
            TicketNumber,
            "id raffle_id number status shuffle_key",
            ((each, raffle.pk, each, "SOLD", each * 7919 % 2_000_000_011) for each in numbers),
        )
        rows.insert_rows(
            Order,
            "id raffle_id status mode quantity unit_price total currency created_at closed_at "
            "receipt_entry",
            (
                (entry, raffle.pk, "PAID", "PICK", 5, "5.00", "25.00", "USD", moment, moment, entry)
                for entry in range(1, orders + 1)
            ),
        )
        rows.insert_rows(
            OrderTicket,
            "order_id ticket_id",
            (((each - raffle.first_number) // NUMBERS_PER_ORDER + 1, each) for each in numbers),
        )


def _insert_chain(raffle: "Raffle", *, rule_hash: str) -> None:
    from shared.raffles import receipt_lines
    from shared.raffles.draws.draw_models import ReceiptChain, ReceiptEntry

    head = receipt_lines.compute_first_head(
        receipt_lines.build_raffle_reference(raffle.pk), rule_hash
    )
    length = 0

    def build_rows() -> Iterator[rows.Row]:
        nonlocal head, length
        moment = rows.format_moment(SOLD_AT)
        for first in range(raffle.first_number, raffle.last_number + 1, NUMBERS_PER_ORDER):
            length += 1
            tickets = [
                raffle.format_ticket_number(number)
                for number in range(first, first + NUMBERS_PER_ORDER)
            ]
            head = receipt_lines.compute_head(head, receipt_lines.build_sale_line(length, tickets))
            yield length, raffle.pk, length, "SALE", length, ",".join(tickets), head, moment

    with rows.without_foreign_key_checks():
        rows.insert_rows(
            ReceiptEntry,
            "id raffle_id number kind order_id ticket_numbers head at",
            build_rows(),
        )
    ReceiptChain.objects.create(raffle=raffle, length=length, head=head, complete=True)
