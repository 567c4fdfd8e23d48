"""Alarms about events that do not reach their endpoint."""

from datetime import datetime
from typing import assert_never

from django.db import transaction

from shared.events.services import deliveries
from shared.events.services.deliveries import AttemptResult, ClaimedDelivery, FailureConsequence
from shared.whatsapp.services import alarms


@transaction.atomic(durable=True)
def record_failed_attempt(
    claimed: ClaimedDelivery, *, answer: AttemptResult, now: datetime, jitter: float
) -> FailureConsequence:
    """Record a failed attempt, and sound an alarm if no other attempt follows.

    Alarms are about an endpoint, not about an event: an alarm is an event too, whose delivery may
    fail like any other, so an alarm for each event would never end.

    Args:
        claimed: the delivery that was attempted.
        answer: the result of the attempt.
        now: the time of the result.
        jitter: a random number between 0 and 1.

    Returns:
        The consequence; see `events.services.deliveries.record_failure`.

    """
    consequence = deliveries.record_failure(claimed, answer=answer, now=now, jitter=jitter)
    match consequence:
        case FailureConsequence.RETRIED | FailureConsequence.NOT_OURS:
            pass
        case FailureConsequence.GIVEN_UP:
            alarms.sound_alarm(
                build_alarm_key(claimed.endpoint_id),
                title=f"Events do not reach {claimed.endpoint}",
                detail=f"{answer.error} It was tried for two days and given up. Look at the "
                "endpoint, then send again what it missed from the list of deliveries.",
                now=now,
            )
        case FailureConsequence.GONE:
            alarms.sound_alarm(
                build_alarm_key(claimed.endpoint_id),
                title=f"Events are not sent to {claimed.endpoint} any more",
                detail=f"{answer.error} The endpoint is switched off and what waited for it has "
                "failed. Delete the endpoint, or correct its address and switch it on again.",
                now=now,
            )
        case _:
            assert_never(consequence)
    return consequence


def build_alarm_key(endpoint_id: int) -> str:
    """Return the key of the alarm about an endpoint."""
    return f"events_undelivered:{endpoint_id}"
