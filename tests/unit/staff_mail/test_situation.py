"""Tests of the decision whether staff must be told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.staff_mail import situation
from shared.staff_mail.situation import (
    DueDraw,
    MailRules,
    Memory,
    OpenAlarm,
    Situation,
    WaitingProofs,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
RULES = MailRules(proof_wait=15 * MINUTE, repeat_after=4 * HOUR)
PROOFS = WaitingProofs(2, NOON - 20 * MINUTE, NOON - MINUTE, "UTC", (("Summer Raffle", 2),))
DRAW = DueDraw(7, "Summer Raffle", NOON - HOUR, "UTC", 0)
ALARM = OpenAlarm(3, "Sending is paused")
FULL = Situation(PROOFS, (DRAW,), (ALARM,))
TOLD = Memory(FULL.keys, proofs_until=PROOFS.newest, proofs_at=NOON - HOUR, sent_at=NOON - HOUR)


def is_news(found: Situation, memory: Memory) -> bool:
    return situation.is_news(found, memory, rules=RULES, now=NOON)


@pytest.mark.parametrize(
    ("found", "memory", "told"),
    [
        (Situation(), Memory(), False),
        (Situation(proofs=PROOFS), Memory(), True),
        (Situation(draws=(DRAW,)), Memory(), True),
        (Situation(alarms=(ALARM,)), Memory(), True),
        (FULL, TOLD, False),
        (Situation(draws=(DRAW,)), TOLD, False),
        (replace(FULL, draws=(replace(DRAW, draw_at=NOON),)), TOLD, True),
        (replace(FULL, alarms=(ALARM, OpenAlarm(4, "Another"))), TOLD, True),
        # One more proof joins those that were told of: no e-mail for each.
        (replace(FULL, proofs=replace(PROOFS, count=9, newest=NOON)), TOLD, False),
        # All that were told of are decided, and another one waits too long.
        (replace(FULL, proofs=replace(PROOFS, oldest=NOON - 30 * 1e-6 * MINUTE)), TOLD, True),
        (FULL, replace(TOLD, proofs_at=NOON - 4 * HOUR), True),
        (Situation(draws=(DRAW,)), replace(TOLD, proofs_at=NOON - 4 * HOUR), False),
        (FULL, Memory(sent_at=NOON - 14 * MINUTE), False),
        (FULL, Memory(sent_at=NOON - 15 * MINUTE), True),
    ],
)
def test_tells_what_is_new_and_repeats_only_proofs(
    found: Situation, memory: Memory, told: bool
) -> None:
    assert is_news(found, memory) is told


def test_nobody_is_told_of_what_they_may_not_decide() -> None:
    reviewer = FULL.restrict(lambda permission: permission == situation.PROOFS_PERMISSION)
    nobody = FULL.restrict(lambda _: False)

    assert reviewer == Situation(proofs=PROOFS)
    assert nobody.is_quiet
