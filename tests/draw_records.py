"""Records of draws that never were in a database, for tests over many of them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from shared.core.enums import (
    ActorKind,
    DrawMethod,
    RaffleStatus,
    RedrawReason,
    SourceKind,
    UnsoldRule,
    VoidReason,
)
from shared.raffles import receipt_lines
from shared.raffles.draws import draw_methods
from shared.raffles.draws.draw_models import (
    DrawResult,
    DrawRules,
    DrawSource,
    Prize,
    SealedList,
    SourceReading,
)
from shared.raffles.models import Raffle
from shared.raffles.services.draws import rule_text, source_dates
from shared.raffles.services.draws.records import draw_document
from shared.raffles.services.draws.records.record_state import RecordState
from tests.builders import NOON

SEALED_AT = NOON + timedelta(hours=1)
DRAWN_AT = NOON + timedelta(days=20_000)


@dataclass
class SampleDraw:
    """A raffle that is sold, sealed, drawn and partly drawn again, all by chance and in memory."""

    rng: random.Random
    method: DrawMethod
    raffle: Raffle
    rules: DrawRules
    prizes: list[Prize]
    sources: list[DrawSource]
    tickets: list[str]
    chain: bytes = b""
    sealed: SealedList = field(default_factory=SealedList)
    readings: list[SourceReading] = field(default_factory=list)
    results: list[DrawResult] = field(default_factory=list)

    def build_files(self) -> dict[str, bytes]:
        """Return the public files that everything is computed from."""
        state = RecordState(
            raffle=self.raffle,
            rules=self.rules,
            sealed=self.sealed,
            prizes=self.prizes,
            sources=self.sources,
            readings=self.readings,
            photo_hashes={},
            results=self.results,
            claims={},
            refunds=[],
            money={},
        )
        document = draw_document.build_draw_document(state)
        return {
            "draw.json": draw_document.write_json(document),
            "list.txt": receipt_lines.build_list(self.tickets),
            "chain.txt": self.chain,
        }

    def read_source(self, source: DrawSource, *, values: Sequence[str]) -> SourceReading:
        """Add values of the date that decides now."""
        index = _find_index(self, source)
        at = source_dates.compute_date(source, self.raffle, sealed_at=SEALED_AT, index=index)
        return self._add(SourceReading(source=source, date_index=index, at=at, values=list(values)))

    def read_stub(self, prize: Prize, ticket: str) -> SourceReading:
        """Add a stub for the next attempt of a prize."""
        attempt = 1 + sum(result.prize_id == prize.pk for result in self.results)
        return self._add(SourceReading(prize=prize, attempt=attempt, values=[ticket]))

    def _add(self, reading: SourceReading) -> SourceReading:
        reading.pk = len(self.readings) + 101
        reading.entered_at = reading.confirmed_at = DRAWN_AT
        reading.entered_kind = reading.confirmed_kind = ActorKind.STAFF
        reading.entered_id, reading.confirmed_id = "7", "8"
        self.readings.append(reading)
        return reading

    def void(self, reading: SourceReading, reason: VoidReason) -> None:
        """Declare values void."""
        used = any(reading.pk in result.how["readings"] for result in self.results)
        reading.void_reason, reading.void_comment = reason, "seen twice"
        reading.voided_at = DRAWN_AT + timedelta(minutes=len(self.results))
        reading.void_of_draw, reading.void_proposed_at = used, DRAWN_AT

    def add_result(
        self, prize: Prize, ticket: str, readings: Sequence[SourceReading], reason: str
    ) -> None:
        """Add a result."""
        inputs = sum(reading.void_of_draw for reading in self.readings)
        self.results.append(
            DrawResult(
                pk=len(self.results) + 1,
                prize=prize,
                attempt=1 + sum(result.prize_id == prize.pk for result in self.results),
                inputs=inputs,
                selection=sum(result.inputs == inputs for result in self.results),
                number=int(ticket),
                how={"readings": [reading.pk for reading in readings]},
                reason=reason,
                at=DRAWN_AT + timedelta(minutes=len(self.results)),
            )
        )

    def list_current(self) -> list[SourceReading]:
        """Return the latest reading of each source."""
        latest = {reading.source_id: reading for reading in self.readings}
        return [latest[source.pk] for source in self.sources]

    def draw(self, prize: Prize, *, reason: str) -> None:
        """Draw a prize with the product's functions."""
        void = {reading.pk for reading in self.readings if reading.void_of_draw}
        valid = [result for result in self.results if void.isdisjoint(result.how["readings"])]
        won = {self.raffle.format_ticket_number(result.number): result for result in valid}
        match self.method:
            case DrawMethod.PUBLIC_VALUE:
                current = self.list_current()
                key = draw_methods.build_key_string(
                    [
                        (SourceKind(source.kind), reading.values)
                        for source, reading in zip(self.sources, current, strict=True)
                    ]
                )
                removed = [self.tickets.index(ticket) for ticket in won]
                selected = draw_methods.select_by_rfc3797(
                    self.tickets, key_string=key, removed=removed, selection=len(won)
                )
                self.add_result(prize, selected.ticket, current, reason)
            case DrawMethod.LOTTERY_DIGITS:
                counting = [
                    reading
                    for reading in self.readings
                    if reading.source_id == prize.position and reading.voided_at is None
                ]
                own = [ticket for ticket, result in won.items() if result.prize_id == prize.pk]
                digits = draw_methods.take_last_digits(
                    counting[-1].values[0], width=self.raffle.width
                )
                found = draw_methods.select_next_sold(
                    self.tickets, start=own[-1] if own else digits, excluded=won, after=bool(own)
                )
                assert found is not None
                self.add_result(prize, found.ticket, counting, reason)
            case DrawMethod.RECORDED_DRUM:
                ticket = self.rng.choice([one for one in self.tickets if one not in won])
                self.add_result(prize, ticket, [self.read_stub(prize, ticket)], reason)


