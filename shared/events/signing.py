"""Signs what is sent, so that a receiver knows that it is ours and that it is whole."""

import hmac
from datetime import UTC, datetime
from typing import Final

from standardwebhooks import Webhook

SIGNATURE_HEADER: Final = "X-Raffle-Signature"
"""The header that is easily checked by hand, e.g. with n8n's Crypto node."""


def build_signature_headers(
    secret: str, *, event_id: str, body: bytes, now: datetime
) -> dict[str, str]:
    """Write the headers that prove where a body comes from.

    `X-Raffle-Signature` is `sha256=` and the HMAC-SHA256 of the raw body in hex; its key is the
    text of the secret in UTF-8, `whsec_` included. The others are those of Standard Webhooks,
    whose key is what the secret's Base64 says.

    Args:
        secret: the endpoint's, `whsec_…`.
        event_id: the same at each try; receivers tell repeats by it.
        body: exactly the bytes that are sent.
        now: the time of this try; receivers may refuse what is older than five minutes.

    Raises:
        ValueError: the secret is not Base64 behind its `whsec_`.

    Source: the specification of Standard Webhooks, "Webhook Headers", "Signature scheme".

    """
    moment = now.astimezone(UTC)
    return {
        SIGNATURE_HEADER: f"sha256={hmac.digest(secret.encode(), body, 'sha256').hex()}",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(event_id, moment, body.decode()),
    }
