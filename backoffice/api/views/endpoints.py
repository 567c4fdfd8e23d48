"""Views of event endpoints and of deliveries to them."""
# ruff: noqa: ARG002 - DRF gives these arguments

from typing import ClassVar, Final

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.api import filters, pagination, query_params, scopes
from backoffice.api.filters import ApiChoicesFilter, ApiIdFilter
from backoffice.api.idempotency.idempotent_view import IdempotentView
from backoffice.api.openapi.schema import describe_refusals
from backoffice.api.pagination import IdPaginator
from backoffice.api.responses import base, events
from backoffice.api.serializers.endpoints import EndpointChangeSerializer, NewEndpointSerializer
from backoffice.api.serializers.order_decisions import validate_body
from shared.core import config, enums
from shared.core.enums import EventDeliveryStatus, Scope
from shared.events.errors import (
    AddressMalformed,
    AddressPrivate,
    DeliveryNotFound,
    DeliveryUnderWay,
    EndpointNameTaken,
    EndpointNotFound,
    HeaderRefused,
    SecretRefused,
)
from shared.events.models import EventDelivery, EventEndpoint
from shared.events.services import deliveries, endpoints

_ENDPOINT_NOT_FOUND: Final = EndpointNotFound()


class DeliveryFilterSet(django_filters.FilterSet):
    """Filters of the list of deliveries."""

    endpoint = ApiIdFilter("endpoint_id", help_text="Id of the endpoint.")
    status = ApiChoicesFilter(
        "status", choices=enums.build_choices(EventDeliveryStatus), help_text="One or several."
    )

    class Meta:
        """Model without generated filters."""

        model = EventDelivery
        fields: ClassVar[list[str]] = []


class EndpointListView(IdempotentView):
    """`GET` and `POST /api/endpoints`."""

    scope = Scope.ADMIN

    @extend_schema(
        operation_id="endpoints_list",
        tags=["endpoints"],
        parameters=pagination.build_page_parameters(),
        responses={200: events.EndpointPageResponse},
    )
    def get(self, request: Request) -> Response:
        """List the endpoints that are told of events."""
        query_params.refuse_unknown_parameters(
            request.query_params, known=pagination.PAGE_PARAMETERS
        )
        page = IdPaginator(request).get_page(EventEndpoint.objects.all())
        results = [events.build_endpoint_response(endpoint) for endpoint in page.rows]
        return base.render_response(
            events.EndpointPageResponse(**page.response_fields, results=results)
        )

    @extend_schema(
        operation_id="endpoint_create",
        tags=["endpoints"],
        request=NewEndpointSerializer,
        responses={
            201: events.CreatedEndpointResponse,
            **describe_refusals(
                EndpointNameTaken(),
                AddressMalformed(),
                AddressPrivate(),
                HeaderRefused(),
                SecretRefused(),
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Make an endpoint that is told of events from now on.

        The answer has its secret, which signs what is sent and is not shown again.
        """
        body = validate_body(NewEndpointSerializer(data=request.data))
        endpoint = endpoints.create_endpoint(
            name=body["name"],
            url=body["url"],
            types=body["types"] or (),
            header_name=body["header_name"],
            header_value=body["header_value"],
            secret=body["secret"] or None,
            by=scopes.get_caller_name(request),
            allow_private=config.get_settings().events_allow_private,
            now=timezone.now(),
        )
        return base.render_response(events.build_created_endpoint_response(endpoint), status=201)


class EndpointDetailView(IdempotentView):
    """`GET`, `PATCH` and `DELETE /api/endpoints/{id}`."""

    scope = Scope.ADMIN

    @extend_schema(
        operation_id="endpoint_retrieve",
        tags=["endpoints"],
        responses={200: events.EndpointResponse, **describe_refusals(_ENDPOINT_NOT_FOUND)},
    )
    def get(self, request: Request, **_: str) -> Response:
        """Show an endpoint."""
        return base.render_response(
            events.build_endpoint_response(endpoints.find_endpoint(self._endpoint_id))
        )

    @extend_schema(
        operation_id="endpoint_update",
        tags=["endpoints"],
        request=EndpointChangeSerializer,
        responses={200: events.EndpointResponse, **describe_refusals(_ENDPOINT_NOT_FOUND)},
    )
    def patch(self, request: Request, **_: str) -> Response:
        """Switch an endpoint off or on.

        What happens while it is off is not queued for it; it is in the feed. What waits for it is
        sent once it is on again.
        """
        if validate_body(EndpointChangeSerializer(data=request.data))["active"]:
            endpoint = endpoints.enable_endpoint(self._endpoint_id)
        else:
            reason = f"Switched off by {scopes.get_caller_name(request)}."
            endpoint = endpoints.disable_endpoint(
                self._endpoint_id, reason=reason, now=timezone.now()
            )
        return base.render_response(events.build_endpoint_response(endpoint))

    @extend_schema(
        operation_id="endpoint_delete",
        tags=["endpoints"],
        responses={204: None, **describe_refusals(_ENDPOINT_NOT_FOUND)},
    )
    def delete(self, request: Request, **_: str) -> Response:
        """Delete an endpoint with the log of its deliveries; the events stay."""
        endpoints.delete_endpoint(self._endpoint_id, now=timezone.now())
        return Response(status=204)

    @property
    def _endpoint_id(self) -> int:
        return query_params.parse_id(self.kwargs["id"])


class DeliveryListView(IdempotentView):
    """`GET /api/deliveries?status=FAILED`."""

    scope = Scope.ADMIN

    @extend_schema(
        operation_id="deliveries_list",
        tags=["deliveries"],
        parameters=filters.build_filter_parameters(DeliveryFilterSet),
        responses={200: events.DeliveryPageResponse},
    )
    def get(self, request: Request) -> Response:
        """List how far each event got on its way to an endpoint.

        The newest first unless asked for otherwise.
        """
        rows = filters.filter_rows(DeliveryFilterSet, request.query_params, _query_deliveries())
        page = IdPaginator(request, ordering="-id").get_page(rows)
        results = [events.build_delivery_response(delivery) for delivery in page.rows]
        return base.render_response(
            events.DeliveryPageResponse(**page.response_fields, results=results)
        )


class ResendDeliveryView(IdempotentView):
    """`POST /api/deliveries/{id}/resend`."""

    scope = Scope.ADMIN

    @extend_schema(
        operation_id="delivery_resend",
        tags=["deliveries"],
        request=None,
        responses={
            200: events.DeliveryResponse,
            **describe_refusals(DeliveryNotFound(), DeliveryUnderWay()),
        },
    )
    def post(self, request: Request, **_: str) -> Response:
        """Send an event to its endpoint once more.

        It leaves at once, or once the endpoint is switched on again; receivers know it by its id.
        """
        queued = deliveries.resend_delivery(
            query_params.parse_id(self.kwargs["id"]), now=timezone.now()
        )
        return base.render_response(
            events.build_delivery_response(_query_deliveries().get(pk=queued.pk))
        )


def _query_deliveries() -> QuerySet[EventDelivery]:
    return EventDelivery.objects.select_related("event", "endpoint").defer("event__data")