def build_sample_draw(seed: int) -> SampleDraw:
    """Return a draw of a method, size, prizes and redraws that depend on the seed alone."""
    rng = random.Random(seed)
    method = rng.choice(list(DrawMethod))
    size = rng.choice([3, 10, 40, 100, 300, 1_000])
    raffle = Raffle(
        pk=seed + 1,
        title=rng.choice(["Summer Raffle", "Día de Reyes", "夏祭り"]),
        prize="a motorbike",
        price=Decimal(5),
        number_count=size,
        first_number=rng.choice([0, 1]),
        draw_at=NOON + timedelta(hours=9),
        draw_method=method,
        status=RaffleStatus.DRAWN,
    )
    count = min(rng.choice([1, 1, 2, 3, 5]), size // 2 or 1)
    prizes = [
        Prize(pk=place, position=place, title=f"cafe\u0301 {place}")
        for place in range(1, count + 1)
    ]
    rules = DrawRules(claim_days=30, unsold_rule=rng.choice(list(UnsoldRule)))
    sources = _choose_sources(rng, method, raffle, count=count)
    rules.text = rule_text.build_rule_text(
        raffle, rules, method=method, sources=sources, prizes=[prize.title for prize in prizes]
    )
    rules.sha256 = receipt_lines.hash_rule_text(rules.text)
    tickets = sorted(
        rng.sample(
            [raffle.format_ticket_number(raffle.first_number + place) for place in range(size)],
            rng.randint(2 * count, size),
        )
    )
    sample = SampleDraw(rng, method, raffle, rules, prizes, sources, tickets)
    _seal(sample)
    _draw_all(sample)
    return sample


def _choose_sources(
    rng: random.Random, method: DrawMethod, raffle: Raffle, *, count: int
) -> list[DrawSource]:
    if method is DrawMethod.RECORDED_DRUM:
        return []
    if method is DrawMethod.LOTTERY_DIGITS:
        return [
            DrawSource(
                pk=place,
                position=place,
                kind=SourceKind.LOTTERY,
                name=f"Lotería {place}",
                at=NOON + timedelta(hours=8 + place),
                repeat_days=7,
                highest=10 ** (raffle.width + 1) - 1,
            )
            for place in range(1, count + 1)
        ]
    drand: dict[str, Any] = {"kind": SourceKind.DRAND, "name": "drand quicknet"}
    lotto: dict[str, Any] = {
        "kind": SourceKind.LOTTERY,
        "name": "Lotto",
        "value_count": 6,
        "lowest": 1,
        "highest": 49,
        "at": NOON + timedelta(hours=rng.choice([-50, 8])),
        "repeat_days": 3,
    }
    chosen = rng.choice([[drand], [lotto], [drand, lotto], [lotto, lotto]])
    return [
        DrawSource(pk=place, position=place, **fields) for place, fields in enumerate(chosen, 1)
    ]


def _seal(sample: SampleDraw) -> None:
    """Sell the tickets by the receipt chain, with voids, and seal the list."""
    reference = receipt_lines.build_raffle_reference(sample.raffle.pk)
    head = receipt_lines.compute_first_head(reference, sample.rules.sha256)
    left, lines = list(sample.tickets), list[str]()
    sample.rng.shuffle(left)
    while left:
        order = sorted(left[: sample.rng.randint(1, 5)])
        lines.append(receipt_lines.build_sale_line(len(lines) + 1, order))
        if sample.rng.random() < 0.1:
            lines.append(receipt_lines.build_void_line(len(lines) + 1, voided=len(lines)))
        else:
            left = [ticket for ticket in left if ticket not in order]
    for line in lines:
        head = receipt_lines.compute_head(head, line)
    sample.chain = "".join(lines).encode()
    numbers = receipt_lines.build_list(sample.tickets)
    sample.sealed = SealedList(
        raffle=sample.raffle,
        sha256=receipt_lines.hash_list(numbers),
        count=len(sample.tickets),
        chain_head=head,
        chain_length=len(lines),
        two_people=True,
        sources=[_describe_first_date(sample, source) for source in sample.sources],
        sealed_at=SEALED_AT,
    )


def _describe_first_date(sample: SampleDraw, source: DrawSource) -> dict[str, object]:
    index = source_dates.find_first_date(source, sample.raffle, sealed_at=SEALED_AT)
    at = source_dates.compute_date(source, sample.raffle, sealed_at=SEALED_AT, index=index)
    return source_dates.describe_date(source, at, index=index)


def _find_index(sample: SampleDraw, source: DrawSource) -> int:
    """Return the index of the date that decides: the next one after a void or unsold one."""
    index = source_dates.find_first_date(source, sample.raffle, sealed_at=SEALED_AT)
    for reading in sample.readings:
        if reading.source_id == source.pk and reading.void_reason != VoidReason.MISREAD:
            index = reading.date_index + 1
    return index


def _draw_all(sample: SampleDraw) -> None:
    for source in sample.sources:
        _read_values(sample, source)
    for prize in sample.prizes:
        sample.draw(prize, reason="")
    _redraw_some(sample)
    if sample.sources and sample.rng.random() < 0.3:
        first = sample.list_current()[0]
        sample.void(first, sample.rng.choice(list(VoidReason)))
        _read_values(sample, sample.sources[0])
        public = sample.method is DrawMethod.PUBLIC_VALUE
        for prize in sample.prizes if public else sample.prizes[:1]:
            sample.draw(prize, reason=RedrawReason.SOURCE_VOID)
        _redraw_some(sample)


def _redraw_some(sample: SampleDraw) -> None:
    reasons = [reason for reason in RedrawReason if reason is not RedrawReason.SOURCE_VOID]
    for _ in range(sample.rng.choice([0, 0, 1, 3])):
        inputs = sum(reading.void_of_draw for reading in sample.readings)
        drawn = sum(result.inputs == inputs for result in sample.results)
        if drawn + len(sample.prizes) < len(sample.tickets):
            sample.draw(sample.rng.choice(sample.prizes), reason=sample.rng.choice(reasons))


def _read_values(sample: SampleDraw, source: DrawSource) -> None:
    """Read the source until a value counts: some are misread, some are of unsold numbers."""
    while True:
        reading = sample.read_source(source, values=_choose_values(sample, source))
        if sample.rng.random() < 0.1:
            sample.void(reading, sample.rng.choice(list(VoidReason)))
            continue
        passes_on = (
            sample.method is DrawMethod.LOTTERY_DIGITS
            and sample.rules.unsold_rule == UnsoldRule.NEXT_SOURCE_DATE
        )
        digits = draw_methods.take_last_digits(reading.values[0], width=sample.raffle.width)
        if not passes_on or digits in sample.tickets:
            return


def _choose_values(sample: SampleDraw, source: DrawSource) -> list[str]:
    rng = sample.rng
    if source.kind == SourceKind.DRAND:
        return [f"{rng.getrandbits(256):064x}"]
    if sample.method is DrawMethod.LOTTERY_DIGITS and rng.random() < 0.6:
        return [f"{rng.randrange(10)}{rng.choice(sample.tickets)}"]
    drawn = rng.sample(range(source.lowest, source.highest + 1), source.value_count)
    return [f"{value:02d}" for value in drawn]
