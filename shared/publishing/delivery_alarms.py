"""Events that do not reach their endpoint: the failed try, and the alarm, in one transaction."""

from datetime import datetime

from django.db import transaction

from shared.events.services import deliveries
from shared.events.services.deliveries import AttemptResult, ClaimedDelivery, FailureConsequence
from shared.whatsapp.services import alarms


@transaction.atomic(durable=True)
def record_failed_attempt(
    claimed: ClaimedDelivery, *, answer: AttemptResult, now: datetime, jitter: float
) -> FailureConsequence:
    """Record a failed try; see `events.services.deliveries.record_failure`.

    When an event is given up, or its endpoint switches itself off, a person is told. There is at
    most one open alarm an endpoint: an alarm is an event too, and that may fail like any other.
    """
    fate = deliveries.record_failure(claimed, answer=answer, now=now, jitter=jitter)
    if fate is FailureConsequence.GIVEN_UP:
        alarms.sound_alarm(
            build_alarm_key(claimed.endpoint_id),
            title=f"Events do not reach {claimed.endpoint}",
            detail=f"{answer.error} It was tried for two days and given up. Look at the endpoint, "
            "then send again what it missed from the list of deliveries.",
            now=now,
        )
    elif fate is FailureConsequence.GONE:
        alarms.sound_alarm(
            build_alarm_key(claimed.endpoint_id),
            title=f"Events are not sent to {claimed.endpoint} any more",
            detail=f"{answer.error} The endpoint is switched off and what waited for it has "
            "failed. Delete the endpoint, or correct its address and switch it on again.",
            now=now,
        )
    return fate


def build_alarm_key(endpoint_id: int) -> str:
    """Name the trouble with an endpoint."""
    return f"events_undelivered:{endpoint_id}"
