"""Endpoints of the control interface; README.md describes them."""

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.sandbox import buyer_actions, fault_injection
from deploy.sandbox.buyer_actions import BuyerAction, InvalidControlRequest
from deploy.sandbox.chat import ChatEntry
from deploy.sandbox.control_api.requests import (
    MAX_COPIES,
    BuyerChange,
    RawWebhook,
    VerificationRequest,
    load_buyer,
    parse_json,
    parse_message,
    parse_number,
    parse_query_number,
    parse_wa_id,
    wrap_control_handler,
)
from deploy.sandbox.options import SandboxBehaviour
from deploy.sandbox.state import SandboxState
from deploy.sandbox.webhook_delivery import WebhookDelivery

MAX_WAIT_SECONDS: Final = 60.0
MAX_ENTRIES_PER_REQUEST: Final = 1_000
MAX_OUTGOING_PER_REQUEST: Final = 5_000
HTTP_OK: Final = 200


async def write_message_view(state: SandboxState, request: Request) -> Response:
    """Send a message of a buyer."""
    asked, file = await parse_message(request)
    buyer = load_buyer(state, request)
    action = BuyerAction(
        state=state, buyer=buyer, request=asked, file=file, base_url=str(request.base_url)
    )
    entry = buyer_actions.build_chat_entry(action)
    copies = parse_number(asked.get("times", 1), "times", most=MAX_COPIES)
    deliveries = state.post_buyer_messages([(buyer, entry)], copies=int(copies))
    seconds = parse_number(asked.get("wait", 0), "wait", most=MAX_WAIT_SECONDS)
    return await _build_written_response([entry], deliveries, seconds=seconds, alone=True)


async def write_batch_view(state: SandboxState, request: Request) -> Response:
    """Send messages of several buyers in one webhook."""
    asked = await parse_json(request)
    parts = asked.get("messages")
    if not isinstance(parts, list) or not 1 <= len(parts) <= MAX_ENTRIES_PER_REQUEST:
        raise InvalidControlRequest(f"`messages` must be a list of 1 to {MAX_ENTRIES_PER_REQUEST}")
    sent = []
    for part in parts:
        if not isinstance(part, Mapping):
            raise InvalidControlRequest("each of `messages` must be a JSON object")
        buyer = state.find_or_create_buyer(parse_wa_id(part.get("wa_id")))
        action = BuyerAction(state=state, buyer=buyer, request=part, base_url=str(request.base_url))
        sent.append((buyer, buyer_actions.build_chat_entry(action)))
    copies = parse_number(asked.get("times", 1), "times", most=MAX_COPIES)
    deliveries = state.post_buyer_messages(sent, copies=int(copies))
    seconds = parse_number(asked.get("wait", 0), "wait", most=MAX_WAIT_SECONDS)
    return await _build_written_response(
        [entry for _, entry in sent], deliveries, seconds=seconds, alone=False
    )


async def _build_written_response(
    entries: Sequence[ChatEntry],
    deliveries: Sequence[WebhookDelivery],
    *,
    seconds: float,
    alone: bool,
) -> Response:
    delivered = None
    if seconds and deliveries:
        waits = [asyncio.ensure_future(each.finished.wait()) for each in deliveries]
        _, late = await asyncio.wait(waits, timeout=seconds)
        for wait in late:
            wait.cancel()
        delivered = all(each.delivered for each in deliveries)
    items = [{"id": entry.id, "n": entry.n, "delivered": delivered} for entry in entries]
    return JSONResponse(items[0] if alone else {"messages": items}, status_code=201)


async def chat_view(state: SandboxState, request: Request) -> Response:
    """Show a chat as on the phone; with `wait`, as soon as the business has sent something."""
    buyer = load_buyer(state, request)
    after = int(parse_query_number(request, "after", default=0, most=2**53))
    limit = int(parse_query_number(request, "limit", default=200, most=MAX_ENTRIES_PER_REQUEST))
    seconds = parse_query_number(request, "wait", default=0, most=MAX_WAIT_SECONDS)

    def has_news() -> bool:
        return any(entry.side == "business" for _, entry in buyer.chat.list_after(after))

    if seconds:
        await state.changes.wait_until(has_news, seconds=seconds)
    entries = [entry for _, entry in buyer.chat.list_after(after, limit=limit)]
    if request.query_params.get("read", "1") != "0":
        state.mark_seen_by_buyer(entries)
    return _build_json_response(
        {
            "messages": [entry.as_json() for entry in entries],
            "next": entries[-1].n if entries else after,
            "typing": buyer.typing_until > time.time(),
        }
    )


