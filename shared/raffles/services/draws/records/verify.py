#!/usr/bin/env python3
"""Verification of a raffle's draw from its public record, with Python 3.9 or later alone.

    python verify.py                             the folder that this file lies in
    python verify.py raffle-12-draw.zip          a record as it was downloaded
    python verify.py --receipt 57 9f3a12c8       the same, and what a buyer's receipt shows

It recomputes each hash, key string and selection from draw.json, list.txt and chain.txt. It says
what holds, and what a person has to look up: whether the sources published these values, and
whether those that do not count were void. It exits with 0 if everything holds, with 1 if something
does not, and with 2 if there is no record to read. It writes nothing and connects to nothing.
"""

from __future__ import annotations

import argparse
import bisect
import hashlib
import io
import json
import math
import re
import struct
import sys
import unicodedata
import zipfile
import zlib
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any, NoReturn, TypeVar

DRAW, LIST, CHAIN, SUMS = "draw.json", "list.txt", "chain.txt", "SHA256SUMS"
RULES, SUMMARY = "rules.txt", "summary.json"
FILES = (DRAW, LIST, CHAIN, RULES, SUMMARY, "results.html", "verify.py", SUMS)
MAX_FILE_SIZE = 256 * 1024 * 1024
"""Bytes; the chain of a million sales has a tenth of it."""
MAX_NAMED = 5
"""Ticket numbers that a sentence names."""
MAX_VALUE_LENGTH = 80
"""Digits of a value."""
MAX_DIGITS = 9
"""Digits of the number of an entry."""
HEAD_DIGITS = 8
"""Hex digits of a head that a receipt shows."""

DRAND_CHAIN = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
DRAND_GENESIS, DRAND_PERIOD = 1_692_803_367, 3
SEALING_LEAD = timedelta(minutes=5)
SOLD_OUT_LEAD = timedelta(minutes=10)
HONEST_LIMIT = (
    "This proves that nobody steered the pick from the sealed list, if the values are those that "
    "the sources published. That every sold number is on the list, buyers prove with their "
    "receipts: verify.py --receipt ENTRY HEAD."
)

Value = TypeVar("Value")


class Wrong(Exception):
    """Something in a file of the record does not hold."""

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(f"{file}: {problem}")


class Unreadable(Exception):
    """There is no record that could be verified."""


@dataclass
class Report:
    """What holds, what a person has to look up, and what does not hold, as sentences."""

    facts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    look_ups: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Receipt:
    """What a buyer's message says: number of the entry, and the first eight hex digits."""

    entry: int
    head: str


@dataclass
class Chain:
    """What the lines of a receipt chain lead to."""

    head: str
    length: int = 0
    sales: dict[int, tuple[str, ...]] = field(default_factory=dict)
    voided_by: dict[int, int] = field(default_factory=dict)
    receipt_head: str = ""


@dataclass(frozen=True)
class Reading:
    """Values that a source published (`source` is its place), or a stub of a prize."""

    number: int
    source: int
    prize: int
    attempt: int
    values: tuple[str, ...]
    date: datetime | None
    round: int | None
    entered_at: datetime
    confirmed_at: datetime | None
    people: int
    void_reason: str
    void_people: int
    ended_inputs: int | None

    def is_void(self, inputs: int) -> bool:
        """Whether it was void when values had been declared void after a draw so often."""
        ended = self.ended_inputs
        return bool(self.void_reason) and (ended is None or ended < inputs)


# Files

_DAMAGE = (
    *(OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OverflowError),
    *(MemoryError, LookupError, TypeError, struct.error),
)
"""What zipfile and its decompressors raise for damaged archives."""


def load_files(path: Path) -> tuple[dict[str, bytes], list[str]]:
    """Return the files of a record by name, and what is wrong with them.

    Raises:
        Unreadable: there is neither a folder nor a ZIP with a record.

    """
    files: dict[str, bytes] = {}
    problems: list[str] = []
    try:
        if path.is_dir():
            for name in FILES:
                if (path / name).is_file():
                    with (path / name).open("rb") as opened:
                        files[name] = _read_bounded(name, opened)
        else:
            with zipfile.ZipFile(path) as archive:
                for info in archive.infolist():
                    _read_member(archive, info, files, problems)
    except (*_DAMAGE, Wrong) as error:
        raise Unreadable(f"{path} cannot be read: {str(error) or type(error).__name__}") from error
    if DRAW not in files and not problems:
        raise Unreadable(f"{path} is no record of a draw: it has no {DRAW}")
    return files, problems


def _read_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, files: dict[str, bytes], problems: list[str]
) -> None:
    name = info.filename
    if name not in FILES or name in files:
        problems.append(f"{name}: this is no file of a record, or is there twice.")
        return
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        problems.append(f"{name}: it is compressed in a way that no record is.")
        return
    try:
        with archive.open(info) as opened:
            files[name] = _read_bounded(name, opened)
    except Wrong as error:
        problems.append(str(error))
    except _DAMAGE as error:
        problems.append(f"{name}: it is damaged: {str(error) or type(error).__name__}")


