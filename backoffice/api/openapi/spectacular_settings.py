"""Settings of drf-spectacular; the OpenAPI document does not depend on the installation."""

from importlib.metadata import version
from typing import Any, Final

SWAGGER_UI_FOLDER: Final = "static/drf_spectacular_sidecar/swagger-ui-dist"
"""Folder of Swagger UI in drf-spectacular-sidecar."""

_API_DESCRIPTION: Final = """\
Confirm payments, read orders and hear of events from n8n, a script or curl.

Send a token as `Authorization: Bearer …`, `Authorization: Token …` or `X-API-Key: …`. Money is text
with its decimals, times are ISO 8601 with their offset, ticket numbers are text with their zeros.
Every address works with and without a slash at its end. Every refusal has the same shape: a stable
`code` for programs, a `message` for people, `detail`, and `retryable`: whether the same request may
succeed later.
"""

SETTINGS: Final[dict[str, Any]] = {
    "TITLE": "Raffle Tickets Bot",
    "DESCRIPTION": _API_DESCRIPTION,
    "VERSION": version("raffle-tickets-bot"),
    "OAS_VERSION": "3.1.1",  # pydantic generates JSON Schema 2020-12, which 3.0 does not support
    "LICENSE": {"name": "MIT"},
    "SERVERS": [{"url": "/", "description": "The back office that serves this document"}],
    "SCHEMA_PATH_PREFIX": "/api/",
    "COMPONENT_SPLIT_REQUEST": True,  # a request body and its response may have the same name
    "COMPONENT_SPLIT_PATCH": False,  # the fields of a PATCH are required
    "TAGS": [
        {"name": "orders", "description": "Orders, and what is decided about their payment."},
        {"name": "proofs", "description": "Payment proofs: pictures and PDFs that buyers sent."},
        {"name": "raffles", "description": "Raffles, their numbers and how they sell."},
        {"name": "draws", "description": "How raffles are drawn, and what came of it."},
        {"name": "statistics", "description": "How sales went, day by day."},
        {"name": "events", "description": "What happened, in order, to catch up with."},
        {"name": "endpoints", "description": "Addresses that are told of events."},
        {"name": "deliveries", "description": "How far each event got on its way to an endpoint."},
        {"name": "schema", "description": "This document."},
    ],
    # Forms are accepted too, but only JSON can distinguish null and numbers from text.
    "PARSER_WHITELIST": ["backoffice.api.parsers.StrictJsonParser"],
    "PREPROCESSING_HOOKS": ["backoffice.api.openapi.hooks.strip_trailing_slashes"],
    # Without the default hook of spectacular, which would rename enums and move them.
    "POSTPROCESSING_HOOKS": [
        "backoffice.api.openapi.webhooks.add_webhooks",
        "backoffice.api.openapi.hooks.name_components",
        "backoffice.api.openapi.hooks.tidy_fields",
        "backoffice.api.openapi.hooks.share_components",
    ],
    "ENABLE_DJANGO_DEPLOY_CHECK": False,  # a test generates the document and allows no warnings
}
