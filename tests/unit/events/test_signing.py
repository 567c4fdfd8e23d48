"""Tests of both signatures of an event, as a receiver verifies them."""

import hashlib
import hmac
from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from shared.events import signing

SECRET = "whsec_" + b64encode(b"0123456789abcdef0123456789abcdef").decode()
BODY = '{"type":"order.paid","name":"Zoë 🎟"}'.encode()


def test_the_simple_signature_is_made_with_the_whole_text_of_the_secret() -> None:
    headers = signing.build_signature_headers(
        SECRET, event_id="evt_1", body=BODY, now=datetime.now(UTC)
    )

    expected = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
    assert headers["X-Raffle-Signature"] == f"sha256={expected}"


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-5))])
def test_a_library_of_standard_webhooks_accepts_the_others(zone: timezone) -> None:
    headers = signing.build_signature_headers(
        SECRET, event_id="evt_1", body=BODY, now=datetime.now(zone)
    )

    assert headers["webhook-id"] == "evt_1"
    assert Webhook(SECRET).verify(BODY, headers)["type"] == "order.paid"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY + b" ", headers)


def test_agrees_with_the_example_of_the_specification() -> None:
    """Source: the test vector in the README of standard-webhooks/standard-webhooks."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = signing.build_signature_headers(
        secret,
        event_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        body=b'{"test": 2432232314}',
        now=datetime.fromtimestamp(1614265330, UTC),
    )

    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
