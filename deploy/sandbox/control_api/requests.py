"""Requests to the control interface: access, parsing, and errors as one sentence."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from deploy.sandbox import webhook_payloads
from deploy.sandbox.buyer_actions import InvalidControlRequest
from deploy.sandbox.chat import Reachability, SandboxBuyer
from deploy.sandbox.media import MAX_FILE_BYTES
from deploy.sandbox.state import SandboxState
from deploy.sandbox.webhook_delivery import TooManyWebhooks

MAX_COPIES: Final = 100
MAX_REQUEST_BYTES: Final = 2 * MAX_FILE_BYTES
LOOPBACK_ADDRESSES: Final = frozenset({"127.0.0.1", "::1"})

ControlHandler = Callable[[SandboxState, Request], Awaitable[Response]]


class BuyerChange(BaseModel):
    """Body of `PUT /sandbox/buyers/{wa_id}`."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, max_length=256)
    username: str | None = Field(default=None, max_length=64)
    user_id: str | None = Field(default=None, max_length=140)
    hide_phone: bool | None = None
    online: bool | None = None
    reach: Reachability | None = None


class RawWebhook(BaseModel):
    """Body of `POST /sandbox/webhooks`, with one of `body`, `text` and `base64`."""

    model_config = ConfigDict(extra="forbid")

    body: Any = None
    text: str | None = None
    base64: str | None = None
    signature: str = "good"
    times: int = Field(default=1, ge=1, le=MAX_COPIES)
    together: bool = False
    retry: bool = False

    def encode_body(self) -> bytes:
        """Return the exact bytes to post.

        Raises:
            InvalidControlRequest: `base64` is not base64.

        """
        if self.base64 is not None:
            try:
                return base64.b64decode(self.base64, validate=True)
            except binascii.Error:
                raise InvalidControlRequest("`base64` is not base64") from None
        return webhook_payloads.encode_json(self.body) if self.text is None else self.text.encode()


class VerificationRequest(BaseModel):
    """Body of `POST /sandbox/verify`."""

    model_config = ConfigDict(extra="forbid")

    verify_token: str
    mode: str = "subscribe"
    challenge: str = ""


def wrap_control_handler(handler: ControlHandler) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a handler: only loopback clients, and errors as one sentence in JSON."""

    async def answer(request: Request) -> Response:
        if request.client is None or request.client.host not in LOOPBACK_ADDRESSES:
            return JSONResponse({"error": "only from this machine"}, status_code=403)
        state: SandboxState = request.app.state.sandbox
        try:
            return await handler(state, request)
        except InvalidControlRequest as mistake:
            return JSONResponse({"error": str(mistake)}, status_code=400)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            return JSONResponse({"error": f"{place}: {first['msg']}"}, status_code=400)
        except TooManyWebhooks:
            sentence = "too many webhooks wait for the gateway"
            return JSONResponse({"error": sentence}, status_code=503)

    return answer


async def parse_message(request: Request) -> tuple[Mapping[str, Any], bytes | None]:
    """Return the fields of a buyer's message and the bytes of its file, if any.

    Raises:
        InvalidControlRequest: the request is too long, or not a JSON object.

    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await parse_json(request), None
    if int(request.headers.get("content-length", 0)) > MAX_REQUEST_BYTES:
        raise InvalidControlRequest(f"a request has at most {MAX_REQUEST_BYTES} bytes")
    async with request.form(max_files=1, max_fields=30) as form:
        fields = {key: value for key, value in form.items() if isinstance(value, str)}
        upload = form.get("file")
        return fields, await upload.read(MAX_FILE_BYTES + 1) if isinstance(
            upload, UploadFile
        ) else None


async def parse_json(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body; an empty body counts as an empty object.

    Raises:
        InvalidControlRequest: the body is too long, or not a JSON object.

    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_REQUEST_BYTES:
            raise InvalidControlRequest(f"a request has at most {MAX_REQUEST_BYTES} bytes")
    try:
        parsed = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise InvalidControlRequest(f"the body is not JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise InvalidControlRequest("the body must be a JSON object")
    return parsed


def load_buyer(state: SandboxState, request: Request) -> SandboxBuyer:
    """Return the buyer in the path.

    Raises:
        InvalidControlRequest: the path has no valid phone number.

    """
    return state.find_or_create_buyer(parse_wa_id(request.path_params["wa_id"]))


def parse_wa_id(given: object) -> str:
    """Return a phone number of 7 to 15 digits.

    Raises:
        InvalidControlRequest: it is not one.

    """
    wa_id = str(given)
    if not (wa_id.isascii() and wa_id.isdigit() and 7 <= len(wa_id) <= 15):  # noqa: PLR2004
        raise InvalidControlRequest(f"a wa_id is 7 to 15 digits, not {wa_id!r}")
    return wa_id


def parse_query_number(request: Request, name: str, *, default: float, most: float) -> float:
    """Return a query parameter from 0 to `most`, or `default`.

    Raises:
        InvalidControlRequest: it is not such a number.

    """
    return parse_number(request.query_params.get(name, default), name, most=most)


def parse_number(given: object, name: str, *, most: float) -> float:
    """Return a number from 0 to `most`; `name` is used in errors.

    Raises:
        InvalidControlRequest: it is not such a number.

    """
    try:
        number = float(str(given))
    except ValueError:
        raise InvalidControlRequest(f"{name} must be a number") from None
    if not 0 <= number <= most:
        raise InvalidControlRequest(f"{name} must be from 0 to {most:g}")
    return number
