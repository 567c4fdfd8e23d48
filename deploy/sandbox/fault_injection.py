"""Planned faults: errors that the stand-in makes on request."""

from collections.abc import Sequence
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from deploy.sandbox.graph_errors import GraphApiRefusal

GraphOperation = Literal["send", "read", "upload", "media", "download", "manage"]
FaultKind = Literal[
    "error",
    "429",
    "500",
    "500_after_accepting",
    "garbled",
    "timeout",
    "drop",
    "down",
    "delay",
    "fails_later",
    "corrupt",
]
MAX_PLANNED_FAULTS: Final = 1_000
UNREADABLE_BODY: Final = "<!DOCTYPE html><html><body>Sorry, something went wrong.</body></html>"


class PlannedFault(BaseModel):
    """A fault, the requests it applies to, and how often; `times` None lasts until cleared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FaultKind
    times: int | None = Field(default=1, ge=1, le=1_000_000)
    operation: GraphOperation | Literal["any"] = "send"
    to: str = ""
    code: int = 131000
    http: int | None = Field(default=None, ge=200, le=599)
    details: str = ""
    subcode: int | None = None
    transient: bool | None = None
    retry_after: int | None = Field(default=None, ge=0)
    seconds: float = Field(default=30, ge=0, le=600)
    delivers: bool = True

    def matches(self, operation: GraphOperation, *, to: str) -> bool:
        """Whether the fault applies to this request."""
        return self.operation in {"any", operation} and self.to in {"", to}

    def build_error(self) -> GraphApiRefusal | None:
        """Return the refusal, for the kinds that refuse before anything is sent."""
        if self.kind == "error":
            return GraphApiRefusal(
                self.code,
                http=self.http,
                details=self.details,
                subcode=self.subcode,
                transient=self.transient,
                retry_after=self.retry_after,
            )
        if self.kind == "429":
            return GraphApiRefusal(
                4,
                http=429,
                message="(#4) Application request limit reached",
                retry_after=self.retry_after,
            )
        if self.kind == "500":
            return build_unknown_error()
        if self.kind == "down":
            return GraphApiRefusal(
                2, message="(#2) Service temporarily unavailable", transient=True
            )
        return None


def build_unknown_error() -> GraphApiRefusal:
    """Return the error of a server that failed: the message may have been sent."""
    return GraphApiRefusal(131000, http=500)


def parse_fault(request: dict[str, object]) -> PlannedFault:
    """Parse the body of `POST /sandbox/faults`, with the defaults of its kind.

    Raises:
        pydantic.ValidationError: the body is not a valid fault.

    """
    defaults: dict[str, object] = {}
    match request.get("kind"):
        case "down":
            defaults = {"operation": "any", "times": None}
        case "corrupt":
            defaults = {"operation": "download"}
        case "drop":
            defaults = {"delivers": False}
        case "fails_later":
            defaults = {"code": 131026}
    return PlannedFault.model_validate({**defaults, **request})


class FaultPlan:
    """The planned faults, in the order of their requests."""

    def __init__(self) -> None:
        self._left: list[tuple[PlannedFault, int | None]] = []

    def add(self, fault: PlannedFault) -> None:
        """Add a fault; beyond `MAX_PLANNED_FAULTS` the oldest one is dropped."""
        self._left = [*self._left, (fault, fault.times)][-MAX_PLANNED_FAULTS:]

    def take_next(self, operation: GraphOperation, *, to: str = "") -> PlannedFault | None:
        """Return the first fault that applies to this request, and count it down."""
        for place, (fault, left) in enumerate(self._left):
            if fault.matches(operation, to=to):
                if left is not None:
                    rest = [(fault, left - 1)] if left > 1 else []
                    self._left[place : place + 1] = rest
                return fault
        return None

    def clear(self) -> None:
        """Remove all faults."""
        self._left = []

    def list_remaining(self) -> Sequence[dict[str, object]]:
        """Return the faults with how often they will still happen."""
        return [{**fault.model_dump(), "times": left} for fault, left in self._left]
