"""Tests of event deliveries: at least once per endpoint, independent of other endpoints."""

from datetime import timedelta
from itertools import accumulate
from typing import Any

import pytest

from shared.core.enums import EventDeliveryStatus
from shared.events.errors import DeliveryNotFound, DeliveryUnderWay
from shared.events.models import EventAttempt, EventDelivery
from shared.events.services import deliveries, endpoints
from shared.events.services.deliveries import (
    MAX_CONCURRENT_PER_ENDPOINT,
    MAX_RESPONSE_CHARACTERS,
    RETRY_WAITS,
    AttemptResult,
    FailureConsequence,
)
from tests.builders import MINUTE, NOON
from tests.integration.concurrency import repeat_at_once
from tests.integration.events.event_builders import (
    LEASE_FOR,
    NO_CONNECTION,
    SERVER_ERROR,
    SUCCESS,
    claim_deliveries,
    claim_delivery,
    create_delivery,
    create_endpoint,
    reload_delivery,
)

pytestmark = pytest.mark.django_db

STATUS = EventDeliveryStatus
GONE = AttemptResult(http_status=410, latency_ms=5, error="It answered 410 Gone.")


def fail_delivery(
    answer: AttemptResult = SERVER_ERROR, *, now: Any = NOON, jitter: float = 0.0
) -> FailureConsequence:
    """Record a failure of the only delivery that is due."""
    return deliveries.record_failure(claim_delivery(now=now), answer=answer, now=now, jitter=jitter)


class TestClaim:
    def test_gives_each_endpoint_its_own_lane(self) -> None:
        busy, idle, off = create_endpoint(), create_endpoint(), create_endpoint()
        for _ in range(MAX_CONCURRENT_PER_ENDPOINT + 2):
            for endpoint in (busy, idle, off):
                create_delivery(endpoint)
        endpoints.disable_endpoint(off.pk, reason="Switched off by rita.", now=NOON)

        claimed = claim_deliveries(busy={busy.pk: MAX_CONCURRENT_PER_ENDPOINT - 1})

        assert [each.endpoint_id for each in claimed].count(busy.pk) == 1
        assert [each.endpoint_id for each in claimed].count(idle.pk) == MAX_CONCURRENT_PER_ENDPOINT
        assert len(claimed) == MAX_CONCURRENT_PER_ENDPOINT + 1

    def test_gives_each_endpoint_its_first_before_any_gets_its_second(self) -> None:
        first, second = create_endpoint(), create_endpoint()
        for _ in range(3):
            create_delivery(first)
            create_delivery(second)

        assert {each.endpoint_id for each in claim_deliveries(limit=2)} == {first.pk, second.pk}

    def test_gives_only_what_is_due_and_the_longest_due_first(self) -> None:
        endpoint = create_endpoint()
        later = create_delivery(endpoint, next_attempt_at=NOON + MINUTE)
        now, before = (
            create_delivery(endpoint),
            create_delivery(endpoint, next_attempt_at=NOON - MINUTE),
        )

        assert [each.id for each in claim_deliveries(limit=1)] == [before.pk]
        assert [each.id for each in claim_deliveries()] == [now.pk]
        assert [each.id for each in claim_deliveries(now=NOON + MINUTE)] == [later.pk]

    def test_carries_all_that_sending_needs(self) -> None:
        endpoint = create_endpoint(header_name="X-N8N-Key", header_value="open sesame")
        delivery = create_delivery(endpoint)

        claimed = claim_delivery()

        assert (claimed.url, claimed.secret) == (endpoint.url, endpoint.secret)
        assert claimed.header == ("X-N8N-Key", "open sesame")
        assert claimed.event == delivery.event


@pytest.mark.django_db(transaction=True)
def test_two_gateways_never_claim_the_same() -> None:
    endpoint = create_endpoint()
    for _ in range(MAX_CONCURRENT_PER_ENDPOINT * 2):
        create_delivery(endpoint)

    claimed = [each.id for ids in repeat_at_once(4, lambda _: claim_deliveries()) for each in ids]

    assert len(claimed) == len(set(claimed)) >= MAX_CONCURRENT_PER_ENDPOINT


