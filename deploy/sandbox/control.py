"""The control interface: what tests and the phone in the terminal use; README.md describes it."""

import asyncio
import base64
import binascii
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.sandbox import buyer_actions, fault_injection, webhook_payloads
from deploy.sandbox.buyer_actions import Mistake, Wish
from deploy.sandbox.chat import Buyer, Entry, Reach
from deploy.sandbox.media import LARGEST
from deploy.sandbox.options import Behaviour
from deploy.sandbox.state import World
from deploy.sandbox.webhook_delivery import Delivery, TooManyWebhooks

LONGEST_WAIT: Final = 60.0
MOST_COPIES: Final = 100
MOST_ENTRIES: Final = 1_000
MOST_OUTGOING: Final = 5_000
LARGEST_REQUEST: Final = 2 * LARGEST
LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
OK: Final = 200

Handler = Callable[[World, Request], Awaitable[Response]]


class BuyerChange(BaseModel):
    """What `PUT /sandbox/buyers/{wa_id}` may say."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, max_length=256)
    username: str | None = Field(default=None, max_length=64)
    user_id: str | None = Field(default=None, max_length=140)
    hide_phone: bool | None = None
    online: bool | None = None
    reach: Reach | None = None


class RawWebhook(BaseModel):
    """What `POST /sandbox/webhooks` may say; one of `body`, `text` and `base64`."""

    model_config = ConfigDict(extra="forbid")

    body: Any = None
    text: str | None = None
    base64: str | None = None
    signature: str = "good"
    times: int = Field(default=1, ge=1, le=MOST_COPIES)
    together: bool = False
    retry: bool = False

    def content(self) -> bytes:
        """Give the exact bytes to post."""
        if self.base64 is not None:
            try:
                return base64.b64decode(self.base64, validate=True)
            except binascii.Error:
                raise Mistake("`base64` is not base64") from None
        return webhook_payloads.encoded(self.body) if self.text is None else self.text.encode()


class Verification(BaseModel):
    """What `POST /sandbox/verify` may say."""

    model_config = ConfigDict(extra="forbid")

    verify_token: str
    mode: str = "subscribe"
    challenge: str = ""


def endpoint(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a handler: loopback only, and mistakes as one sentence."""

    async def answer(request: Request) -> Response:
        if request.client is None or request.client.host not in LOOPBACK:
            return JSONResponse({"error": "only from this machine"}, status_code=403)
        world: World = request.app.state.world
        try:
            return await handler(world, request)
        except Mistake as mistake:
            return JSONResponse({"error": str(mistake)}, status_code=400)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            return JSONResponse({"error": f"{place}: {first['msg']}"}, status_code=400)
        except TooManyWebhooks:
            sentence = "too many webhooks wait for the gateway"
            return JSONResponse({"error": sentence}, status_code=503)

    return answer


async def write(world: World, request: Request) -> Response:
    """Let a buyer send a message."""
    asked, file = await _message(request)
    buyer = _buyer(world, request)
    wish = Wish(world=world, buyer=buyer, request=asked, file=file, base_url=str(request.base_url))
    entry = buyer_actions.act(wish)
    copies = _number(asked.get("times", 1), "times", most=MOST_COPIES)
    deliveries = world.receive([(buyer, entry)], copies=int(copies))
    seconds = _number(asked.get("wait", 0), "wait", most=LONGEST_WAIT)
    return await _written([entry], deliveries, seconds=seconds, alone=True)


async def write_batch(world: World, request: Request) -> Response:
    """Let several buyers send, all in one webhook."""
    asked = await _json(request)
    parts = asked.get("messages")
    if not isinstance(parts, list) or not 1 <= len(parts) <= MOST_ENTRIES:
        raise Mistake(f"`messages` must be a list of 1 to {MOST_ENTRIES}")
    sent = []
    for part in parts:
        if not isinstance(part, Mapping):
            raise Mistake("each of `messages` must be a JSON object")
        buyer = world.buyer(_digits(part.get("wa_id")))
        wish = Wish(world=world, buyer=buyer, request=part, base_url=str(request.base_url))
        sent.append((buyer, buyer_actions.act(wish)))
    copies = _number(asked.get("times", 1), "times", most=MOST_COPIES)
    deliveries = world.receive(sent, copies=int(copies))
    seconds = _number(asked.get("wait", 0), "wait", most=LONGEST_WAIT)
    return await _written([entry for _, entry in sent], deliveries, seconds=seconds, alone=False)


