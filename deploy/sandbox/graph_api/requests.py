"""The frame of every Graph API request: version, access token, planned faults, refusals, log."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from deploy.sandbox import connection_faults, graph_errors
from deploy.sandbox.fault_injection import (
    UNREADABLE_BODY,
    GraphOperation,
    PlannedFault,
    build_unknown_error,
)
from deploy.sandbox.graph_errors import GraphApiRefusal
from deploy.sandbox.state import SandboxState

VERSION_PATTERN: Final = re.compile(r"v\d{1,2}\.\d")

GraphHandler = Callable[[SandboxState, Request], Awaitable[Response]]


def wrap_graph_handler(handler: GraphHandler) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a handler: refusals become Meta's JSON, and the request is logged."""

    async def answer(request: Request) -> Response:
        state: SandboxState = request.app.state.sandbox
        code, details = None, ""
        try:
            _check_version(request)
            response = await handler(state, request)
        except GraphApiRefusal as refused:
            code, details = refused.code, str(refused)
            response = build_error_response(refused)
        state.log_request(request, response, code=code, details=details)
        return response

    return answer


def build_error_response(refused: GraphApiRefusal) -> Response:
    """Build the response of a refusal."""
    headers = {}
    if refused.retry_after is not None:
        headers["Retry-After"] = str(refused.retry_after)
    if refused.http == 401:  # noqa: PLR2004 - unauthorised
        realm = f'OAuth "Facebook Platform" "invalid_token" "{refused.message}"'
        headers["WWW-Authenticate"] = realm
    return JSONResponse(refused.build_body(), status_code=refused.http, headers=headers)


async def apply_fault_before(
    state: SandboxState, request: Request, operation: GraphOperation, *, to: str = ""
) -> PlannedFault | None:
    """Apply the fault planned for this request, before anything is done.

    Args:
        state: holds the planned faults.
        request: the request.
        operation: its kind.
        to: digits of the recipient's phone number.

    Returns:
        The fault to apply after the work is done, if any.

    Raises:
        GraphApiRefusal: the fault is a refusal.

    """
    fault = state.faults.take_next(operation, to=to)
    if fault is None:
        return None
    refused = fault.build_error()
    if refused is not None:
        raise refused
    if fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
        return None
    if fault.kind in {"drop", "timeout"} and not fault.delivers:
        await _withhold_answer(fault, request)
        raise build_unknown_error()
    return fault


async def apply_fault_after(
    fault: PlannedFault | None, request: Request, response: Response
) -> Response:
    """Apply a fault after the work is done, and return the response to send."""
    if fault is None:
        return response
    if fault.kind == "500_after_accepting":
        return build_error_response(build_unknown_error())
    if fault.kind == "garbled":
        return Response(UNREADABLE_BODY, media_type="text/html")
    if fault.kind in {"drop", "timeout"}:
        await _withhold_answer(fault, request)
    return response


async def _withhold_answer(fault: PlannedFault, request: Request) -> None:
    if fault.kind == "drop":
        await connection_faults.cut_connection(request.scope)
    else:
        await asyncio.sleep(fault.seconds)


def check_access_token(state: SandboxState, request: Request) -> None:
    """Check the access token.

    Raises:
        GraphApiRefusal: it is missing or wrong (190).

    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    given = (
        token.strip() if scheme.lower() == "bearer" else request.query_params.get("access_token")
    )
    if given != state.options.access_token:
        raise graph_errors.build_bad_token_error()


def read_phone_number_id(state: SandboxState, request: Request) -> str:
    """Return the phone number id in the path.

    Raises:
        GraphApiRefusal: it is not one of ours (100/33).

    """
    phone_number_id = str(request.path_params["object_id"])
    if phone_number_id not in state.options.phone_number_ids:
        raise graph_errors.build_unknown_object_error(phone_number_id, method=request.method)
    return phone_number_id


def _check_version(request: Request) -> None:
    version = str(request.path_params.get("version", ""))
    if VERSION_PATTERN.fullmatch(version) is None:
        raise build_unknown_path_error(request.url.path)


def build_unknown_path_error(path: str) -> GraphApiRefusal:
    """Return the error for an unknown path."""
    return GraphApiRefusal(2500, message=f"Unknown path components: {path}")