async def list_buyers_view(state: SandboxState, _request: Request) -> Response:
    """List the buyers."""
    return _build_json_response({"buyers": [buyer.as_json() for buyer in state.buyers.values()]})


async def buyer_view(state: SandboxState, request: Request) -> Response:
    """Show or change a buyer."""
    buyer = load_buyer(state, request)
    if request.method == "PUT":
        change = BuyerChange.model_validate(await parse_json(request)).model_dump(exclude_none=True)
        if "user_id" in change:
            state.change_user_id(buyer, user_id=change.pop("user_id"))
        for name, value in change.items():
            setattr(buyer, name, value)
        state.deliver_waiting(buyer)
    return _build_json_response(buyer.as_json())


async def list_outgoing_view(state: SandboxState, request: Request) -> Response:
    """List what the gateway sent, in order."""
    after = int(parse_query_number(request, "after", default=0, most=2**53))
    seconds = parse_query_number(request, "wait", default=0, most=MAX_WAIT_SECONDS)
    to = request.query_params.get("to")

    def list_messages() -> list[dict[str, Any]]:
        return [
            each.as_json(n)
            for n, each in state.outgoing.list_after(after, limit=MAX_OUTGOING_PER_REQUEST)
            if to is None or (each.buyer is not None and each.buyer.wa_id == to)
        ]

    messages = await state.changes.wait_until(list_messages, seconds=seconds)
    last = min(state.outgoing.last, after + MAX_OUTGOING_PER_REQUEST)
    return _build_json_response({"messages": messages, "next": last})


async def list_graph_requests_view(state: SandboxState, request: Request) -> Response:
    """List the requests to the Graph API with their answers."""
    after = int(parse_query_number(request, "after", default=0, most=2**53))
    found = [
        {"n": n, **each}
        for n, each in state.requests.list_after(after, limit=MAX_OUTGOING_PER_REQUEST)
    ]
    return _build_json_response({"requests": found, "next": found[-1]["n"] if found else after})


async def list_deliveries_view(state: SandboxState, request: Request) -> Response:
    """List the webhooks with the answers of the gateway."""
    after = int(parse_query_number(request, "after", default=0, most=2**53))
    log = state.webhooks.log
    found = [each.as_json() for _, each in log.list_after(after, limit=MAX_ENTRIES_PER_REQUEST)]
    return _build_json_response({"deliveries": found, "next": found[-1]["n"] if found else after})


async def state_view(state: SandboxState, _request: Request) -> Response:
    """Show the options, the settings and the counts of the stand-in."""
    options = state.options
    return _build_json_response(
        {
            "phone_number_ids": options.phone_number_ids,
            "display_phone_numbers": [
                options.get_display_number(each) for each in options.phone_number_ids
            ],
            "waba_id": options.waba_id,
            "app_id": options.app_id,
            "subscribed": state.subscribed,
            "settings": state.behaviour.model_dump(mode="json"),
            "buyers": len(state.buyers),
            "outgoing": state.outgoing.last,
            "media": len(state.media),
            "pending": state.webhooks.pending,
            "dropped": state.webhooks.dropped,
            "on_the_way": state.delayed_count,
            "faults": state.faults.list_remaining(),
        }
    )


async def settings_view(state: SandboxState, request: Request) -> Response:
    """Show or change the settings."""
    if request.method == "PATCH":
        changes = await parse_json(request)
        state.behaviour = SandboxBehaviour.model_validate(
            {**state.behaviour.model_dump(), **changes}
        )
    return _build_json_response(state.behaviour.model_dump(mode="json"))


async def idle_view(state: SandboxState, request: Request) -> Response:
    """Wait until the gateway has accepted every webhook."""
    seconds = parse_query_number(request, "wait", default=0, most=MAX_WAIT_SECONDS)
    return _build_json_response(
        {"idle": await state.changes.wait_until(lambda: state.is_idle, seconds=seconds)}
    )


