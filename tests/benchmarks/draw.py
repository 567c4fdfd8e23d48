"""Benchmark of a draw from a sealed list of a million numbers, and of a prize drawn again."""

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.benchmarks.support import databases, memory
from tests.benchmarks.support.figures import Figure, Options, Results, WrongResult, at_most
from tests.benchmarks.support.other_writer import Milliseconds, compute_p99, run_writer
from tests.benchmarks.support.rounds import compute_median, interleave
from tests.benchmarks.support.sold_raffle import DRAW_AT, SOLD_AT

if TYPE_CHECKING:
    from shared.raffles.models import Raffle

NUMBERS: Final = 1_000_000
ROUNDS: Final = 5
PRIZES: Final = ("a motorbike", "a helmet", "a pair of gloves")
SECONDS: Final = 2.0
OTHERS_P99_MS: Final = 250.0
VALUE: Final = "ab" * 32


@dataclass(frozen=True, slots=True)
class DrawTimes:
    """Seconds of one draw: the preview, the draw of all prizes, and the redraw of one."""

    preview: float
    draw: float
    redraw: float


def run(options: Options) -> list[Figure]:
    """Draw several raffles of so many sold numbers, alone and beside two writers.

    Raises:
        WrongResult: the winners are not those of RFC 3797.

    """
    numbers = 10_000 if options.quick else NUMBERS
    rounds = 1 if options.quick else ROUNDS
    expected = select_by_hand(numbers, times=len(PRIZES) + 1)
    with databases.create_database(options.database):
        raffles = [create_sealed_raffle(numbers) for _ in range(2 * rounds + 1)]
        others: list[Milliseconds] = []
        with run_writer() as writer:

            def draw_beside(_: int) -> DrawTimes:
                writer.start()
                try:
                    return time_draw(raffles.pop(), expected=expected)
                finally:
                    others.append(writer.stop())

            measured = interleave(
                {
                    "alone": lambda _: time_draw(raffles.pop(), expected=expected),
                    "beside": draw_beside,
                },
                rounds=rounds,
            )
        peak = memory.measure_peak(lambda: time_draw(raffles.pop(), expected=expected))
    results = Results("draw", options.database)
    alone = measured["alone"]
    results.add(
        f"{len(PRIZES)} prizes of {numbers:,} sold numbers",
        compute_median(alone, lambda each: each.draw),
        "s",
        goal=at_most(SECONDS),
    )
    results.add("its preview", compute_median(alone, lambda each: each.preview), "s")
    results.add("one prize drawn again", compute_median(alone, lambda each: each.redraw), "s")
    results.add(
        "the draw beside another writer",
        compute_median(measured["beside"], lambda each: each.draw),
        "s",
    )
    waits = [each for one in others for each in one]
    results.add(
        "another writer meanwhile, p99", compute_p99(waits), "ms", goal=at_most(OTHERS_P99_MS)
    )
    results.add("another writer meanwhile, slowest", max(waits), "ms")
    results.add("memory on top, at most", peak, "MiB")
    return results.figures


def select_by_hand(numbers: int, *, times: int) -> list[int]:
    """Return the first selections of RFC 3797 among the numbers from 1."""
    left, selected = list(range(1, numbers + 1)), []
    for selection in range(times):
        mark = bytes([0, selection])
        digest = hashlib.md5(mark + f"{VALUE}./".encode() + mark).digest()
        selected.append(left.pop(int.from_bytes(digest, "big") % len(left)))
    return selected


def create_sealed_raffle(numbers: int) -> "Raffle":
    """Create a raffle whose list is sealed and whose value is entered, without its orders."""
    from django.db import transaction

    from shared.core.enums import ActorKind, RaffleStatus
    from shared.raffles import receipt_lines
    from shared.raffles.draws.draw_models import DrawSource, SealedList
    from shared.raffles.models import Raffle
    from shared.raffles.services.draws import draw_rules, source_dates, source_readings
    from shared.raffles.services.draws.draw_rules import ChosenRules
    from tests import builders

    actor = builders.build_staff_actor()
    raffle = builders.create_raffle(numbers=numbers, with_numbers=False, draw_at=DRAW_AT)
    draw_rules.save_rules(raffle.pk, ChosenRules(prizes=PRIZES), by=actor, now=SOLD_AT)
    raffle.refresh_from_db()
    with transaction.atomic():
        draw_rules.freeze_rules(raffle, by=actor, now=SOLD_AT)
    sold = receipt_lines.build_list(
        raffle.format_ticket_number(number) for number in range(1, numbers + 1)
    )
    SealedList.objects.create(
        raffle=raffle,
        numbers=sold,
        sha256=receipt_lines.hash_list(sold),
        count=numbers,
        unsold=0,
        chain_head="0" * 64,
        chain_length=1,
        two_people=False,
        sources=[
            source_dates.describe_date(source, DRAW_AT, index=0)
            for source in DrawSource.objects.filter(raffle=raffle)
        ],
        sealed_at=SOLD_AT,
        by_kind=ActorKind.STAFF,
    )
    Raffle.objects.filter(pk=raffle.pk).update(status=RaffleStatus.SEALED)
    source_readings.enter_values(
        raffle.pk,
        position=1,
        values=[VALUE],
        link="https://example.com/round",
        by=actor,
        now=DRAW_AT,
    )
    raffle.refresh_from_db()
    return raffle


def time_draw(raffle: "Raffle", *, expected: list[int]) -> DrawTimes:
    """Draw all prizes and the first one again, and return the seconds of each step.

    Raises:
        WrongResult: the winners are not the expected ones.

    """
    from shared.core.enums import RedrawReason
    from shared.raffles.draws.draw_models import SealedList
    from shared.raffles.services.draws import drawing
    from tests.builders import build_staff_actor

    actor = build_staff_actor()
    began = time.perf_counter()
    inputs = drawing.load_inputs(raffle, SealedList.objects.defer("numbers").get(raffle=raffle))
    shown = time.perf_counter()
    drawn = drawing.draw(raffle.pk, fingerprint=inputs.fingerprint, by=actor, now=DRAW_AT)
    done = time.perf_counter()
    again = drawing.redraw(
        drawn.results[0].pk,
        reason=RedrawReason.DECLINED,
        comment="does not want it",
        by=actor,
        now=DRAW_AT,
    )
    redrawn = time.perf_counter()
    if [result.number for result in (*drawn.results, again)] != expected:
        raise WrongResult("the winners are not those of RFC 3797")
    return DrawTimes(preview=shown - began, draw=done - shown, redraw=redrawn - done)
