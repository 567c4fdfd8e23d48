"""The Graph API's reads about numbers, accounts and tokens, which a health check asks for.

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
from deploy.sandbox.graph_api.endpoints import authorised, endpoint, meet
from deploy.sandbox.graph_errors import GraphRefused
from deploy.sandbox.state import World

DEFAULT_FIELDS: Final = (
    "verified_name",
    "code_verification_status",
    "display_phone_number",
    "quality_rating",
    "platform_type",
    "throughput",
    "webhook_configuration",
    "id",
)
OK: Final = 200
SYSTEM_USER: Final = "122100000000000000"
USUAL: Final = ("id", "name", "currency", "timezone_id", "message_template_namespace")
SCOPES: Final = ("whatsapp_business_management", "whatsapp_business_messaging")


def phone_number(world: World, phone_number_id: str) -> dict[str, Any]:
    """Give every field of a business number."""
    digits = world.options.display_phone_number(phone_number_id)
    return {
        "verified_name": world.options.verified_name,
        "code_verification_status": "VERIFIED",
        "display_phone_number": f"+{digits[0]} {digits[1:4]}-{digits[4:7]}-{digits[7:]}",
        "quality_rating": "GREEN",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "webhook_configuration": {"application": world.behaviour.webhook_url},
        "id": phone_number_id,
        "status": world.behaviour.phone_number_status,
        "name_status": "APPROVED",
        "account_mode": "SANDBOX",
        "is_official_business_account": False,
        "messaging_limit_tier": "TIER_250",
    }


async def read_object(world: World, request: Request) -> Response:
    """Describe a business number, the account, the app, or a media file."""
    object_id = str(request.path_params["object_id"])
    options = world.options
    if object_id not in {*options.phone_number_ids, options.waba_id, options.app_id}:
        return await endpoints.describe_media(world, request, media_id=object_id)
    await meet(world, request, "manage")
    authorised(world, request)
    if object_id in options.phone_number_ids:
        every = phone_number(world, object_id)
        return JSONResponse(_chosen(every, request, node="WhatsAppBusinessPhoneNumber"))
    if object_id == options.app_id:
        return JSONResponse(_app(world))
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
    return JSONResponse(_chosen(account, request, node="WhatsAppBusinessAccount", usual=USUAL))


async def remove_object(world: World, request: Request) -> Response:
    """Forget a media file; nothing else can be deleted here."""
    return await endpoints.remove_media(
        world, request, media_id=str(request.path_params["object_id"])
    )


def _chosen(
    every: dict[str, Any], request: Request, *, node: str, usual: Sequence[str] = DEFAULT_FIELDS
) -> dict[str, Any]:
    asked = request.query_params.get("fields")
    names = [name.strip() for name in asked.split(",")] if asked else list(usual)
    for name in names:
        if name not in every:
            raise graph_errors.wrong(
                f"Tried accessing nonexisting field ({name}) on node type ({node})"
            )
    return {name: every[name] for name in dict.fromkeys([*names, "id"])}


def _app(world: World) -> dict[str, str]:
    return {
        "link": "http://127.0.0.1/",
        "name": f"{world.options.verified_name} (sandbox)",
        "id": world.options.app_id,
    }


async def phone_numbers(world: World, request: Request) -> Response:
    """List the account's business numbers."""
    await _about_the_account(world, request)
    data = [
        _chosen(phone_number(world, each), request, node="WhatsAppBusinessPhoneNumber")
        for each in world.options.phone_number_ids
    ]
    return JSONResponse({"data": data, "paging": {"cursors": {"before": "A", "after": "B"}}})


async def subscribed_apps(world: World, request: Request) -> Response:
    """List, add or remove our app among those that get the account's webhooks."""
    await _about_the_account(world, request)
    if request.method == "GET":
        apps = [{"whatsapp_business_api_data": _app(world)}] if world.subscribed else []
        return JSONResponse({"data": apps})
    if request.method == "POST":
        await _override(world, await request.body())
    world.subscribed = request.method == "POST"
    return JSONResponse({"success": True})


