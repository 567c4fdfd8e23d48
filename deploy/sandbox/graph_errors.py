"""Errors of the Graph API, with Meta's titles and texts.

Source: developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

import secrets
from collections.abc import Mapping
from typing import Any, Final

ERROR_TITLES: Final[Mapping[int, tuple[int, str]]] = {
    0: (401, "AuthException"),
    1: (400, "API Unknown"),
    2: (503, "Service temporarily unavailable"),
    3: (500, "API Method"),
    4: (400, "Application request limit reached"),
    10: (403, "Application does not have permission for this action"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    190: (401, "Access token has expired"),
    200: (403, "API Permission"),
    368: (403, "Temporarily blocked for policies violations"),
    80007: (400, "Rate limit issues"),
    130403: (400, "User blocked by the business"),
    130429: (400, "Rate limit hit"),
    130472: (400, "User's number is part of an experiment"),
    130497: (403, "Business account is restricted from messaging users in this country."),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (500, "Service unavailable"),
    131021: (400, "Recipient cannot be sender"),
    131026: (400, "Message undeliverable"),
    131030: (400, "Recipient phone number not in allowed list"),
    131031: (403, "Account has been locked"),
    131037: (400, "WhatsApp provided number needs display name approval"),
    131042: (400, "Business eligibility payment issue"),
    131045: (500, "Incorrect certificate"),
    131047: (400, "Re-engagement message"),
    131048: (400, "Spam rate limit hit"),
    131049: (
        400,
        "This message was not delivered to maintain healthy ecosystem engagement.",
    ),
    131050: (400, "User has stopped marketing messages"),
    131051: (400, "Unsupported message type"),
    131052: (400, "Media download error"),
    131053: (400, "Media upload error"),
    131056: (400, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: (500, "Account in maintenance mode"),
    131062: (400, "Business-scoped user ID is not supported for this message"),
    132001: (404, "Template name does not exist in the translation"),
    133004: (503, "Server Temporarily Unavailable"),
    133010: (400, "Phone number not registered"),
    135000: (400, "Generic user error"),
}

WINDOW_CLOSED_DETAILS: Final = (
    "Message failed to send because more than 24 hours have passed since the customer last "
    "replied to this number."
)


class GraphApiRefusal(Exception):
    """The Graph API refuses a request; `build_body` returns the JSON of the answer."""

    def __init__(
        self,
        code: int,
        *,
        message: str = "",
        details: str = "",
        http: int | None = None,
        kind: str = "OAuthException",
        subcode: int | None = None,
        transient: bool | None = None,
        retry_after: int | None = None,
    ) -> None:
        status, title = ERROR_TITLES.get(code, (400, "Invalid parameter"))
        super().__init__(details or message or title)
        self.code = code
        self.http = http if http is not None else status
        self.message = message or f"(#{code}) {title}"
        self.details = details
        self.kind = kind
        self.subcode = subcode
        self.transient = transient
        self.retry_after = retry_after

    def build_body(self) -> dict[str, Any]:
        """Return the error as Meta's JSON, with a new `fbtrace_id`."""
        error: dict[str, Any] = {"message": self.message, "type": self.kind, "code": self.code}
        if self.details:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.transient is not None:
            error["is_transient"] = self.transient
        error["fbtrace_id"] = "A" + secrets.token_urlsafe(16)
        return {"error": error}


def build_missing_parameter_error(parameter: str) -> GraphApiRefusal:
    """Return the error for a missing required parameter (100)."""
    return GraphApiRefusal(100, message=f"(#100) The parameter {parameter} is required.")


def build_invalid_value_error(details: str) -> GraphApiRefusal:
    """Return the error for a parameter with a wrong value (131009)."""
    return GraphApiRefusal(131009, details=details)


def build_schema_error(message: str) -> GraphApiRefusal:
    """Return the error for a parameter that breaks the schema (100)."""
    return GraphApiRefusal(100, message=f"(#100) {message}")


def build_unknown_object_error(object_id: str, *, method: str) -> GraphApiRefusal:
    """Return the error for an unknown id, or one that the token may not see (100/33)."""
    verb = "get" if method == "GET" else method.lower()
    return GraphApiRefusal(
        100,
        message=f"Unsupported {verb} request. Object with ID '{object_id}' does not exist, cannot "
        "be loaded due to missing permissions, or does not support this operation. Please read "
        "the Graph API documentation at https://developers.facebook.com/docs/graph-api",
        kind="GraphMethodException",
        subcode=33,
    )


def build_bad_token_error() -> GraphApiRefusal:
    """Return the error for a wrong access token (190)."""
    return GraphApiRefusal(190, message="Invalid OAuth access token - Cannot parse access token")


def build_status_error(code: int, details: str = "") -> dict[str, Any]:
    """Return the error object of a `failed` status."""
    title = ERROR_TITLES.get(code, (400, "Something went wrong"))[1]
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details or f"{title}."},
        "href": "/documentation/business-messaging/whatsapp/support/error-codes",
    }