async def reset_view(state: SandboxState, _request: Request) -> Response:
    """Delete everything that happened."""
    state.reset()
    return _build_json_response({"reset": True})


async def faults_view(state: SandboxState, request: Request) -> Response:
    """Plan, list or clear faults."""
    if request.method == "POST":
        state.faults.add(fault_injection.parse_fault(await parse_json(request)))
    elif request.method == "DELETE":
        state.faults.clear()
    return _build_json_response({"faults": state.faults.list_remaining()})


async def post_webhook_view(state: SandboxState, request: Request) -> Response:
    """Post a given webhook unchanged and return the answers of the gateway."""
    asked = RawWebhook.model_validate(await parse_json(request))
    content = asked.encode_body()
    copies = [
        state.webhooks.sign_webhook(content, description="as told", signature=asked.signature)
        for _ in range(asked.times)
    ]
    if asked.together:
        await asyncio.gather(*(state.webhooks.post_once(each) for each in copies))
    else:
        for each in copies:
            await state.webhooks.post_once(each)
    if asked.retry:
        for each in copies:
            if not each.delivered:
                state.webhooks.retry(each)
    statuses = [each.statuses[-1] for each in copies]
    return _build_json_response(
        {"statuses": statuses, "bodies": [each.response_body for each in copies]}
    )


async def verify_webhook_view(state: SandboxState, request: Request) -> Response:
    """Ask the gateway to verify its webhook, as Meta does."""
    asked = VerificationRequest.model_validate(await parse_json(request))
    challenge = asked.challenge or str(secrets.randbelow(10**10))
    status, body = await state.webhooks.request_verification(
        mode=asked.mode, token=asked.verify_token, challenge=challenge
    )
    verified = status == HTTP_OK and body == challenge
    return _build_json_response({"status": status, "body": body, "verified": verified})


async def media_file_view(state: SandboxState, request: Request) -> Response:
    """Return the bytes of a file, without a token."""
    medium = state.media.find_file(str(request.path_params["media_id"]), now=time.time())
    if medium is None:
        return JSONResponse({"error": "there is no such media"}, status_code=404)
    return Response(medium.content, headers={"Content-Type": medium.mime_type})


def _build_json_response(content: Any) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")


ROUTES: Final = [
    Route("/sandbox/buyers", wrap_control_handler(list_buyers_view), methods=["GET"]),
    Route("/sandbox/buyers/{wa_id}", wrap_control_handler(buyer_view), methods=["GET", "PUT"]),
    Route(
        "/sandbox/buyers/{wa_id}/messages",
        wrap_control_handler(write_message_view),
        methods=["POST"],
    ),
    Route("/sandbox/buyers/{wa_id}/messages", wrap_control_handler(chat_view), methods=["GET"]),
    Route("/sandbox/batch", wrap_control_handler(write_batch_view), methods=["POST"]),
    Route("/sandbox/outgoing", wrap_control_handler(list_outgoing_view), methods=["GET"]),
    Route("/sandbox/requests", wrap_control_handler(list_graph_requests_view), methods=["GET"]),
    Route("/sandbox/deliveries", wrap_control_handler(list_deliveries_view), methods=["GET"]),
    Route("/sandbox/state", wrap_control_handler(state_view), methods=["GET"]),
    Route("/sandbox/settings", wrap_control_handler(settings_view), methods=["GET", "PATCH"]),
    Route("/sandbox/idle", wrap_control_handler(idle_view), methods=["GET"]),
    Route("/sandbox/reset", wrap_control_handler(reset_view), methods=["POST"]),
    Route("/sandbox/faults", wrap_control_handler(faults_view), methods=["GET", "POST", "DELETE"]),
    Route("/sandbox/webhooks", wrap_control_handler(post_webhook_view), methods=["POST"]),
    Route("/sandbox/verify", wrap_control_handler(verify_webhook_view), methods=["POST"]),
    Route("/sandbox/media/{media_id}", wrap_control_handler(media_file_view), methods=["GET"]),
]
