"""OpenAPI description of the webhooks that deliver events."""

from typing import Any, Final

from shared.events.signing import SIGNATURE_HEADER
from shared.publishing.event_payloads import (
    AlertTold,
    ContactTold,
    MessageTold,
    OrderTold,
    RaffleChangeTold,
    RaffleDrawnTold,
    RaffleSealedTold,
    RaffleTold,
    WinnerTold,
)

SIGNATURE_HEADERS: Final = (
    SIGNATURE_HEADER,
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
)
EVENT_PAYLOADS: Final = (
    OrderTold,
    RaffleTold,
    RaffleChangeTold,
    RaffleSealedTold,
    RaffleDrawnTold,
    WinnerTold,
    MessageTold,
    ContactTold,
    AlertTold,
)
_WEBHOOK_DESCRIPTION: Final = """\
Sent to each endpoint that wants the type, at least once and in no promised order: `id` tells
repeats, `sequence` the order. `X-Raffle-Signature` is `sha256=` and the HMAC-SHA256 of the raw body
in hex, its key the endpoint's secret as text; the other headers are those of Standard Webhooks.
"""


def add_webhooks(result: Any, **_: Any) -> Any:
    """Add the webhook of events to the OpenAPI document; drf-spectacular calls it as a hook."""
    payloads = [{"$ref": f"#/components/schemas/{model.__name__}"} for model in EVENT_PAYLOADS]
    headers = [
        {"in": "header", "name": name, "required": True, "schema": {"type": "string"}}
        for name in SIGNATURE_HEADERS
    ]
    result["webhooks"] = {
        "event": {
            "post": {
                "operationId": "event",
                "summary": "Tell an endpoint what happened",
                "description": _WEBHOOK_DESCRIPTION,
                "tags": ["events"],
                "parameters": headers,
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"oneOf": payloads}}},
                },
                "responses": {
                    "2XX": {"description": "It arrived."},
                    "410": {"description": "Send nothing more: the endpoint is switched off."},
                    "default": {"description": "It is sent again later, for two days."},
                },
            }
        }
    }
    return result