class TestRecording:
    def test_a_success_is_kept_with_its_try_and_the_beginning_of_the_answer(self) -> None:
        delivery = create_delivery(create_endpoint())
        answer = AttemptResult(
            http_status=202, latency_ms=12, body="a\0b" + "x" * 2 * MAX_RESPONSE_CHARACTERS
        )

        deliveries.record_success(claim_delivery(), answer=answer, now=NOON + MINUTE)

        kept = reload_delivery(delivery)
        assert (kept.status, kept.delivered_at) == (STATUS.DELIVERED, NOON + MINUTE)
        assert (kept.http_status, kept.latency_ms, kept.error) == (202, 12, "")
        assert kept.response == ("ab" + "x" * MAX_RESPONSE_CHARACTERS)[:MAX_RESPONSE_CHARACTERS]
        [tried] = kept.tries.all()
        assert (tried.at, tried.http_status, tried.latency_ms) == (NOON + MINUTE, 202, 12)
        assert claim_deliveries(now=NOON + timedelta(days=3)) == []

    def test_a_failure_is_tried_again_until_two_days_are_over(self) -> None:
        delivery = create_delivery(create_endpoint())

        now, waits = NOON, []
        while (fate := fail_delivery(now=now)) is FailureConsequence.RETRIED:
            next_attempt_at = reload_delivery(delivery).next_attempt_at
            assert next_attempt_at is not None
            waits.append(next_attempt_at - now)
            now = next_attempt_at

        assert fate is FailureConsequence.GIVEN_UP
        assert [wait.total_seconds() for wait in waits] == [
            10, 60, 300, 900, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400
        ]  # fmt: skip
        assert now - NOON > timedelta(hours=48)
        assert reload_delivery(delivery).status == STATUS.FAILED
        assert EventAttempt.objects.count() == len(RETRY_WAITS) + 1

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        ("answer", "jitter", "wait"),
        [
            (SERVER_ERROR, 1.0, timedelta(seconds=12.5)),
            (NO_CONNECTION, 0.0, timedelta(seconds=10)),
            (AttemptResult(http_status=404, latency_ms=1, error="x"), 0.0, timedelta(seconds=10)),
            (AttemptResult(http_status=400, latency_ms=1, error="x"), 0.0, timedelta(seconds=10)),
            (
                AttemptResult(http_status=429, latency_ms=1, error="x", retry_after=2 * MINUTE),
                0.0,
                2 * MINUTE,
            ),
            (
                AttemptResult(
                    http_status=503, latency_ms=1, error="x", retry_after=timedelta(days=9)
                ),
                0.0,
                timedelta(hours=24),
            ),
            (
                AttemptResult(http_status=503, latency_ms=1, error="x", retry_after=timedelta(0)),
                0.0,
                timedelta(seconds=10),
            ),
        ],
    )
    def test_waits_as_long_as_the_receiver_asks(
        self, answer: AttemptResult, jitter: float, wait: timedelta
    ) -> None:
        delivery = create_delivery(create_endpoint())

        assert fail_delivery(answer, jitter=jitter) is FailureConsequence.RETRIED

        kept = reload_delivery(delivery)
        assert (kept.next_attempt_at, kept.error) == (NOON + wait, answer.error)

    def test_410_switches_the_endpoint_off_and_fails_what_waits_for_it(self) -> None:
        endpoint, other = create_endpoint(), create_endpoint()
        refused = create_delivery(endpoint)
        claimed = claim_delivery()
        waiting, unconcerned = create_delivery(endpoint), create_delivery(other)

        fate = deliveries.record_failure(claimed, answer=GONE, now=NOON, jitter=0)

        assert fate is FailureConsequence.GONE
        endpoint.refresh_from_db()
        assert (endpoint.active, endpoint.disabled_at) == (False, NOON)
        assert "410" in endpoint.disabled_reason
        assert {reload_delivery(refused).status, reload_delivery(waiting).status} == {STATUS.FAILED}
        assert "410" in reload_delivery(waiting).error
        assert reload_delivery(unconcerned).status == STATUS.QUEUED

    def test_what_fails_while_its_endpoint_is_switched_off_waits_for_it(self) -> None:
        endpoint = create_endpoint()
        delivery = create_delivery(endpoint)
        claimed = claim_delivery()
        endpoints.disable_endpoint(endpoint.pk, reason="Switched off by rita.", now=NOON)

        deliveries.record_failure(claimed, answer=SERVER_ERROR, now=NOON, jitter=0)

        assert reload_delivery(delivery).status == STATUS.QUEUED
        assert claim_deliveries(now=NOON + MINUTE) == []
        endpoints.enable_endpoint(endpoint.pk)
        assert claim_delivery(now=NOON + MINUTE).id == delivery.pk

    def test_nothing_is_noted_of_an_endpoint_that_was_deleted_meanwhile(self) -> None:
        endpoint = create_endpoint()
        create_delivery(endpoint)
        claimed = claim_delivery()
        endpoints.delete_endpoint(endpoint.pk, now=NOON)

        deliveries.record_success(claimed, answer=SUCCESS, now=NOON)
        for answer in (SERVER_ERROR, GONE):
            fate = deliveries.record_failure(claimed, answer=answer, now=NOON, jitter=0)
            assert fate is FailureConsequence.NOT_OURS

        assert not EventDelivery.objects.exists()
        assert not EventAttempt.objects.exists()


