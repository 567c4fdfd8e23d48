"""The API's own description: as a document for programs, and as a page for staff."""
# ruff: noqa: ARG002 - DRF gives these arguments
# mypy: disable-error-code="no-untyped-call"

from functools import cache
from typing import Any, Final

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer2
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

_DOCUMENT_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"openapi": {"type": "string"}},
    "required": ["openapi", "info", "paths", "components"],
}


class OpenApiDocumentView(APIView):
    """`GET /api/schema`."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="schema_retrieve", tags=["schema"], responses={200: _DOCUMENT_SCHEMA}
    )
    def get(self, request: Request) -> HttpResponse:
        """Give this document: OpenAPI 3.1, the same for everybody."""
        return HttpResponse(render_openapi_document(), content_type="application/json")


@cache
def render_openapi_document() -> bytes:
    """Write the API's OpenAPI document; it is the same as long as the process lives."""
    described = SchemaGenerator().get_schema(public=True)
    written: bytes = OpenApiJsonRenderer2().render(described, renderer_context={"indent": 2})
    return written + b"\n"


@require_safe
def api_reference_view(request: HttpRequest) -> HttpResponse:
    """Show the API to staff, who may try each operation as themselves."""
    if not admin.site.has_permission(request):
        return redirect_to_login(request.get_full_path())
    page = admin.site.each_context(request) | {"title": "API reference"}
    return TemplateResponse(request, "api/docs.html", page)