def _read_bounded(name: str, opened: Any) -> bytes:
    data: bytes = opened.read(MAX_FILE_SIZE + 1)
    if len(data) > MAX_FILE_SIZE:
        raise Wrong(name, "it is too large for a record.")
    return data


def read_json(name: str, data: bytes) -> Any:
    """Return a JSON document without floats, repeated names and very large numbers."""
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_build_object,
            parse_int=_read_integer,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except (ValueError, RecursionError) as error:
        raise Wrong(name, f"it is not the JSON that was written: {error}") from error


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    if len(built) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return built


def _read_integer(text: str) -> int:
    return int(text) if len(text) <= 20 else _refuse_number(text)  # noqa: PLR2004 - 64 bits


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is no number of a record")


def take(row: Any, name: str, kind: type[Value]) -> Value:
    """Return a value of an object in draw.json, which must be of a type."""
    value = row.get(name) if isinstance(row, dict) else None
    if type(value) is not kind:
        raise Wrong(DRAW, f'"{name}" is missing, or is no {kind.__name__}.')
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise Wrong(DRAW, f'"{name}" is not text: {error.reason}.') from error
    return value


def take_optional(row: Any, name: str, kind: type[Value]) -> Value | None:
    """Return a value like `take`, or None if it is null."""
    return None if isinstance(row, dict) and row.get(name, 0) is None else take(row, name, kind)


def take_time(row: Any, name: str) -> datetime:
    """Return a time with its offset from UTC."""
    text = take(row, name, str)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Wrong(DRAW, f'"{name}" is no time: {text[:40]}') from error
    if at.tzinfo is None:
        raise Wrong(DRAW, f'"{name}" has no time zone: {text[:40]}')
    return at


def take_rows(row: Any, name: str) -> list[dict[str, Any]]:
    """Return a list of objects."""
    rows = take(row, name, list)
    if not all(isinstance(entry, dict) for entry in rows):
        raise Wrong(DRAW, f'"{name}" is no list of objects.')
    return rows


def split_lines(name: str, data: bytes) -> list[str]:
    """Return the lines of a file, each of which ends with LF."""
    lines = data.decode("ascii", "replace").split("\n")
    if lines.pop():
        raise Wrong(name, "its last line is cut off.")
    return lines


