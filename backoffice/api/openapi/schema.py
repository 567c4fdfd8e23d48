"""OpenAPI schema of operations: the parts that all operations share.

A view describes its operation, its response and its own refusals:

    @extend_schema(
        operation_id="order_cancel",
        tags=["orders"],
        request=CancellationSerializer,
        responses={
            200: orders.CancellationResponse,
            **describe_refusals(OrderNotFound(reference="R-7K3F9")),
        },
    )

This module adds the required scope, the errors that any request can get, the header
`Idempotency-Key`, and an example for each response.
"""
# ruff: noqa: ARG002 - spectacular gives these arguments
# mypy: disable-error-code="no-untyped-call"

from collections.abc import Mapping
from inspect import cleandoc
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_examples_list
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import exceptions
from rest_framework.permissions import AllowAny

from backoffice.api import permissions, problems
from backoffice.api.idempotency import idempotent_view, request_claims
from backoffice.api.openapi import examples
from backoffice.api.permissions import ScopeMissing
from backoffice.api.responses.base import ProblemResponse
from backoffice.api.serializers.order_decisions import StrictSerializer
from shared.core.enums import Scope
from shared.core.errors import DomainError

STATUS_DESCRIPTIONS: Final[Mapping[str, str]] = {
    "200": "Done.",
    "201": "Made.",
    "204": "Done; there is nothing to say.",
    "400": "Some values are missing or malformed.",
    "401": "No token was sent, or one that is not valid.",
    "403": "The token may not do this.",
    "404": "There is nothing with this id.",
    "409": "It cannot be done as things are; nothing was changed.",
    "410": "It was here, and is not any more.",
    "413": "The body is too large.",
    "415": "The body is neither JSON nor a form.",
    "422": "What was sent does not fit; nothing was changed.",
    "429": "Too many requests; come back after `Retry-After` seconds.",
    "503": "The database is busy; come back after `Retry-After` seconds.",
}
"""Default descriptions of responses by HTTP status."""

UNSAFE_METHODS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
IDEMPOTENCY_KEY_PARAMETER: Final = OpenApiParameter(
    idempotent_view.KEY_HEADER,
    {"type": "string", "pattern": "^[!-~]([ -~]{0,253}[!-~])?$"},
    OpenApiParameter.HEADER,
    description=(
        "Makes a repeat harmless: the same key with the same body is given the first answer again, "
        "for 24 hours."
    ),
)
_REPLAYED_HEADER: Final = {
    "description": "`true` where an earlier answer to the same `Idempotency-Key` is repeated.",
    "schema": {"type": "string", "const": "true"},
}
_RETRY_AFTER_HEADER: Final = {
    "description": "Seconds to wait before the same request is sent again.",
    "schema": {"type": "string", "pattern": "^[0-9]+$"},
    "required": True,
}
_CHALLENGE_HEADER: Final = {
    "description": "The scheme that a token is sent with.",
    "schema": {"type": "string"},
    "required": True,
}


def describe_refusals(*refused: DomainError | ProblemResponse) -> dict[int, OpenApiResponse]:
    """Return the OpenAPI descriptions of a view's own error responses.

    Args:
        refused: errors with example values, such as `OrderNotFound(reference="R-7K3F9")`, or
            problems with additional fields, which have the status 409.

    Returns:
        Responses by HTTP status, with each error as an example.

    """
    by_status: dict[int, list[OpenApiExample]] = {}
    for each in refused:
        if isinstance(each, ProblemResponse):
            status, problem = 409, each.model_dump(mode="json")
        else:
            described = problems.describe_error(each)
            status, problem = described.status, described.body
        by_status.setdefault(status, []).append(_build_problem_example(problem))
    return {
        status: OpenApiResponse(ProblemResponse, examples=problem_examples)
        for status, problem_examples in by_status.items()
    }


def _build_problem_example(problem: Mapping[str, Any]) -> OpenApiExample:
    return OpenApiExample(problem["code"], value=problem, summary=problem["message"])