class TestLeases:
    def test_whoever_dies_leaves_it_to_the_next_after_a_minute(self) -> None:
        delivery = create_delivery(create_endpoint())
        dead = claim_delivery()

        assert deliveries.expire_leases(NOON + LEASE_FOR) == 0
        assert deliveries.expire_leases(NOON + LEASE_FOR + MINUTE) == 1

        alive = claim_delivery(now=NOON + 3 * MINUTE)
        deliveries.record_success(dead, answer=SUCCESS, now=NOON)  # too late: the lease has ended
        assert reload_delivery(delivery).status == STATUS.SENDING
        deliveries.record_success(alive, answer=SUCCESS, now=NOON + 3 * MINUTE)
        assert [bool(tried.error) for tried in delivery.tries.all()] == [True, False]

    def test_what_is_given_back_is_tried_at_once_and_counts_as_no_try(self) -> None:
        delivery = create_delivery(create_endpoint())

        deliveries.release_deliveries([claim_delivery()], now=NOON)

        assert claim_delivery().attempts == 0
        assert not delivery.tries.exists()


class TestResend:
    @pytest.mark.parametrize("status", [STATUS.QUEUED, STATUS.DELIVERED, STATUS.FAILED])
    def test_starts_anew_and_keeps_the_tries(self, status: EventDeliveryStatus) -> None:
        delivery = create_delivery(create_endpoint())
        deliveries.record_success(claim_delivery(), answer=SUCCESS, now=NOON)
        EventDelivery.objects.update(status=status, attempts=5, next_attempt_at=None)

        deliveries.resend_delivery(delivery.pk, now=NOON + MINUTE)

        claimed = claim_delivery(now=NOON + MINUTE)
        assert (claimed.id, claimed.attempts) == (delivery.pk, 0)
        assert delivery.tries.count() == 1
        kept = reload_delivery(delivery)
        assert (kept.http_status, kept.response, kept.delivered_at) == (None, "", None)

    def test_refuses_what_is_under_way_or_unknown(self) -> None:
        delivery = create_delivery(create_endpoint())
        claim_delivery()

        with pytest.raises(DeliveryUnderWay):
            deliveries.resend_delivery(delivery.pk, now=NOON)
        with pytest.raises(DeliveryNotFound):
            deliveries.resend_delivery(delivery.pk + 1, now=NOON)


@pytest.mark.same_everywhere
def test_the_waits_grow_to_more_than_two_days() -> None:
    assert list(RETRY_WAITS) == sorted(RETRY_WAITS)
    assert list(accumulate(RETRY_WAITS, initial=timedelta(0)))[-1] > timedelta(hours=48)
