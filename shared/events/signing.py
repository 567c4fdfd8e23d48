"""Signatures of events, by which a receiver knows that a body is genuine and complete."""

import hmac
from datetime import UTC, datetime
from typing import Final

from standardwebhooks import Webhook

SIGNATURE_HEADER: Final = "X-Raffle-Signature"
"""A header that is easy to verify by hand, e.g. with n8n's Crypto node."""


def build_signature_headers(
    secret: str, *, event_id: str, body: bytes, now: datetime
) -> dict[str, str]:
    """Return the headers that sign a body.

    `X-Raffle-Signature` is `sha256=` and the HMAC-SHA256 of the raw body in hex; its key is the
    text of the secret in UTF-8, including `whsec_`. The others are the headers of Standard
    Webhooks, whose key is the decoded Base64 of the secret.

    Args:
        secret: the secret of the endpoint, `whsec_…`.
        event_id: the id of the event, the same for each attempt.
        body: exactly the bytes that are sent.
        now: the time of this attempt; receivers may refuse one older than five minutes.

    Returns:
        The values of the headers by their names.

    Raises:
        ValueError: the secret is not Base64 after its `whsec_`.

    Source: the specification of Standard Webhooks, "Webhook Headers", "Signature scheme".

    """
    moment = now.astimezone(UTC)
    return {
        SIGNATURE_HEADER: f"sha256={hmac.digest(secret.encode(), body, 'sha256').hex()}",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(event_id, moment, body.decode()),
    }
