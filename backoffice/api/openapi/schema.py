"""What the OpenAPI document says of every operation alike; the views say the rest themselves.

A view names its operation, its answers and its own refusals:

    @extend_schema(
        operation_id="cancelOrder",
        request=Cancellation,
        responses={200: answers.Cancelled, **refusals(OrderNotFound, OrderAlreadyPaid)},
    )

Who may ask, what may happen to any request, the header that makes a repeat harmless, and an example
for each answer are added here.
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

from backoffice.api import idempotency, permissions, problems
from backoffice.api.openapi import examples
from backoffice.api.permissions import ScopeMissing
from backoffice.api.responses.orders import ProblemResponse
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
"""What a status means where the view says nothing of its own."""

UNSAFE_METHODS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
IDEMPOTENCY_KEY_PARAMETER: Final = OpenApiParameter(
    idempotency.KEY_HEADER,
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
    """Give the answers for what a view's use case may refuse, by their status, each as it is sent.

    Args:
        refused: the errors with values as they may have, e.g. `OrderNotFound(reference="R-7K3F9")`;
            or a problem with more fields than others have.

    """
    found: dict[int, list[OpenApiExample]] = {}
    for each in refused:
        if isinstance(each, ProblemResponse):
            found.setdefault(409, []).append(_build_problem_example(each.model_dump(mode="json")))
        else:
            answer = problems.describe_error(each)
            found.setdefault(answer.status, []).append(_build_problem_example(answer.body))
    return {
        status: OpenApiResponse(ProblemResponse, examples=examples)
        for status, examples in found.items()
    }


def _build_problem_example(problem: Mapping[str, Any]) -> OpenApiExample:
    return OpenApiExample(problem["code"], value=problem, summary=problem["message"])


class OperationSchema(AutoSchema):
    """One method of one address."""

    def get_summary(self) -> str:
        """Give the first sentence of the method's docstring."""
        return self._words().partition("\n\n")[0].replace("\n", " ").removesuffix(".")

    def get_description(self) -> str:  # type: ignore[override]
        """Give the rest of the docstring as far as it is for everybody, and the scope it needs."""
        rest = self._words().partition("\n\n")[2].partition("Raises:")[0].partition("Args:")[0]
        scope = self._scope()
        needs = f"Needs a token with the scope `{scope}`." if scope else "Needs no token."
        return "\n\n".join(part for part in (rest.strip(), needs) if part)

    def get_override_parameters(self) -> list[Any]:
        """Add the header that makes a repeat harmless."""
        found: list[Any] = super().get_override_parameters()
        return [*found, IDEMPOTENCY_KEY_PARAMETER] if self._changes else found

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for status, more in self._refusals_of_every_operation().items():
            if status == "404" and status in bodies:
                continue  # the view says by itself what is not found
            made = self._get_response_for_code(
                OpenApiResponse(ProblemResponse, examples=more), status
            )
            here = bodies.setdefault(status, made)
            if here is not made:
                here["content"]["application/json"].setdefault("examples", {}).update(
                    made["content"]["application/json"]["examples"]
                )
        for status, body in bodies.items():
            body["description"] = body["description"] or STATUS_DESCRIPTIONS[status]
        return dict(sorted(bodies.items()))

    def _get_response_headers_for_code(self, status_code: str, direction: Any = "response") -> Any:
        headers = super()._get_response_headers_for_code(status_code, direction)
        if self._changes and status_code.startswith("2"):
            headers[idempotency.REPLAYED_HEADER] = _REPLAYED_HEADER
        if status_code in {"429", "503"}:
            headers["Retry-After"] = _RETRY_AFTER_HEADER
        if status_code == "401":
            headers["WWW-Authenticate"] = _CHALLENGE_HEADER
        return headers

    def _refusals_of_every_operation(self) -> dict[str, list[OpenApiExample]]:
        found: dict[str, list[Exception]] = {}
        if scope := self._scope():
            found["401"] = [exceptions.NotAuthenticated(), exceptions.AuthenticationFailed()]
            found["403"] = [ScopeMissing(scope=Scope.READ, needed=scope)]
            found["429"] = [exceptions.Throttled(wait=12)]
            found["503"] = [OperationalError()]
        if "{" in self.path:
            found["404"] = [exceptions.NotFound()]
        if self._changes or self._get_parameters():
            found["400"] = [exceptions.ValidationError({"limit": ["A valid integer is required."]})]
        if self._changes:
            found["409"] = [idempotency.RequestInProgress()]
            found["413"] = [RequestDataTooBig()]
            found["415"] = [exceptions.UnsupportedMediaType("text/plain")]
            found["422"] = [idempotency.IdempotencyKeyReused()]
        return {
            status: [
                _build_problem_example(problems.describe_error(error).body) for error in errors_
            ]
            for status, errors_ in found.items()
        }

    def _get_examples(self, serializer: Any, direction: Any, *given: Any) -> Any:
        kind = serializer if isinstance(serializer, type) else type(serializer)
        known = build_examples_list(examples.list_examples(kind))
        return super()._get_examples(serializer, direction, *given) or known

    def _postprocess_serializer_schema(self, schema: Any, serializer: Any, direction: Any) -> Any:
        schema = super()._postprocess_serializer_schema(schema, serializer, direction)
        if isinstance(serializer, StrictSerializer):
            schema |= {"additionalProperties": False, **serializer.rules}
        return schema

    @property
    def _changes(self) -> bool:
        return self.method in UNSAFE_METHODS

    def _scope(self) -> Scope | None:
        if AllowAny in {type(each) for each in self.view.get_permissions()}:
            return None
        return permissions.get_needed_scope(self.view, method=self.method)

    def _words(self) -> str:
        """Give the docstring of the method that answers."""
        return cleandoc(getattr(self.view, self.method.lower()).__doc__ or "")


class TokenScheme(OpenApiAuthenticationExtension):
    """The three ways to send a token."""

    target_class = "backoffice.api.authentication.ApiTokenAuthentication"
    name = ["bearer", "token", "apiKey"]

    def get_security_requirement(self, auto_schema: Any) -> Any:
        """Any one of them is enough."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> Any:
        """Describe them in the order of their names."""
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
    """Staff who are logged in to the back office."""

    target_class = "backoffice.api.authentication.StaffSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> Any:
        """Describe the cookie."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "Staff logged in to the back office; changes need `X-CSRFToken`, too.",
        }
