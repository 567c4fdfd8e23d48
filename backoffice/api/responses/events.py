"""Response models of events, of endpoints and of deliveries to them."""

from typing import Any, Final

from pydantic import ConfigDict, Field

from backoffice.api.responses.base import PageResponse
from shared.events.models import EventDelivery, EventEndpoint
from shared.publishing.event_payloads import Envelope
from shared.publishing.representations import Moment, Representation

_COPIED_FIELDS: Final = (
    "id",
    "name",
    "url",
    "types",
    "active",
    "created_at",
)
"""Fields of an endpoint that its response has under the same names."""


class EventPageResponse(Representation):
    """Events in the order of the feed, and where it goes on."""

    results: list[Envelope]
    next_after: int = Field(
        examples=[4711], description="Ask for what is `after` this place the next time."
    )
    more: bool = Field(description="There is more already; ask on at once.")
    next: str | None = Field(description="The address to ask on at; null: there is no more yet.")


class EndpointResponse(Representation):
    """An address that is told of events; neither its secret nor its fixed header is shown."""

    id: int
    name: str = Field(examples=["n8n"])
    url: str = Field(examples=["https://n8n.example/webhook/raffle"])
    types: list[str] = Field(
        examples=[["order.paid"]], description="Which events it wants; none named: all."
    )
    header_name: str | None = Field(
        examples=["X-N8N-Key"], description="Of the fixed header that is sent along."
    )
    active: bool
    disabled_at: Moment | None
    disabled_reason: str | None = Field(examples=["Switched off by n8n."])
    created_at: Moment
    created_by: str | None = Field(examples=["olga"])


class CreatedEndpointResponse(EndpointResponse):
    """An endpoint that was just made: its secret is shown this once."""

    model_config = ConfigDict(title="EndpointMade")

    secret: str = Field(
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBqCmQ7yVYt0="],
        description="Signs what is sent; see X-Raffle-Signature.",
    )


class EndpointPageResponse(PageResponse[EndpointResponse]):
    """A page of endpoints."""


class EventReferenceResponse(Representation):
    """An event by its names."""

    model_config = ConfigDict(title="EventName")

    id: str = Field(examples=["evt_5f2b8c0e9d7a4b1c8e6f3a2d1c0b9a87"])
    type: str = Field(examples=["order.paid"])
    sequence: int | None = Field(examples=[4711])
    subject: str = Field(examples=["R-7K3F9"], description="What it is about; may be empty.")


class EndpointReferenceResponse(Representation):
    """An endpoint by its names."""

    model_config = ConfigDict(title="EndpointName")

    id: int
    name: str = Field(examples=["n8n"])


class DeliveryResponse(Representation):
    """How far an event got on its way to an endpoint."""

    id: int
    event: EventReferenceResponse
    endpoint: EndpointReferenceResponse
    status: str = Field(examples=["DELIVERED"], description="QUEUED, SENDING, DELIVERED or FAILED.")
    attempts: int = Field(description="Since it was queued last.")
    next_attempt_at: Moment | None
    http_status: int | None = Field(examples=[200], description="Of the last try.")
    latency_ms: int | None = Field(examples=[84], description="Of the last try.")
    error: str = Field(description="Why the last try failed; may be empty.")
    response: str = Field(description="How the answer to the last try begins; may be empty.")
    created_at: Moment
    delivered_at: Moment | None


class DeliveryPageResponse(PageResponse[DeliveryResponse]):
    """A page of deliveries."""


def build_endpoint_response(endpoint: EventEndpoint) -> EndpointResponse:
    """Return the response for an endpoint, without its secret."""
    return EndpointResponse(**_build_endpoint_fields(endpoint))


def build_created_endpoint_response(endpoint: EventEndpoint) -> CreatedEndpointResponse:
    """Return the response for a new endpoint, with its secret."""
    return CreatedEndpointResponse(**_build_endpoint_fields(endpoint), secret=endpoint.secret)


def build_delivery_response(delivery: EventDelivery) -> DeliveryResponse:
    """Return the response for a delivery, loaded with its event and endpoint."""
    event = delivery.event
    return DeliveryResponse(
        id=delivery.pk,
        event=EventReferenceResponse(
            id=event.event_id, type=event.type, sequence=event.sequence, subject=event.subject
        ),
        endpoint=EndpointReferenceResponse(id=delivery.endpoint_id, name=delivery.endpoint.name),
        status=delivery.status,
        attempts=delivery.attempts,
        next_attempt_at=delivery.next_attempt_at,
        http_status=delivery.http_status,
        latency_ms=delivery.latency_ms,
        error=delivery.error,
        response=delivery.response,
        created_at=delivery.created_at,
        delivered_at=delivery.delivered_at,
    )


def _build_endpoint_fields(endpoint: EventEndpoint) -> dict[str, Any]:
    return {name: getattr(endpoint, name) for name in _COPIED_FIELDS} | {
        "header_name": endpoint.header_name or None,
        "disabled_at": endpoint.disabled_at,
        "disabled_reason": endpoint.disabled_reason or None,
        "created_by": endpoint.created_by or None,
    }
