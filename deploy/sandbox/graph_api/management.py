"""Graph API endpoints about business numbers, accounts, apps and tokens.

Sources: developers.facebook.com/documentation/business-messaging/whatsapp/reference
(whatsapp-business-phone-number, whatsapp-business-account, subscribed_apps) and
developers.facebook.com/docs/graph-api/reference/debug_token.
"""

import secrets
from collections.abc import Sequence
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.sandbox import graph_errors
from deploy.sandbox.graph_api import endpoints
from deploy.sandbox.graph_api.requests import (
    apply_fault_before,
    check_access_token,
    wrap_graph_handler,
)
from deploy.sandbox.graph_errors import GraphApiRefusal
from deploy.sandbox.state import SandboxState

DEFAULT_NUMBER_FIELDS: Final = (
    "verified_name",
    "code_verification_status",
    "display_phone_number",
    "quality_rating",
    "platform_type",
    "throughput",
    "webhook_configuration",
    "id",
)
HTTP_OK: Final = 200
SYSTEM_USER_ID: Final = "122100000000000000"
DEFAULT_ACCOUNT_FIELDS: Final = (
    "id",
    "name",
    "currency",
    "timezone_id",
    "message_template_namespace",
)
TOKEN_SCOPES: Final = ("whatsapp_business_management", "whatsapp_business_messaging")


def describe_phone_number(state: SandboxState, phone_number_id: str) -> dict[str, Any]:
    """Return every field of a business number."""
    digits = state.options.get_display_number(phone_number_id)
    return {
        "verified_name": state.options.verified_name,
        "code_verification_status": "VERIFIED",
        "display_phone_number": f"+{digits[0]} {digits[1:4]}-{digits[4:7]}-{digits[7:]}",
        "quality_rating": "GREEN",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "webhook_configuration": {"application": state.behaviour.webhook_url},
        "id": phone_number_id,
        "status": state.behaviour.phone_number_status,
        "name_status": "APPROVED",
        "account_mode": "SANDBOX",
        "is_official_business_account": False,
        "messaging_limit_tier": "TIER_250",
    }


async def object_view(state: SandboxState, request: Request) -> Response:
    """Describe a business number, the account, the app, or a media file."""
    object_id = str(request.path_params["object_id"])
    options = state.options
    if object_id not in {*options.phone_number_ids, options.waba_id, options.app_id}:
        return await endpoints.describe_media_view(state, request, media_id=object_id)
    await apply_fault_before(state, request, "manage")
    check_access_token(state, request)
    if object_id in options.phone_number_ids:
        every = describe_phone_number(state, object_id)
        return JSONResponse(_select_fields(every, request, node="WhatsAppBusinessPhoneNumber"))
    if object_id == options.app_id:
        return JSONResponse(_describe_app(state))
    account = {
        "id": object_id,
        "name": options.verified_name,
        "currency": "USD",
        "timezone_id": "1",
        "message_template_namespace": "11111111_2222_3333_4444_555555555555",
        "account_review_status": "APPROVED",
        "country": "US",
        "ownership_type": "SELF",
    }
    return JSONResponse(
        _select_fields(
            account, request, node="WhatsAppBusinessAccount", usual=DEFAULT_ACCOUNT_FIELDS
        )
    )


async def remove_object_view(state: SandboxState, request: Request) -> Response:
    """Delete a media file; nothing else can be deleted."""
    return await endpoints.remove_media_view(
        state, request, media_id=str(request.path_params["object_id"])
    )


def _select_fields(
    every: dict[str, Any],
    request: Request,
    *,
    node: str,
    usual: Sequence[str] = DEFAULT_NUMBER_FIELDS,
) -> dict[str, Any]:
    asked = request.query_params.get("fields")
    names = [name.strip() for name in asked.split(",")] if asked else list(usual)
    for name in names:
        if name not in every:
            raise graph_errors.build_schema_error(
                f"Tried accessing nonexisting field ({name}) on node type ({node})"
            )
    return {name: every[name] for name in dict.fromkeys([*names, "id"])}


def _describe_app(state: SandboxState) -> dict[str, str]:
    return {
        "link": "http://127.0.0.1/",
        "name": f"{state.options.verified_name} (sandbox)",
        "id": state.options.app_id,
    }


async def phone_numbers_view(state: SandboxState, request: Request) -> Response:
    """List the account's business numbers."""
    await _check_account_request(state, request)
    data = [
        _select_fields(
            describe_phone_number(state, each), request, node="WhatsAppBusinessPhoneNumber"
        )
        for each in state.options.phone_number_ids
    ]
    return JSONResponse({"data": data, "paging": {"cursors": {"before": "A", "after": "B"}}})


async def subscribed_apps_view(state: SandboxState, request: Request) -> Response:
    """Show, add or remove our app's subscription to the account's webhooks."""
    await _check_account_request(state, request)
    if request.method == "GET":
        apps = [{"whatsapp_business_api_data": _describe_app(state)}] if state.subscribed else []
        return JSONResponse({"data": apps})
    if request.method == "POST":
        await _override_callback(state, await request.body())
    state.subscribed = request.method == "POST"
    return JSONResponse({"success": True})