class OperationSchema(AutoSchema):
    """Schema of one operation: a method at an address."""

    def get_summary(self) -> str:
        """Return the first paragraph of the method's docstring."""
        return self._get_docstring().partition("\n\n")[0].replace("\n", " ").removesuffix(".")

    def get_description(self) -> str:  # type: ignore[override]
        """Return the other paragraphs of the docstring up to its sections, and the scope."""
        rest = self._get_docstring().partition("\n\n")[2]
        rest = rest.partition("Raises:")[0].partition("Args:")[0]
        scope = self._get_needed_scope()
        needs = f"Needs a token with the scope `{scope}`." if scope else "Needs no token."
        return "\n\n".join(part for part in (rest.strip(), needs) if part)

    def get_override_parameters(self) -> list[Any]:
        """Return the parameters of the view, with `Idempotency-Key` for unsafe methods."""
        parameters: list[Any] = super().get_override_parameters()
        return [*parameters, IDEMPOTENCY_KEY_PARAMETER] if self._is_unsafe else parameters

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for status, common_examples in self._list_common_refusals().items():
            if status == "404" and status in bodies:
                continue  # the view itself describes it
            common = self._get_response_for_code(
                OpenApiResponse(ProblemResponse, examples=common_examples), status
            )
            body = bodies.setdefault(status, common)
            if body is not common:
                body["content"]["application/json"].setdefault("examples", {}).update(
                    common["content"]["application/json"]["examples"]
                )
        for status, body in bodies.items():
            body["description"] = body["description"] or STATUS_DESCRIPTIONS[status]
        return dict(sorted(bodies.items()))

    def _get_response_headers_for_code(self, status_code: str, direction: Any = "response") -> Any:
        headers = super()._get_response_headers_for_code(status_code, direction)
        if self._is_unsafe and status_code.startswith("2"):
            headers[idempotent_view.REPLAYED_HEADER] = _REPLAYED_HEADER
        if status_code in {"429", "503"}:
            headers["Retry-After"] = _RETRY_AFTER_HEADER
        if status_code == "401":
            headers["WWW-Authenticate"] = _CHALLENGE_HEADER
        return headers

    def _list_common_refusals(self) -> dict[str, list[OpenApiExample]]:
        errors: dict[str, list[Exception]] = {}
        if scope := self._get_needed_scope():
            errors["401"] = [exceptions.NotAuthenticated(), exceptions.AuthenticationFailed()]
            errors["403"] = [ScopeMissing(scope=Scope.READ, needed=scope)]
            errors["429"] = [exceptions.Throttled(wait=12)]
            errors["503"] = [OperationalError()]
        if "{" in self.path:
            errors["404"] = [exceptions.NotFound()]
        if self._is_unsafe or self._get_parameters():
            fault = {"limit": ["A valid integer is required."]}
            errors["400"] = [exceptions.ValidationError(fault)]
        if self._is_unsafe:
            errors["409"] = [request_claims.RequestInProgress()]
            errors["413"] = [RequestDataTooBig()]
            errors["415"] = [exceptions.UnsupportedMediaType("text/plain")]
            errors["422"] = [request_claims.IdempotencyKeyReused()]
        return {
            status: [_build_problem_example(problems.describe_error(error).body) for error in each]
            for status, each in errors.items()
        }

    def _get_examples(self, serializer: Any, direction: Any, *options: Any) -> Any:
        kind = serializer if isinstance(serializer, type) else type(serializer)
        known = build_examples_list(examples.list_examples(kind))
        return super()._get_examples(serializer, direction, *options) or known

    def _postprocess_serializer_schema(self, schema: Any, serializer: Any, direction: Any) -> Any:
        schema = super()._postprocess_serializer_schema(schema, serializer, direction)
        if isinstance(serializer, StrictSerializer):
            schema |= {"additionalProperties": False, **serializer.schema_rules}
        return schema

    @property
    def _is_unsafe(self) -> bool:
        return self.method in UNSAFE_METHODS

    def _get_needed_scope(self) -> Scope | None:
        if AllowAny in {type(each) for each in self.view.get_permissions()}:
            return None
        return permissions.get_needed_scope(self.view, method=self.method)

    def _get_docstring(self) -> str:
        """Return the docstring of the view's method."""
        return cleandoc(getattr(self.view, self.method.lower()).__doc__ or "")


class TokenScheme(OpenApiAuthenticationExtension):
    """OpenAPI security schemes of the three headers that can carry a token."""

    target_class = "backoffice.api.authentication.ApiTokenAuthentication"
    name = ["bearer", "token", "apiKey"]

    def get_security_requirement(self, auto_schema: Any) -> Any:
        """Return alternatives: each scheme alone is enough."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> Any:
        """Return the schemes in the order of `name`."""
        return [
            {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer …`"},
            {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`Authorization: Token …`: write `Token`, a space, the token.",
            },
            {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The token."},
        ]


class SessionScheme(OpenApiAuthenticationExtension):
    """OpenAPI security scheme of the session of a staff user."""

    target_class = "backoffice.api.authentication.StaffSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> Any:
        """Return the scheme of the session cookie."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "Staff logged in to the back office; changes need `X-CSRFToken`, too.",
        }