async def _override(world: World, body: bytes) -> None:
    """Send the account's webhooks elsewhere, once that place has proved itself."""
    asked = orjson.loads(body) if body.startswith(b"{") else {}
    address = asked.get("override_callback_uri")
    if not address:
        return
    before = world.behaviour
    world.behaviour = before.model_copy(update={"webhook_url": str(address)})
    challenge = str(secrets.randbelow(10**10))
    token = str(asked.get("verify_token", ""))
    answer = await world.postman.verify(mode="subscribe", token=token, challenge=challenge)
    if answer != (OK, challenge):
        world.behaviour = before
        raise GraphRefused(
            2200, message="(#2200) Callback verification failed: the challenge was not returned."
        )


async def _about_the_account(world: World, request: Request) -> None:
    await meet(world, request, "manage")
    authorised(world, request)
    object_id = str(request.path_params["object_id"])
    if object_id != world.options.waba_id:
        raise graph_errors.no_such_object(object_id, method=request.method)


async def debug_token(world: World, request: Request) -> Response:
    """Tell whether a token is good, and what it may do."""
    await meet(world, request, "manage")
    authorised(world, request)
    token = request.query_params.get("input_token")
    if token is None:
        raise graph_errors.missing("input_token")
    if token != world.options.access_token:
        problem = {"code": 190, "message": "The access token could not be decrypted"}
        return JSONResponse({"data": {"error": problem, "is_valid": False, "scopes": []}})
    granted = [{"scope": scope, "target_ids": [world.options.waba_id]} for scope in SCOPES]
    data = {
        "app_id": world.options.app_id,
        "type": "SYSTEM_USER",
        "application": world.options.verified_name,
        "data_access_expires_at": 0,
        "expires_at": 0,
        "is_valid": True,
        "issued_at": 1_767_225_600,
        "scopes": list(SCOPES),
        "granular_scopes": granted,
        "user_id": SYSTEM_USER,
    }
    return JSONResponse({"data": data})


async def own_app(world: World, request: Request) -> Response:
    """Describe the app the token belongs to."""
    await meet(world, request, "manage")
    authorised(world, request)
    return JSONResponse(_app(world))


async def token_owner(world: World, request: Request) -> Response:
    """Describe the system user the token belongs to."""
    await meet(world, request, "manage")
    authorised(world, request)
    every = {"id": SYSTEM_USER, "name": f"{world.options.verified_name} system user"}
    return JSONResponse(_chosen(every, request, node="User", usual=("name", "id")))


async def subscriptions(world: World, request: Request) -> Response:
    """List the webhook fields the app is subscribed to; wants the app's own token."""
    await meet(world, request, "manage")
    options = world.options
    if request.path_params["object_id"] != options.app_id:
        raise graph_errors.no_such_object(str(request.path_params["object_id"]), method="GET")
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    given = given or request.query_params.get("access_token", "")
    if given != f"{options.app_id}|{options.app_secret}":
        raise GraphRefused(15, message="(#15) This method must be called with an app access_token.")
    subscribed = {
        "object": "whatsapp_business_account",
        "callback_url": world.behaviour.webhook_url,
        "active": True,
        "fields": [
            {"name": name, "version": str(request.path_params["version"])}
            for name in world.behaviour.subscribed_fields
        ],
    }
    return JSONResponse({"data": [subscribed]})


ROUTES: Final = [
    Route("/{version}/debug_token", endpoint(debug_token), methods=["GET"]),
    Route("/{version}/me", endpoint(token_owner), methods=["GET"]),
    Route("/{version}/app", endpoint(own_app), methods=["GET"]),
    Route("/{version}/{object_id}/phone_numbers", endpoint(phone_numbers), methods=["GET"]),
    Route(
        "/{version}/{object_id}/subscribed_apps",
        endpoint(subscribed_apps),
        methods=["GET", "POST", "DELETE"],
    ),
    Route("/{version}/{object_id}/subscriptions", endpoint(subscriptions), methods=["GET"]),
    Route("/{version}/{object_id}", endpoint(remove_object), methods=["DELETE"]),
    Route("/{version}/{object_id}", endpoint(read_object), methods=["GET"]),
]
