"""Views of the OpenAPI document and of the API reference page for staff."""
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
    """Return the OpenAPI document as JSON in UTF-8, which never changes while a process runs."""
    schema = SchemaGenerator().get_schema(public=True)
    document: bytes = OpenApiJsonRenderer2().render(schema, renderer_context={"indent": 2})
    return document + b"\n"


@require_safe
def api_reference_view(request: HttpRequest) -> HttpResponse:
    """Show the API reference to staff, who can try each operation with their session."""
    if not admin.site.has_permission(request):
        return redirect_to_login(request.get_full_path())
    context = admin.site.each_context(request) | {"title": "API reference"}
    return TemplateResponse(request, "api/docs.html", context)
