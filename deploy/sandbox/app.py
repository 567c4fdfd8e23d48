"""The stand-in as a Starlette application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from deploy.sandbox.control_api import endpoints as control_endpoints
from deploy.sandbox.graph_api import endpoints, management, requests
from deploy.sandbox.options import SandboxBehaviour, SandboxOptions
from deploy.sandbox.state import SandboxState


def build_app(options: SandboxOptions, behaviour: SandboxBehaviour) -> Starlette:
    """Build the application; its state is created at its start and lost at its end."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.sandbox = SandboxState(options, behaviour)
        yield
        await app.state.sandbox.webhooks.aclose()

    return Starlette(
        routes=[*control_endpoints.ROUTES, *endpoints.ROUTES, *management.ROUTES],
        exception_handlers={404: _handle_unknown_path, 405: _handle_unknown_path},
        lifespan=lifespan,
    )


async def _handle_unknown_path(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    if request.url.path.startswith("/sandbox"):
        return JSONResponse({"error": "there is no such address here"}, status_code=status)
    return requests.build_error_response(requests.build_unknown_path_error(request.url.path))
