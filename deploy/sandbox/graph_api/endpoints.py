"""Graph API endpoints for messages and media."""

import re
import time
from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.sandbox import graph_errors
from deploy.sandbox.fault_injection import (
    UNREADABLE_BODY,
)
from deploy.sandbox.graph_api import attachments, links, sending
from deploy.sandbox.graph_api.requests import (
    apply_fault_after,
    apply_fault_before,
    check_access_token,
    read_phone_number_id,
    wrap_graph_handler,
)
from deploy.sandbox.graph_errors import GraphApiRefusal
from deploy.sandbox.media import MAX_FILE_BYTES, UPLOAD_LIFETIME_DAYS
from deploy.sandbox.state import SandboxState

MAX_BODY_BYTES: Final = 1024 * 1024
MEGABYTE: Final = 1024 * 1024


async def send_message_view(state: SandboxState, request: Request) -> Response:
    """Accept a message, or mark one as read."""
    body = _parse_body(await _read_body(request, limit=MAX_BODY_BYTES))
    reads = body.get("status") == "read"
    fault = await apply_fault_before(
        state, request, "read" if reads else "send", to=_find_recipient_digits(state, body)
    )
    check_access_token(state, request)
    phone_number_id = read_phone_number_id(state, request)
    if reads:
        sending.mark_message_as_read(state, body=body)
        return await apply_fault_after(fault, request, JSONResponse({"success": True}))
    outgoing = sending.accept_message(state, phone_number_id=phone_number_id, body=body)
    if fault is not None and fault.kind == "fails_later":
        outgoing.failure_code = fault.code
    elif state.behaviour.fetch_links and not await links.is_link_reachable(body):
        outgoing.failure_code = 131053
    outgoing.answered = "200" if fault is None else fault.kind
    state.outgoing.add(outgoing)
    state.send_to_buyer(outgoing)
    answer = sending.build_accepted_response(
        body, outgoing=outgoing, country_code=state.options.country_code
    )
    return await apply_fault_after(fault, request, JSONResponse(answer))


def _find_recipient_digits(state: SandboxState, body: Mapping[str, Any]) -> str:
    """Return the digits of the recipient's phone number, to match planned faults."""
    buyer = state.by_user_id.get(str(body.get("recipient")))
    return re.sub(r"\D", "", str(body.get("to") or "")) or (buyer.wa_id if buyer else "")


async def upload_media_view(state: SandboxState, request: Request) -> Response:
    """Store a file that the business uploads."""
    fault = await apply_fault_before(state, request, "upload")
    check_access_token(state, request)
    phone_number_id = read_phone_number_id(state, request)
    if int(request.headers.get("content-length", 0)) > MAX_FILE_BYTES + MEGABYTE:
        raise GraphApiRefusal(100, http=413, message="(#100) Request body is too large.")
    async with request.form(max_files=1, max_fields=10) as form:
        if form.get("messaging_product") != "whatsapp":
            raise graph_errors.build_missing_parameter_error("messaging_product")
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise graph_errors.build_missing_parameter_error("file")
        mime_type = str(form.get("type") or file.content_type or "").partition(";")[0].strip()
        content = await file.read(MAX_FILE_BYTES + 1)
    attachments.check_upload(mime_type=mime_type, size=len(content))
    medium = state.media.store_file(
        content,
        mime_type=mime_type,
        phone_number_id=phone_number_id,
        days=UPLOAD_LIFETIME_DAYS,
        now=time.time(),
    )
    return await apply_fault_after(fault, request, JSONResponse({"id": medium.id}))


async def describe_media_view(state: SandboxState, request: Request, *, media_id: str) -> Response:
    """Return a new, short-lived address of a file."""
    fault = await apply_fault_before(state, request, "media")
    check_access_token(state, request)
    now = time.time()
    medium = state.media.find_file(media_id, now=now)
    asked = request.query_params.get("phone_number_id")
    if medium is None or (asked is not None and asked != medium.phone_number_id):
        raise graph_errors.build_unknown_object_error(media_id, method="GET")
    answer = {
        "messaging_product": "whatsapp",
        "url": state.media.create_url(
            medium,
            base_url=str(request.base_url),
            seconds=state.behaviour.media_url_seconds,
            now=now,
        ),
        "mime_type": medium.mime_type,
        "sha256": medium.sha256_hex,
        "file_size": len(medium.content),
        "id": medium.id,
    }
    return await apply_fault_after(fault, request, JSONResponse(answer))


async def remove_media_view(state: SandboxState, request: Request, *, media_id: str) -> Response:
    """Delete a file."""
    await apply_fault_before(state, request, "media")
    check_access_token(state, request)
    if state.media.find_file(media_id, now=time.time()) is None:
        raise graph_errors.build_unknown_object_error(media_id, method="DELETE")
    state.media.remove_file(media_id)
    return JSONResponse({"success": True})


async def download_media_view(request: Request) -> Response:
    """Return the bytes at a valid address, for requests with the access token."""
    state: SandboxState = request.app.state.sandbox
    response = await _build_download_response(state, request)
    state.log_request(request, response)
    return response


async def _build_download_response(state: SandboxState, request: Request) -> Response:
    try:
        fault = await apply_fault_before(state, request, "download")
        check_access_token(state, request)
    except GraphApiRefusal as refused:
        return Response(UNREADABLE_BODY, status_code=refused.http, media_type="text/html")
    query = request.query_params
    medium = state.media.find_by_address(
        query.get("hash", ""), media_id=query.get("mid", ""), now=time.time()
    )
    if medium is None:
        return Response(UNREADABLE_BODY, status_code=404, media_type="text/html")
    content = medium.content
    if fault is not None and fault.kind == "corrupt":
        content = content[: len(content) // 2]
    # Meta's media types carry parameters (`audio/ogg; codecs=opus`); Response would add a charset
    response = Response(content, headers={"Content-Type": medium.mime_type})
    return await apply_fault_after(fault, request, response)


async def _read_body(request: Request, *, limit: int) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise GraphApiRefusal(100, http=413, message="(#100) Request body is too large.")
    return body


def _parse_body(body: bytes) -> Mapping[str, Any]:
    # what cannot be parsed has no parameters for Meta, so the first required one is missing
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise graph_errors.build_missing_parameter_error("messaging_product") from None
    if not isinstance(parsed, dict):
        raise graph_errors.build_missing_parameter_error("messaging_product")
    return parsed


ROUTES: Final = [
    Route(
        "/{version}/{object_id}/messages", wrap_graph_handler(send_message_view), methods=["POST"]
    ),
    Route("/{version}/{object_id}/media", wrap_graph_handler(upload_media_view), methods=["POST"]),
    Route("/whatsapp_business/attachments/", download_media_view, methods=["GET"]),
]