async def _override_callback(state: SandboxState, body: bytes) -> None:
    """Change the callback address, after it has answered the verification request.

    Raises:
        GraphApiRefusal: it did not return the challenge (2200).

    """
    asked = orjson.loads(body) if body.startswith(b"{") else {}
    address = asked.get("override_callback_uri")
    if not address:
        return
    before = state.behaviour
    state.behaviour = before.model_copy(update={"webhook_url": str(address)})
    challenge = str(secrets.randbelow(10**10))
    token = str(asked.get("verify_token", ""))
    answer = await state.webhooks.request_verification(
        mode="subscribe", token=token, challenge=challenge
    )
    if answer != (HTTP_OK, challenge):
        state.behaviour = before
        raise GraphApiRefusal(
            2200, message="(#2200) Callback verification failed: the challenge was not returned."
        )


async def _check_account_request(state: SandboxState, request: Request) -> None:
    await apply_fault_before(state, request, "manage")
    check_access_token(state, request)
    object_id = str(request.path_params["object_id"])
    if object_id != state.options.waba_id:
        raise graph_errors.build_unknown_object_error(object_id, method=request.method)


async def debug_token_view(state: SandboxState, request: Request) -> Response:
    """Return whether a token is valid, and its scopes."""
    await apply_fault_before(state, request, "manage")
    check_access_token(state, request)
    token = request.query_params.get("input_token")
    if token is None:
        raise graph_errors.build_missing_parameter_error("input_token")
    if token != state.options.access_token:
        problem = {"code": 190, "message": "The access token could not be decrypted"}
        return JSONResponse({"data": {"error": problem, "is_valid": False, "scopes": []}})
    granted = [{"scope": scope, "target_ids": [state.options.waba_id]} for scope in TOKEN_SCOPES]
    data = {
        "app_id": state.options.app_id,
        "type": "SYSTEM_USER",
        "application": state.options.verified_name,
        "data_access_expires_at": 0,
        "expires_at": 0,
        "is_valid": True,
        "issued_at": 1_767_225_600,
        "scopes": list(TOKEN_SCOPES),
        "granular_scopes": granted,
        "user_id": SYSTEM_USER_ID,
    }
    return JSONResponse({"data": data})


async def app_view(state: SandboxState, request: Request) -> Response:
    """Describe the app the token belongs to."""
    await apply_fault_before(state, request, "manage")
    check_access_token(state, request)
    return JSONResponse(_describe_app(state))


async def token_owner_view(state: SandboxState, request: Request) -> Response:
    """Describe the system user the token belongs to."""
    await apply_fault_before(state, request, "manage")
    check_access_token(state, request)
    every = {"id": SYSTEM_USER_ID, "name": f"{state.options.verified_name} system user"}
    return JSONResponse(_select_fields(every, request, node="User", usual=("name", "id")))


async def subscriptions_view(state: SandboxState, request: Request) -> Response:
    """List the webhook fields of the app; needs the app's own token."""
    await apply_fault_before(state, request, "manage")
    options = state.options
    if request.path_params["object_id"] != options.app_id:
        raise graph_errors.build_unknown_object_error(
            str(request.path_params["object_id"]), method="GET"
        )
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    given = given or request.query_params.get("access_token", "")
    if given != f"{options.app_id}|{options.app_secret}":
        raise GraphApiRefusal(
            15, message="(#15) This method must be called with an app access_token."
        )
    subscribed = {
        "object": "whatsapp_business_account",
        "callback_url": state.behaviour.webhook_url,
        "active": True,
        "fields": [
            {"name": name, "version": str(request.path_params["version"])}
            for name in state.behaviour.subscribed_fields
        ],
    }
    return JSONResponse({"data": [subscribed]})


ROUTES: Final = [
    Route("/{version}/debug_token", wrap_graph_handler(debug_token_view), methods=["GET"]),
    Route("/{version}/me", wrap_graph_handler(token_owner_view), methods=["GET"]),
    Route("/{version}/app", wrap_graph_handler(app_view), methods=["GET"]),
    Route(
        "/{version}/{object_id}/phone_numbers",
        wrap_graph_handler(phone_numbers_view),
        methods=["GET"],
    ),
    Route(
        "/{version}/{object_id}/subscribed_apps",
        wrap_graph_handler(subscribed_apps_view),
        methods=["GET", "POST", "DELETE"],
    ),
    Route(
        "/{version}/{object_id}/subscriptions",
        wrap_graph_handler(subscriptions_view),
        methods=["GET"],
    ),
    Route("/{version}/{object_id}", wrap_graph_handler(remove_object_view), methods=["DELETE"]),
    Route("/{version}/{object_id}", wrap_graph_handler(object_view), methods=["GET"]),
]
