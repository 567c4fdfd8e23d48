"""The situation that staff are told about, as frozen values, and whether it is news. No I/O."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

PAUSE_BETWEEN_MAILS: Final = timedelta(minutes=15)
"""Time in which nobody gets a second e-mail, however much happens."""

PROOFS_PERMISSION: Final = "raffles.change_order"
DRAWS_PERMISSION: Final = "raffles.change_raffle"
ALARMS_PERMISSION: Final = "whatsapp.change_alarm"


@dataclass(frozen=True, slots=True)
class MailRules:
    """When staff are told.

    Attributes:
        proof_wait: how long a proof waits before staff are told.
        repeat_after: how long after an e-mail about proofs that still wait the next one follows.

    """

    proof_wait: timedelta
    repeat_after: timedelta


@dataclass(frozen=True, slots=True)
class WaitingProofs:
    """Orders that wait for a decision about their proof; the first waits for too long.

    Attributes:
        count: the number of orders.
        oldest: when the longest wait began.
        newest: when the shortest wait began.
        time_zone: IANA name of the time zone of the oldest order's raffle.
        by_raffle: title of each raffle with its count of orders.

    """

    count: int
    oldest: datetime
    newest: datetime
    time_zone: str
    by_raffle: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class DueDraw:
    """A raffle whose draw is due; without `draw_at` it is drawn because it is sold out."""

    raffle_id: int
    title: str
    draw_at: datetime | None
    time_zone: str
    reviews: int

    @property
    def key(self) -> str:
        """What makes it news: a raffle whose draw was moved is told again."""
        return f"draw:{self.raffle_id}:{self.draw_at.isoformat() if self.draw_at else 'sold out'}"


@dataclass(frozen=True, slots=True)
class OpenAlarm:
    """An alarm that nobody has resolved."""

    alarm_id: int
    title: str

    @property
    def key(self) -> str:
        """What makes it news; the same problem later has another alarm."""
        return f"alarm:{self.alarm_id}"


@dataclass(frozen=True, slots=True)
class Situation:
    """All that staff may be told of now; `proofs` is None unless one waits for too long."""

    proofs: WaitingProofs | None = None
    draws: tuple[DueDraw, ...] = ()
    alarms: tuple[OpenAlarm, ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the draws and alarms."""
        return frozenset([draw.key for draw in self.draws] + [alarm.key for alarm in self.alarms])

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to tell."""
        return self == Situation()

    def restrict(self, may: Callable[[str], bool]) -> "Situation":
        """Return the part that a person may see; `may` tells whether they have a permission."""
        return replace(
            self,
            proofs=self.proofs if may(PROOFS_PERMISSION) else None,
            draws=self.draws if may(DRAWS_PERMISSION) else (),
            alarms=self.alarms if may(ALARMS_PERMISSION) else (),
        )


@dataclass(frozen=True, slots=True)
class Memory:
    """What a person was told so far; see the fields of `StaffMailbox`."""

    told: frozenset[str] = frozenset()
    proofs_until: datetime | None = None
    proofs_at: datetime | None = None
    sent_at: datetime | None = None


def is_news(situation: Situation, memory: Memory, *, rules: MailRules, now: datetime) -> bool:
    """Return whether a person must be told.

    News are draws and alarms that they have not been told of, proofs that wait although all of
    which they were told are decided, and, after a while, proofs that still wait.

    Args:
        situation: what the person may see.
        memory: what they were told so far.
        rules: the waiting times.
        now: the current time.

    """
    if memory.sent_at is not None and now - memory.sent_at < PAUSE_BETWEEN_MAILS:
        return False
    return not situation.keys <= memory.told or _are_proofs_news(
        situation.proofs, memory, rules=rules, now=now
    )


def _are_proofs_news(
    proofs: WaitingProofs | None, memory: Memory, *, rules: MailRules, now: datetime
) -> bool:
    if proofs is None:
        return False
    if memory.proofs_at is None or memory.proofs_until is None:
        return True
    return proofs.oldest > memory.proofs_until or now - memory.proofs_at >= rules.repeat_after
