"""Response models that all parts of the API share."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from rest_framework.response import Response

from shared.publishing.representations import Representation


class ProblemResponse(BaseModel):
    """Every refusal and every fault; some carry more fields, which `detail` has as well."""

    model_config = ConfigDict(frozen=True, extra="allow")

    code: str = Field(examples=["order_not_found"], description="Stable, for programs.")
    message: str = Field(examples=["There is no such order."], description="For people.")
    detail: Any = Field(description="Values that belong to it, or null.")
    retryable: bool = Field(description="Whether the same request may succeed later.")


class PageResponse[Row](Representation):
    """A page of a list, with links to the next and the previous page."""

    count: int
    next: str | None
    previous: str | None
    results: list[Row]


def render_response(model: BaseModel, *, status: int = 200) -> Response:
    """Return a JSON response with a model as its body."""
    return Response(model.model_dump(mode="json"), status=status)
