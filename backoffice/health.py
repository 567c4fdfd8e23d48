"""Liveness and readiness checks."""
# ruff: noqa: ARG001 - Django passes these arguments

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shared.core import logs, migration_state

log = logs.get_logger(__name__)


@require_safe
@never_cache
def healthz_view(request: HttpRequest) -> JsonResponse:
    """Return 200 if the process can answer; nothing else is checked."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz_view(request: HttpRequest) -> JsonResponse:
    """Return 200 if the database answers and has every migration, else 503 with the reasons."""
    problems = _find_problems()
    if problems:
        return JsonResponse({"status": "not ready", "problems": problems}, status=503)
    return JsonResponse({"status": "ready"})


def _find_problems() -> list[str]:
    try:
        unapplied = migration_state.count_unapplied_migrations()
    except DatabaseError as error:
        log.warning("database_unreachable", error=type(error).__name__)
        return ["The database does not answer."]
    if unapplied:
        return [f"{unapplied} migrations are not applied; run `manage migrate`."]
    return []
