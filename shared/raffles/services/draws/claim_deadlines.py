"""Deadlines of claims: the end of a day in the time zone of the raffle."""

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.raffles.draws.draw_models import DrawResult
from shared.raffles.services.draws import draw_rules

LAST_SECOND: Final = time(23, 59, 59)


def compute_claim_deadline(result: DrawResult) -> datetime:
    """Return the last second in which the prize of a result can be claimed: a day's end.

    The day is that of the raffle's time zone, in which buyers read the rules.
    """
    rules = draw_rules.load_frozen_rules(result.raffle_id)
    return compute_claim_end(
        result.at, claim_days=rules.claim_days, time_zone=result.raffle.time_zone
    )


def compute_claim_end(drawn_at: datetime, *, claim_days: int, time_zone: str) -> datetime:
    """Return the last second in which a prize can be claimed.

    Args:
        drawn_at: time of the draw.
        claim_days: days within which it is claimed.
        time_zone: IANA name of the raffle's time zone.

    """
    zone = ZoneInfo(time_zone)
    day = drawn_at.astimezone(zone).date() + timedelta(days=claim_days)
    return datetime.combine(day, LAST_SECOND, tzinfo=zone)
