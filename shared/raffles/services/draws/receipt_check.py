"""Check that a raffle's receipt chain leads to its head and fits the sold ticket numbers."""

from dataclasses import dataclass
from typing import Final

from shared.core.enums import TicketStatus
from shared.raffles import receipt_lines
from shared.raffles.draws.draw_models import DrawRules, ReceiptChain, ReceiptEntry
from shared.raffles.models import Raffle, TicketNumber

_ROWS_PER_CHUNK: Final = 20_000
"""Rows that are in memory at once; a raffle has up to a million numbers and as many entries."""


@dataclass(frozen=True, slots=True)
class CheckedChain:
    """A receipt chain that was read to its end.

    Attributes:
        length: entries of the chain when the check began.
        head: head of the chain then.
        numbers: the canonical list of the sold ticket numbers.
        sha256: hash of the list, in hex.
        count: sold ticket numbers.
        problem: what does not fit, as text; empty: all does.

    """

    length: int
    head: str
    numbers: bytes
    sha256: str
    count: int
    problem: str


def check_receipt_chain(raffle: Raffle, chain: ReceiptChain) -> CheckedChain:
    """Compute a chain anew and compare it with its head and with the sold ticket numbers.

    Takes some seconds for a million entries. What is sold meanwhile does not fit; then the chain
    has another head afterwards.

    Args:
        raffle: its raffle.
        chain: the chain as it was when the check began.

    """
    sold = _mark_sold_numbers(raffle)
    try:
        head, entered = _follow_chain(raffle, chain)
    except _BadEntry as error:
        problem = str(error)
    else:
        problem = ""
        if head != chain.head:
            problem = f"its {chain.length:,} entries do not lead to its head"
        elif entered != sold:
            problem = _describe_difference(raffle, sold=sold, entered=entered)
    numbers = _build_list(raffle, sold)
    return CheckedChain(
        length=chain.length,
        head=chain.head,
        numbers=numbers,
        sha256=receipt_lines.hash_list(numbers),
        count=sold.count(1),
        problem=problem,
    )


class _BadEntry(Exception):
    """An entry that cannot stand in a chain."""


def _mark_sold_numbers(raffle: Raffle) -> bytearray:
    marks = bytearray(raffle.number_count)
    sold = TicketNumber.objects.filter(
        raffle_id=raffle.pk,
        status=TicketStatus.SOLD,
        number__range=(raffle.first_number, raffle.last_number),
    ).order_by()
    for number in sold.values_list("number", flat=True).iterator(chunk_size=_ROWS_PER_CHUNK):
        marks[number - raffle.first_number] = 1
    return marks


def _build_list(raffle: Raffle, sold: bytearray) -> bytes:
    first, width = raffle.first_number, raffle.width
    return receipt_lines.build_list(
        f"{first + place:0{width}d}" for place, is_sold in enumerate(sold) if is_sold
    )


def _follow_chain(raffle: Raffle, chain: ReceiptChain) -> tuple[str, bytearray]:
    """Return the head after the last entry, and the numbers of the entries that count."""
    entries = ReceiptEntry.objects.filter(raffle_id=raffle.pk, number__lte=chain.length)
    voided = set(entries.filter(voided__isnull=False).values_list("voided", flat=True))
    left = set(voided)
    marks = bytearray(raffle.number_count)
    head = receipt_lines.compute_first_head(
        receipt_lines.build_raffle_reference(raffle.pk), _load_rule_hash(raffle)
    )
    length = 0
    rows = entries.order_by("number").values_list("number", "ticket_numbers", "voided")
    for number, tickets, former in rows.iterator(chunk_size=_ROWS_PER_CHUNK):
        length += 1
        if number != length:
            raise _BadEntry(f"entry {length} is missing")
        if former is not None:
            line = receipt_lines.build_void_line(number, voided=former)
            if former in left:
                raise _BadEntry(f"entry {number} makes void what is no sale before it")
        else:
            numbers = tickets.split(",")
            line = receipt_lines.build_sale_line(number, numbers)
            if number in voided:
                left.discard(number)
            else:
                _mark_entry(marks, numbers, raffle=raffle, entry=number)
        head = receipt_lines.compute_head(head, line)
    if length != chain.length:
        raise _BadEntry(f"it has {length:,} entries instead of {chain.length:,}")
    return head, marks


def _load_rule_hash(raffle: Raffle) -> str:
    found = DrawRules.objects.filter(raffle_id=raffle.pk).values_list("sha256", flat=True)
    return found.first() or ""


def _mark_entry(marks: bytearray, numbers: list[str], *, raffle: Raffle, entry: int) -> None:
    first, width = raffle.first_number, raffle.width
    for number in numbers:
        place = int(number) - first
        if len(number) != width or not 0 <= place < len(marks) or marks[place]:
            raise _BadEntry(f"entry {entry} sells {number}, which it cannot")
        marks[place] = 1


def _describe_difference(raffle: Raffle, *, sold: bytearray, entered: bytearray) -> str:
    """Return the first ticket number in which the chain and the sold numbers differ."""
    place = next(
        at for at, pair in enumerate(zip(sold, entered, strict=True)) if len(set(pair)) > 1
    )
    number = raffle.format_ticket_number(raffle.first_number + place)
    if sold[place]:
        return f"number {number} is sold and no entry that counts has it"
    return f"number {number} has an entry that counts and is not sold"