def hash_text(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


# Hashes of rules, list and receipt chain


def check_sums(files: dict[str, bytes]) -> str:
    """Compare the files with their checksums, which `sha256sum -c SHA256SUMS` does as well."""
    listed = set()
    for line in split_lines(SUMS, files[SUMS]):
        digest, _, name = line.partition("  ")
        if name not in FILES or name == SUMS or name in listed:
            raise Wrong(SUMS, f"the line {line[:80]!r} names no file of a record.")
        listed.add(name)
        if name in files and hashlib.sha256(files[name]).hexdigest() != digest:
            raise Wrong(name, f"it is not the file that {SUMS} names: a byte of one was changed.")
    if missing := listed - set(files):
        raise Wrong(min(missing), "it is missing.")
    if unlisted := set(files) - listed - {SUMS}:
        raise Wrong(SUMS, f"it does not name {min(unlisted)}.")
    return f"All {len(listed)} files have the checksums in {SUMS}."


def check_rules(files: dict[str, bytes], draw: Any) -> str:
    """Check the hash of the rules, and that they name prizes, sources and method."""
    text, stated = take(draw, "rule_text", str), take(draw, "rule_sha256", str)
    if unicodedata.normalize("NFC", text) != text or "\r" in text:
        raise Wrong(DRAW, "the rule text is not in NFC with LF.")
    if hash_text(text) != stated:
        raise Wrong(DRAW, "the rule text does not have the hash beside it.")
    if RULES in files and files[RULES] != text.encode():
        raise Wrong(RULES, f"these are not the rules in {DRAW}.")
    lines = read_rule_lines(text)
    _check_prizes(lines, draw)
    method = take(draw, "method", str)
    if not any(line.startswith(_METHOD_WORDS.get(method, "\n")) for line in lines):
        raise Wrong(DRAW, f"the rules do not say that it is drawn by {method[:40]!r}.")
    for described, line in zip(*_pair_sources(lines, draw)):
        if described not in line:
            raise Wrong(DRAW, f"the rules do not say {described!r} in this place.")
    _check_next_dates(lines, draw)
    if method == "lottery_digits":
        words = _UNSOLD_WORDS.get(take(draw, "unsold_rule", str), "\n")
        if not any(line.startswith(words) for line in lines):
            raise Wrong(DRAW, "the rules do not say this of a number that was not sold.")
    first, last = read_ticket_range(lines)
    if not len(first) == len(last) == take(draw, "ticket_digits", int):
        raise Wrong(DRAW, f"the rules have the ticket numbers {first} to {last}.")
    return (
        f"The rules have the hash {stated[:8]}…, and name the prizes, the sources and the method."
    )


_METHOD_WORDS = {
    "public_value": "The computation is that of RFC 3797:",
    "lottery_digits": "The winning number",
    "recorded_drum": "Every number on the sealed list is a printed stub in a drum.",
}
_UNSOLD_WORDS = {
    "next_sold_upwards": "If that number was not sold or has been drawn already, the next higher",
    "next_source_date": "If that number was not sold, the next date of the same lottery decides",
}
_MOMENT = re.compile(
    r"(of|at the time of the draw,) ([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}) ([\w+/-]+)"
)
"""The date of a source in the rules, in the raffle's time zone."""


def read_rule_lines(text: str) -> list[str]:
    """Return the lines of the rules that the product wrote: those before the seller's own."""
    lines = text.split("\n")[1:]
    own = [place for place, line in enumerate(lines) if line.startswith("Further terms: ")]
    return lines[: own[0]] if own else lines


def read_ticket_range(lines: Sequence[str]) -> tuple[str, str]:
    """Return the first and the last ticket number in the rules."""
    for line in lines:
        if found := re.match(r"Ticket numbers: ([0-9]+) to ([0-9]+)\.", line):
            return found[1], found[2]
    raise Wrong(DRAW, "the rules do not say which ticket numbers there are.")


def _check_prizes(lines: Sequence[str], draw: Any) -> None:
    prizes = enumerate(take_rows(draw, "prizes"), start=1)
    stated = [
        unicodedata.normalize("NFC", f"Prize {place}: {take(prize, 'title', str)}")
        for place, prize in prizes
    ]
    named = [line for line in lines if re.match("Prize [0-9]+: ", line)]
    for mine, theirs in zip_longest(stated, named):
        if mine != theirs:
            raise Wrong(DRAW, f"the rules do not say {mine or 'so few prizes'!r}.")


def _pair_sources(lines: Sequence[str], draw: Any) -> tuple[list[str], list[str]]:
    """Return how the rules describe each source, and the line about it."""
    rows, digits = take_rows(draw, "sources"), take(draw, "method", str) == "lottery_digits"
    starts: tuple[str, ...] = ("The winner is computed", "The winners are computed")
    if digits:
        starts = ("The winning number",)
    elif len(rows) > 1:
        starts = ("Source ",)
    found = [line for line in lines if line.startswith(starts)] if rows else []
    if len(found) != len(rows):
        raise Wrong(DRAW, f"the rules name another number of sources than {len(rows)}.")
    described = []
    for place, row in enumerate(rows, start=1):
        name = unicodedata.normalize("NFC", take(row, "name", str))
        is_drand = take(row, "kind", str) == "drand"
        words = f"the randomness of {name} (chain {DRAND_CHAIN[:8]}), the round "
        described.append(words if is_drand else f"{name}, the result ")
        if len(rows) > 1 and not digits:
            described[-1] = f"Source {place}: {described[-1]}"
    return described, found


def _check_next_dates(lines: Sequence[str], draw: Any) -> None:
    for row in take_rows(draw, "sources"):
        name = unicodedata.normalize("NFC", take(row, "name", str))
        days = take(row, "repeat_days", int)
        start = f"If {name} publishes nothing at its date"
        end = f"its next date decides, {'1 day' if days == 1 else f'{days} days'} later each time."
        if not any(line.startswith(start) and line.endswith(end) for line in lines):
            raise Wrong(DRAW, f"{name[:120]}: the rules do not say that it repeats so often.")


def check_named_dates(draw: Any, sealed_at: datetime) -> list[str]:
    """Check that sources have the dates that the rules name; return what is to be looked up.

    The rules let some dates change: that of a draw which was moved before the sealing.
    """
    look_ups = []
    lines = read_rule_lines(take(draw, "rule_text", str))
    rows = take_rows(draw, "sources")
    for row, described, line in zip(rows, *_pair_sources(lines, draw)):
        skipped = timedelta(days=take(row, "repeat_days", int)) * take(row, "skipped_dates", int)
        date, name = take_time(row, "first_date") - skipped, take(row, "name", str)
        found = _MOMENT.match(line.partition(described)[2])
        if found is None:
            if date != sealed_at + SOLD_OUT_LEAD:
                look_ups.append(f"{name}: the seller set a date for the draw later, {date}.")
            continue
        local = _format_in_zone(date, found[3])
        if local is None:
            look_ups.append(f"{name}: the rules say {found[0]}, and its date here is {date}.")
        elif local != found[2] and found[1] == "of":
            raise Wrong(DRAW, f"{name}: its date is {local}, and the rules say {found[0]}.")
        elif local != found[2]:
            look_ups.append(
                f"{name}: the rules say {found[0]}, and that the draw may be moved; it is said to "
                f"have been moved to {local}. Did buyers hear of it before?"
            )
    return look_ups


def _format_in_zone(at: datetime, zone: str) -> str | None:
    """Return a time as the rules write it; None if this computer does not know the time zone."""
    try:
        return f"{at.astimezone(zoneinfo.ZoneInfo(zone)):%Y-%m-%d %H:%M}"
    except (LookupError, OSError, ValueError):
        return None


def check_list(files: dict[str, bytes], draw: Any) -> list[str]:
    """Return the ticket numbers of the sealed list."""
    data = files.get(LIST)
    if data is None:
        raise Wrong(LIST, "it is missing.")
    if hashlib.sha256(data).hexdigest() != take(draw, "list_sha256", str):
        raise Wrong(LIST, f"it does not have the hash of the sealed list in {DRAW}.")
    digits, count = take(draw, "ticket_digits", int), take(draw, "count", int)
    tickets = split_lines(LIST, data)
    if any(map(is_not_ticket, tickets, [digits] * len(tickets))):
        raise Wrong(LIST, f"it is not one ticket number of {digits} digits a line.")
    if any(first >= second for first, second in zip(tickets, tickets[1:])):
        raise Wrong(LIST, "its ticket numbers are not ascending.")
    if len(tickets) != count:
        raise Wrong(DRAW, f'"count" is {count}, and {LIST} has {len(tickets)} ticket numbers.')
    return tickets


def is_not_ticket(text: str, digits: int) -> bool:
    """Whether a text is no ticket number of so many digits."""
    return len(text) != digits or not (text.isascii() and text.isdigit())


def read_chain(data: bytes, *, first_head: str, digits: int, receipt: Receipt | None) -> Chain:
    """Return what a receipt chain leads to.

    Args:
        data: its lines.
        first_head: the head before the first line.
        digits: of a ticket number.
        receipt: a receipt whose head is looked up.

    """
    chain = Chain(head=first_head)
    held: set[str] = set()
    lines = split_lines(CHAIN, data)
    for number, line in enumerate(lines, start=1):
        kind, _, rest = line.partition(f" {number} ")
        if kind == "entry":
            tickets = tuple(rest.split(","))
            if any(is_not_ticket(ticket, digits) for ticket in tickets):
                raise Wrong(CHAIN, f"line {number} names no ticket numbers.")
            if list(tickets) != sorted(set(tickets)) or not held.isdisjoint(tickets):
                raise Wrong(CHAIN, f"line {number} sells a ticket number twice, or out of order.")
            held.update(tickets)
            chain.sales[number] = tickets
        elif kind == "void" and not is_not_ticket(rest, len(rest[:MAX_DIGITS] or "x")):
            voided = int(rest)
            if rest != str(voided) or voided not in chain.sales:
                raise Wrong(CHAIN, f"line {number} makes void what is no sale that counts.")
            held.difference_update(chain.sales.pop(voided))
            chain.voided_by[voided] = number
        else:
            raise Wrong(CHAIN, f"line {number} is neither a sale nor a void.")
        chain.head = hash_text(f"{chain.head}\n{line}\n")
        if receipt is not None and receipt.entry == number:
            chain.receipt_head = chain.head
    chain.length = len(lines)
    return chain


def check_chain(chain: Chain, draw: Any, tickets: Sequence[str]) -> str:
    """Check that the receipt chain leads to its stated head, and that its sales are the list."""
    if chain.length != take(draw, "chain_length", int):
        raise Wrong(CHAIN, f"it has {chain.length} entries, which is not what {DRAW} states.")
    if chain.head != take(draw, "chain_head", str):
        raise Wrong(CHAIN, f"its lines do not lead to the head that {DRAW} states.")
    sold = {ticket for entry in chain.sales.values() for ticket in entry}
    if differing := sorted(sold.symmetric_difference(tickets))[:MAX_NAMED]:
        raise Wrong(LIST, f"list and receipts do not have the same numbers: {differing}.")
    return (
        f"The receipt chain has {chain.length:,} entries and the head {chain.head[:8]}…; the "
        f"{len(chain.sales):,} that count are exactly the numbers on the list."
    )


def check_receipt(chain: Chain, receipt: Receipt) -> str:
    """Say which ticket numbers a buyer's receipt is for."""
    if chain.receipt_head[:HEAD_DIGITS] != receipt.head:
        raise Wrong(CHAIN, f"no entry {receipt.entry} with the head {receipt.head} is in it.")
    if receipt.entry in chain.voided_by:
        by = chain.voided_by[receipt.entry]
        return f"Entry {receipt.entry} was made void by entry {by}: undone or refunded before."
    if receipt.entry not in chain.sales:
        raise Wrong(CHAIN, f"entry {receipt.entry} is no sale.")
    numbers = chain.sales[receipt.entry]
    return (
        f"Entry {receipt.entry} is in the receipt chain with the head {receipt.head}; its ticket "
        f"numbers are on the sealed list: {', '.join(numbers)}."
    )


# Values of public sources


def read_readings(draw: Any) -> dict[int, Reading]:
    """Return the values that were entered, by their number in the record."""
    readings: dict[int, Reading] = {}
    for place, source in enumerate(take_rows(draw, "sources"), start=1):
        for row in take_rows(source, "readings"):
            _add_reading(readings, row, source=place, prize=0, attempt=0)
    for row in take_rows(draw, "stubs"):
        prize, attempt = take(row, "prize", int), take(row, "attempt", int)
        _add_reading(readings, row, source=0, prize=prize, attempt=attempt)
    return readings


def _add_reading(readings: dict[int, Reading], row: Any, **place: int) -> None:
    number, void = take(row, "reading", int), take_optional(row, "void", dict)
    values = take(row, "values", list)
    if number in readings or not all(isinstance(one, str) and one.isascii() for one in values):
        raise Wrong(DRAW, f"reading {number} is there twice, or its values are no texts.")
    readings[number] = Reading(
        number=number,
        values=tuple(values),
        date=None if row.get("date", 0) is None else take_time(row, "date"),
        round=take_optional(row, "round", int),
        entered_at=take_time(row, "entered_at"),
        confirmed_at=None if row.get("confirmed_at", 0) is None else take_time(row, "confirmed_at"),
        people=take(row, "people", int),
        void_reason=take(void, "reason", str) if void is not None else "",
        void_people=take(void, "people", int) if void is not None else 0,
        ended_inputs=take_optional(void, "ended_inputs", int) if void is not None else None,
        **place,
    )


@dataclass(frozen=True)
class Source:
    """A public source: its first date after the sealing, and what was read of it."""

    row: Any
    name: str
    is_drand: bool
    first_date: datetime
    step: timedelta
    readings: list[Reading]

    def find_path(self, inputs: int, sold: Sequence[str] | None) -> list[Reading]:
        """Return the reading that decides, after those that passed the decision on.

        Args:
            inputs: how often values had been declared void after a draw.
            sold: the sealed list, if a number that was not sold leaves it to the next date.

        """
        path: list[Reading] = []
        date = self.first_date
        while True:
            of_date = [one for one in self.readings if one.date == date]
            current = next((one for one in of_date if not one.is_void(inputs)), None)
            if current is None:
                if not any(one.void_reason == "source_void" for one in of_date):
                    return []
            else:
                path.append(current)
                if sold is None or current.confirmed_at is None or _ends_in(sold, current):
                    return path
            date += self.step

    def check(self, sealed_at: datetime) -> None:
        """Check its dates and values."""
        late = take(self.row, "skipped_dates", int) > 0
        earliest = sealed_at + SEALING_LEAD
        if self.first_date <= earliest or self.step < timedelta(days=1):
            raise Wrong(DRAW, f"{self.name}: {self.first_date} is too early for its first date.")
        if late and self.first_date - self.step > earliest:
            raise Wrong(DRAW, f"{self.name}: a date before {self.first_date} should have decided.")
        counting = [one.date for one in self.readings if not one.void_reason]
        if len(counting) > len(set(counting)):
            raise Wrong(DRAW, f"{self.name}: two readings of one date count.")
        for reading in self.readings:
            name = f"{self.name}: reading {reading.number}"
            if reading.date is None or (reading.date - self.first_date) % self.step:
                raise Wrong(DRAW, f"{name} is of {reading.date}, which is not one of its dates.")
            if self.is_drand and reading.round != compute_drand_round(reading.date):
                raise Wrong(DRAW, f"{name} is not of the round at {reading.date}.")
            if reading.date < self.first_date or reading.entered_at < reading.date:
                raise Wrong(DRAW, f"{name} was entered before its date.")
            if reading.values and not self._fits(reading.values):
                raise Wrong(DRAW, f"{name} has values that it cannot publish.")

    def _fits(self, values: Sequence[str]) -> bool:
        if len(values) != take(self.row, "value_count", int):
            return False
        if self.is_drand:
            hexadecimal = len(values[0]) == 64 and not values[0].strip("0123456789abcdef")  # noqa: PLR2004
            return hexadecimal and take(self.row, "chain", str) == DRAND_CHAIN
        if not all(value.isdigit() and len(value) <= MAX_VALUE_LENGTH for value in values):
            return False
        lowest, highest = take(self.row, "lowest", int), take(self.row, "highest", int)
        numbers = [int(value) for value in values]
        repeats = take(self.row, "repeats_values", bool) or len(set(numbers)) == len(numbers)
        return repeats and all(lowest <= number <= highest for number in numbers)


def _ends_in(sold: Sequence[str], reading: Reading) -> bool:
    return _contains(sold, take_last_digits(reading.values[0], width=len(sold[0])))


def read_sources(draw: Any, readings: dict[int, Reading]) -> list[Source]:
    """Return the public sources in their frozen order."""
    return [
        Source(
            row=row,
            name=take(row, "name", str),
            is_drand=take(row, "kind", str) == "drand",
            first_date=take_time(row, "first_date"),
            step=timedelta(days=take(row, "repeat_days", int)),
            readings=[one for one in readings.values() if one.source == place],
        )
        for place, row in enumerate(take_rows(draw, "sources"), start=1)
    ]


# Selections


def compute_drand_round(at: datetime) -> int:
    """Return the round of drand's quicknet that is the latest one at a time."""
    return (math.floor(at.timestamp()) - DRAND_GENESIS) // DRAND_PERIOD + 1


def build_key_string(sources: Sequence[tuple[bool, Sequence[str]]]) -> str:
    """Return the key string of RFC 3797; each source is whether it is drand, and its values."""
    parts = []
    for is_drand, values in sources:
        written = values if is_drand else [str(value) for value in sorted(map(int, values))]
        parts.append("".join(f"{value}." for value in written) + "/")
    return "".join(parts)


def select_by_rfc3797(pool: Sequence[str], removed: Sequence[int], key: str, selection: int) -> str:
    """Return a selection (from 0) from a pool without those at the removed places."""
    mark = selection.to_bytes(2, "big")
    digest = hashlib.md5(mark + key.encode("ascii") + mark).digest()  # noqa: S324 - as the RFC says
    place = int.from_bytes(digest, "big") % (len(pool) - len(removed))
    for gone in sorted(removed):
        if gone <= place:
            place += 1
    return pool[place]


def take_last_digits(value: str, *, width: int) -> str:
    """Return the last digits of a lottery's number."""
    return value.zfill(width)[-width:]


def select_next_sold(pool: Sequence[str], start: str, excluded: set[str], *, after: bool) -> str:
    """Return the first number of a pool upwards from `start`, wrapping, that is not excluded."""
    place = (bisect.bisect_right if after else bisect.bisect_left)(pool, start)
    for step in range(len(pool)):
        if (ticket := pool[(place + step) % len(pool)]) not in excluded:
            return ticket
    raise Wrong(DRAW, "all numbers of the list were drawn.")


def _contains(tickets: Sequence[str], ticket: str) -> bool:
    place = bisect.bisect_left(tickets, ticket)
    return place < len(tickets) and tickets[place] == ticket


@dataclass
class Drawing:
    """What attempts are computed from, and those that were checked so far."""

    draw: Any
    method: str
    tickets: Sequence[str]
    readings: dict[int, Reading]
    sources: list[Source]
    attempts: list[dict[str, Any]] = field(default_factory=list)

    def check(self, attempt: dict[str, Any]) -> str:
        """Check the next attempt; return it as a sentence."""
        prize, number = take(attempt, "prize", int), take(attempt, "number", str)
        inputs, at = take(attempt, "inputs", int), take_time(attempt, "at")
        name = f"Attempt {take(attempt, 'attempt', int)} for prize {prize}"
        valid = self.list_valid(inputs)
        self._check_place(name, attempt, valid)
        path = self.find_path(prize, attempt["attempt"], inputs)
        if not path or take(attempt, "readings", list) != [one.number for one in path]:
            raise Wrong(DRAW, f"{name} was not drawn from the values that decided.")
        for reading in path:
            if reading.confirmed_at is None or reading.confirmed_at > at or not reading.values:
                raise Wrong(DRAW, f"{name} came before reading {reading.number} was confirmed.")
            if take(self.draw, "two_people", bool) and reading.people < 2:  # noqa: PLR2004
                raise Wrong(DRAW, f"reading {reading.number} was confirmed by no second person.")
        computed = self.compute(attempt, path, valid)
        if computed != number:
            raise Wrong(DRAW, f"{name} gives {computed}, not {number}.")
        self.attempts.append(attempt)
        reason = attempt["reason"]
        return f"{name} gives {number}" + (f", drawn again: {reason}." if reason else ".")

    def list_valid(self, inputs: int) -> list[dict[str, Any]]:
        """Return the earlier attempts whose values were not void by then."""
        return [
            one
            for one in self.attempts
            if not any(self.readings[number].is_void(inputs) for number in one["readings"])
        ]

    def _check_place(self, name: str, attempt: dict[str, Any], valid: list[dict[str, Any]]) -> None:
        """Check that an attempt is the next one, and that a redraw has a reason."""
        prize, inputs = attempt["prize"], attempt["inputs"]
        reason = take_optional(attempt, "reason", str)
        former = [one for one in self.attempts if one["prize"] == prize]
        later = [one for one in self.attempts if one["inputs"] > inputs]
        if attempt["attempt"] != len(former) + 1 or later:
            raise Wrong(DRAW, f"{name} is out of order.")
        if take(attempt, "selection", int) != sum(one["inputs"] == inputs for one in self.attempts):
            raise Wrong(DRAW, f"{name} is not the next selection.")
        latest = {one["prize"]: one for one in self.attempts}
        drawn = {place for place, one in latest.items() if one in valid}
        prizes = range(1, len(take_rows(self.draw, "prizes")) + 1)
        pending = [place for place in prizes if place not in drawn]
        is_redraw = reason not in {None, "source_void"}
        if prize not in prizes or is_redraw == (prize in pending) or bool(reason) != bool(former):
            raise Wrong(DRAW, f"{name} has a reason that does not fit: {reason}.")
        if not is_redraw and prize != pending[0]:
            raise Wrong(DRAW, f"{name} is not of the next prize, which is {pending[0]}.")

    def find_path(self, prize: int, attempt: int, inputs: int) -> list[Reading]:
        """Return the readings that an attempt is drawn from; empty if something is missing."""
        if self.method == "public_value":
            paths = [source.find_path(inputs, None) for source in self.sources]
            return [path[0] for path in paths] if all(paths) else []
        if self.method == "lottery_digits":
            passes_on = take(self.draw, "unsold_rule", str) == "next_source_date"
            return self.sources[prize - 1].find_path(inputs, self.tickets if passes_on else None)
        stubs = [one for one in self.readings.values() if not one.is_void(inputs)]
        return [one for one in stubs if (one.prize, one.attempt) == (prize, attempt)][:1]

    def compute(
        self, attempt: dict[str, Any], path: Sequence[Reading], valid: list[dict[str, Any]]
    ) -> str:
        """Return the ticket number that the method gives for an attempt."""
        won = [one["number"] for one in valid]
        if len(won) >= len(self.tickets):
            raise Wrong(DRAW, "more numbers were drawn than are on the list.")
        if self.method == "public_value":
            removed = [bisect.bisect_left(self.tickets, number) for number in won]
            kinds = [source.is_drand for source in self.sources]
            key = build_key_string(list(zip(kinds, (reading.values for reading in path))))
            return select_by_rfc3797(self.tickets, removed, key, attempt["selection"])
        value = path[-1].values[0]
        if self.method == "lottery_digits":
            own = [one["number"] for one in valid if one["prize"] == attempt["prize"]]
            start = own[-1] if own else take_last_digits(value, width=len(self.tickets[0]))
            return select_next_sold(self.tickets, start, set(won), after=bool(own))
        if value in won or not _contains(self.tickets, value):
            raise Wrong(DRAW, f"the stub {value} is not on the list, or won already.")
        return value


def check_draw(draw: Any, tickets: Sequence[str]) -> list[str]:
    """Check the values, and recompute each attempt in its order."""
    readings, sealed_at = read_readings(draw), take_time(draw, "sealed_at")
    two_people = take(draw, "two_people", bool)
    sources = read_sources(draw, readings)
    for source in sources:
        source.check(sealed_at)
    for reading in readings.values():
        if reading.entered_at < sealed_at:
            raise Wrong(DRAW, f"reading {reading.number} was entered before the sealing.")
        by_one = reading.void_reason == "misread" and reading.confirmed_at is None
        if reading.void_reason and reading.void_people < 1 + two_people - by_one:
            raise Wrong(DRAW, f"reading {reading.number} was declared void by one person alone.")
    ended = [one.ended_inputs for one in readings.values() if one.ended_inputs is not None]
    if sorted(ended) != list(range(len(ended))):
        raise Wrong(DRAW, "values that were declared void after a draw are not counted in order.")
    drawing = Drawing(draw, take(draw, "method", str), tickets, readings, sources)
    facts = [f"The list was sealed at {sealed_at}; every value was published and entered later."]
    facts += [drawing.check(attempt) for attempt in take_rows(draw, "attempts")]
    return facts if drawing.attempts else [*facts, "Nothing was drawn yet."]


def list_look_ups(draw: Any) -> list[str]:
    """Return what nobody can compute: whether a source published these values, or none."""
    look_ups = []
    if not take(draw, "two_people", bool):
        look_ups.append("One person alone entered each value and declared values void.")
    for source in take_rows(draw, "sources"):
        for row in take_rows(source, "readings"):
            at = row["date"] if row["round"] is None else f"{row['date']}, round {row['round']}"
            look_ups.append(_describe_reading(row, f"{take(source, 'name', str)} of {at}"))
    for row in take_rows(draw, "stubs"):
        stub = f"The stub for prize {take(row, 'prize', int)}, attempt {take(row, 'attempt', int)}"
        look_ups.append(_describe_reading(row, stub))
    return look_ups


def _describe_reading(row: Any, name: str) -> str:
    values = " ".join(take(row, "values", list)) or "nothing"
    where = take(row, "link", str) or ("a photo" if row.get("photo_sha256") else "")
    said = f"{name}: {values}, as {where} shows." if where else f"{name}: {values}."
    void = take_optional(row, "void", dict)
    if void is None:
        return said
    reason = "misread" if take(void, "reason", str) == "misread" else "void at the source"
    return f"{said} It does not count; said to be {reason}: {take(void, 'comment', str)}"


def check_summary(files: dict[str, bytes], draw: Any) -> str:
    """Check that the summary has the counts and the winning numbers of the draw."""
    summary = read_json(SUMMARY, files[SUMMARY])
    latest = {attempt["prize"]: attempt["number"] for attempt in take_rows(draw, "attempts")}
    try:
        sold, printed = summary["tickets_sold"], summary["tickets_printed"]
        numbers = {prize["prize"]: prize["number"] for prize in summary["prizes"]}
        fits = sold == draw["count"] and printed - sold == summary["tickets_unsold"]
    except (TypeError, LookupError) as error:
        raise Wrong(SUMMARY, f"a value is missing: {error}") from error
    if not fits or {prize: number for prize, number in numbers.items() if number} != latest:
        raise Wrong(SUMMARY, f"its counts or winning numbers are not those of {DRAW}.")
    return f"Of {printed:,} tickets {sold:,} were sold."


# The whole record


def verify_record(path: Path, receipt: Receipt | None = None) -> Report:
    """Verify a record.

    Args:
        path: its ZIP, or the folder with its files.
        receipt: a buyer's receipt to look for.

    Raises:
        Unreadable: there is no record.

    """
    files, problems = load_files(path)
    report = verify_files(files, receipt)
    return Report(report.facts, problems + report.problems, report.look_ups)


def verify_files(files: dict[str, bytes], receipt: Receipt | None = None) -> Report:
    """Verify the files of a record, by their names."""
    report = Report()
    try:
        if SUMS in files:
            _try(report, check_sums, files)
        _verify_draw(files, report, receipt)
    except (ArithmeticError, LookupError, TypeError, ValueError, MemoryError) as error:
        report.problems.append(f"{DRAW}: a value is not one of a record: {error}")
    except Wrong as error:
        report.problems.append(str(error))
    return report


def _verify_draw(files: dict[str, bytes], report: Report, receipt: Receipt | None) -> None:
    """Verify what draw.json, list.txt and chain.txt say; a file that is wrong ends it."""
    draw = read_json(DRAW, files.get(DRAW, b""))
    if take(draw, "format", str) != "raffle-draw-1":
        raise Wrong(DRAW, "this is not a record that this program knows.")
    report.facts.append(f"{take(draw, 'title', str)}: {take(draw, 'reference', str)}")
    _try(report, check_rules, files, draw)
    tickets = check_list(files, draw)
    report.facts.append(
        f"The list has {len(tickets):,} sold numbers and the hash {draw['list_sha256'][:8]}…."
    )
    if CHAIN not in files:
        raise Wrong(CHAIN, "it is missing.")
    first_head = hash_text(f"raffle-chain-1\n{draw['reference']}\n{draw['rule_sha256']}\n")
    digits = take(draw, "ticket_digits", int)
    chain = read_chain(files[CHAIN], first_head=first_head, digits=digits, receipt=receipt)
    _try(report, check_chain, chain, draw, tickets)
    if receipt is not None:
        _try(report, check_receipt, chain, receipt)
    report.facts.extend(check_draw(draw, tickets))
    report.look_ups.extend(list_look_ups(draw))
    report.look_ups.extend(check_named_dates(draw, take_time(draw, "sealed_at")))
    if SUMMARY in files:
        report.facts.append(check_summary(files, draw))


def _try(report: Report, check: Any, *values: Any) -> None:
    """Add what a check says; if it fails, the next ones still run."""
    try:
        report.facts.append(check(*values))
    except Wrong as error:
        report.problems.append(str(error))


def describe_report(report: Report) -> str:
    """Return a report as lines of text without control characters."""
    lines = [*(f"holds  {fact}" for fact in report.facts)]
    lines += [f"look   {look_up}" for look_up in report.look_ups]
    lines += [f"WRONG  {problem}" for problem in report.problems]
    if not report.problems:
        lines.append(f"Everything holds. {HONEST_LIMIT}")
        lines.append("Look up yourself what begins with “look”: no program can.")
    return "\n".join("".join(c if c.isprintable() else "?" for c in line) for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify the record that the arguments name, print what holds, and return the exit code."""
    parser = argparse.ArgumentParser(description="Verify the draw of a raffle from its record.")
    parser.add_argument(
        "record", nargs="?", type=Path, default=Path(__file__).parent, help="ZIP or folder"
    )
    parser.add_argument(
        "--receipt", nargs="+", metavar=("ENTRY", "HEAD"), help="as in a buyer's message"
    )
    options = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        report = verify_record(options.record, parse_receipt(options.receipt))
    except Unreadable as error:
        print(error)
        return 2
    print(describe_report(report))
    return 1 if report.problems else 0


def parse_receipt(words: Sequence[str] | None) -> Receipt | None:
    """Return a receipt as people type it: 57 9f3a12c8, or 57 9f3a 12c8.

    Raises:
        Unreadable: it is none.

    """
    if not words:
        return None
    entry, head = words[0], "".join(words[1:]).lower()
    if is_not_ticket(entry, len(entry[:MAX_DIGITS] or "x")) or len(head) < HEAD_DIGITS:
        raise Unreadable("A receipt is the number of its entry and eight hex digits: 57 9f3a 12c8")
    return Receipt(int(entry), head[:HEAD_DIGITS])


if __name__ == "__main__":
    sys.exit(main())