async def _written(
    entries: Sequence[Entry], deliveries: Sequence[Delivery], *, seconds: float, alone: bool
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


async def chat(world: World, request: Request) -> Response:
    """Show a chat as the buyer's phone does; with `wait`, as soon as the business wrote."""
    buyer = _buyer(world, request)
    after = int(_query(request, "after", default=0, most=2**53))
    limit = int(_query(request, "limit", default=200, most=MOST_ENTRIES))
    seconds = _query(request, "wait", default=0, most=LONGEST_WAIT)

    def news() -> bool:
        return any(entry.side == "business" for _, entry in buyer.chat.after(after))

    if seconds:
        await world.bell.until(news, seconds=seconds)
    entries = [entry for _, entry in buyer.chat.after(after, limit=limit)]
    if request.query_params.get("read", "1") != "0":
        world.look(entries)
    return _json_response(
        {
            "messages": [entry.as_json() for entry in entries],
            "next": entries[-1].n if entries else after,
            "typing": buyer.typing_until > time.time(),
        }
    )


async def buyers(world: World, _request: Request) -> Response:
    """List the buyers."""
    return _json_response({"buyers": [buyer.as_json() for buyer in world.buyers.values()]})


async def one_buyer(world: World, request: Request) -> Response:
    """Show or change a buyer."""
    buyer = _buyer(world, request)
    if request.method == "PUT":
        change = BuyerChange.model_validate(await _json(request)).model_dump(exclude_none=True)
        if "user_id" in change:
            world.rename(buyer, user_id=change.pop("user_id"))
        for name, value in change.items():
            setattr(buyer, name, value)
        world.deliver_waiting(buyer)
    return _json_response(buyer.as_json())


async def outgoing(world: World, request: Request) -> Response:
    """List what the gateway sent, in order."""
    after = int(_query(request, "after", default=0, most=2**53))
    seconds = _query(request, "wait", default=0, most=LONGEST_WAIT)
    to = request.query_params.get("to")

    def found() -> list[dict[str, Any]]:
        return [
            each.as_json(n)
            for n, each in world.outgoing.after(after, limit=MOST_OUTGOING)
            if to is None or (each.buyer is not None and each.buyer.wa_id == to)
        ]

    messages = await world.bell.until(found, seconds=seconds)
    last = min(world.outgoing.last, after + MOST_OUTGOING)
    return _json_response({"messages": messages, "next": last})


async def requests(world: World, request: Request) -> Response:
    """List the requests to the Graph API and how they were answered."""
    after = int(_query(request, "after", default=0, most=2**53))
    found = [{"n": n, **each} for n, each in world.requests.after(after, limit=MOST_OUTGOING)]
    return _json_response({"requests": found, "next": found[-1]["n"] if found else after})


async def deliveries(world: World, request: Request) -> Response:
    """List the webhooks and how the gateway answered."""
    after = int(_query(request, "after", default=0, most=2**53))
    log = world.postman.log
    found = [each.as_json() for _, each in log.after(after, limit=MOST_ENTRIES)]
    return _json_response({"deliveries": found, "next": found[-1]["n"] if found else after})


async def state(world: World, _request: Request) -> Response:
    """Tell what the stand-in plays, how it behaves and how much it holds."""
    options = world.options
    return _json_response(
        {
            "phone_number_ids": options.phone_number_ids,
            "display_phone_numbers": [
                options.display_phone_number(each) for each in options.phone_number_ids
            ],
            "waba_id": options.waba_id,
            "app_id": options.app_id,
            "subscribed": world.subscribed,
            "settings": world.behaviour.model_dump(mode="json"),
            "buyers": len(world.buyers),
            "outgoing": world.outgoing.last,
            "media": len(world.media),
            "pending": world.postman.pending,
            "dropped": world.postman.dropped,
            "on_the_way": world.on_the_way,
            "faults": world.faults.listed(),
        }
    )


async def settings(world: World, request: Request) -> Response:
    """Change how the stand-in behaves."""
    if request.method == "PATCH":
        changes = await _json(request)
        world.behaviour = Behaviour.model_validate({**world.behaviour.model_dump(), **changes})
    return _json_response(world.behaviour.model_dump(mode="json"))


async def idle(world: World, request: Request) -> Response:
    """Wait until no webhook waits to be accepted."""
    seconds = _query(request, "wait", default=0, most=LONGEST_WAIT)
    return _json_response({"idle": await world.bell.until(lambda: world.idle, seconds=seconds)})


async def reset(world: World, _request: Request) -> Response:
    """Forget everything that happened."""
    world.reset()
    return _json_response({"reset": True})


async def trouble(world: World, request: Request) -> Response:
    """Plan, list or clear trouble."""
    if request.method == "POST":
        world.faults.add(fault_injection.asked(await _json(request)))
    elif request.method == "DELETE":
        world.faults.clear()
    return _json_response({"faults": world.faults.listed()})


async def post_webhook(world: World, request: Request) -> Response:
    """Post a webhook exactly as told, and tell how the gateway answered."""
    asked = RawWebhook.model_validate(await _json(request))
    content = asked.content()
    copies = [
        world.postman.signed(content, about="as told", signature=asked.signature)
        for _ in range(asked.times)
    ]
    if asked.together:
        await asyncio.gather(*(world.postman.attempt(each) for each in copies))
    else:
        for each in copies:
            await world.postman.attempt(each)
    if asked.retry:
        for each in copies:
            if not each.delivered:
                world.postman.retry(each)
    statuses = [each.statuses[-1] for each in copies]
    return _json_response({"statuses": statuses, "bodies": [each.answer for each in copies]})


async def verify(world: World, request: Request) -> Response:
    """Ask the gateway to verify its webhook, as Meta does."""
    asked = Verification.model_validate(await _json(request))
    challenge = asked.challenge or str(secrets.randbelow(10**10))
    status, body = await world.postman.verify(
        mode=asked.mode, token=asked.verify_token, challenge=challenge
    )
    verified = status == OK and body == challenge
    return _json_response({"status": status, "body": body, "verified": verified})


async def file(world: World, request: Request) -> Response:
    """Give a file's bytes to the phone, which has no token."""
    medium = world.media.find(str(request.path_params["media_id"]), now=time.time())
    if medium is None:
        return JSONResponse({"error": "there is no such media"}, status_code=404)
    return Response(medium.content, headers={"Content-Type": medium.mime_type})


async def _message(request: Request) -> tuple[Mapping[str, Any], bytes | None]:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await _json(request), None
    if int(request.headers.get("content-length", 0)) > LARGEST_REQUEST:
        raise Mistake(f"a request has at most {LARGEST_REQUEST} bytes")
    async with request.form(max_files=1, max_fields=30) as form:
        fields = {key: value for key, value in form.items() if isinstance(value, str)}
        upload = form.get("file")
        return fields, await upload.read(LARGEST + 1) if isinstance(upload, UploadFile) else None


async def _json(request: Request) -> dict[str, Any]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_REQUEST:
            raise Mistake(f"a request has at most {LARGEST_REQUEST} bytes")
    try:
        parsed = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise Mistake(f"the body is not JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise Mistake("the body must be a JSON object")
    return parsed


def _json_response(content: Any) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")


def _buyer(world: World, request: Request) -> Buyer:
    return world.buyer(_digits(request.path_params["wa_id"]))


def _digits(given: object) -> str:
    wa_id = str(given)
    if not (wa_id.isascii() and wa_id.isdigit() and 7 <= len(wa_id) <= 15):  # noqa: PLR2004
        raise Mistake(f"a wa_id is 7 to 15 digits, not {wa_id!r}")
    return wa_id


def _query(request: Request, name: str, *, default: float, most: float) -> float:
    return _number(request.query_params.get(name, default), name, most=most)


def _number(given: object, name: str, *, most: float) -> float:
    try:
        number = float(str(given))
    except ValueError:
        raise Mistake(f"{name} must be a number") from None
    if not 0 <= number <= most:
        raise Mistake(f"{name} must be from 0 to {most:g}")
    return number


ROUTES: Final = [
    Route("/sandbox/buyers", endpoint(buyers), methods=["GET"]),
    Route("/sandbox/buyers/{wa_id}", endpoint(one_buyer), methods=["GET", "PUT"]),
    Route("/sandbox/buyers/{wa_id}/messages", endpoint(write), methods=["POST"]),
    Route("/sandbox/buyers/{wa_id}/messages", endpoint(chat), methods=["GET"]),
    Route("/sandbox/batch", endpoint(write_batch), methods=["POST"]),
    Route("/sandbox/outgoing", endpoint(outgoing), methods=["GET"]),
    Route("/sandbox/requests", endpoint(requests), methods=["GET"]),
    Route("/sandbox/deliveries", endpoint(deliveries), methods=["GET"]),
    Route("/sandbox/state", endpoint(state), methods=["GET"]),
    Route("/sandbox/settings", endpoint(settings), methods=["GET", "PATCH"]),
    Route("/sandbox/idle", endpoint(idle), methods=["GET"]),
    Route("/sandbox/reset", endpoint(reset), methods=["POST"]),
    Route("/sandbox/faults", endpoint(trouble), methods=["GET", "POST", "DELETE"]),
    Route("/sandbox/webhooks", endpoint(post_webhook), methods=["POST"]),
    Route("/sandbox/verify", endpoint(verify), methods=["POST"]),
    Route("/sandbox/media/{media_id}", endpoint(file), methods=["GET"]),
]
