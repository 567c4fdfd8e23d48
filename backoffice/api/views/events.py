"""View of the event feed, from which a program that was offline catches up."""

from typing import Final
from urllib.parse import urlencode

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backoffice.api import links, query_params
from backoffice.api.responses.events import EventPageResponse
from shared.core.enums import EventType, Scope
from shared.events.services import feed
from shared.publishing.event_payloads import build_event_payload

DEFAULT_EVENTS_PER_PAGE: Final = 100
MAX_EVENTS_PER_PAGE: Final = 500
_FEED_PARAMETERS: Final = (
    OpenApiParameter(
        "after",
        {"type": "integer", "minimum": 0, "default": 0},
        description="The last place that was read; 0 begins with the oldest that is kept.",
    ),
    OpenApiParameter(
        "types",
        {"type": "array", "items": {"type": "string", "enum": [str(each) for each in EventType]}},
        description="Which events, with commas between; none named: all.",
        explode=False,
        style="form",
    ),
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "default": DEFAULT_EVENTS_PER_PAGE},
        description=(
            f"Events of a page; more than {MAX_EVENTS_PER_PAGE} are cut to {MAX_EVENTS_PER_PAGE}."
        ),
    ),
)


class EventFeedView(APIView):
    """`GET /api/events?after=4711`."""

    scope = Scope.READ

    @extend_schema(
        operation_id="events_list",
        tags=["events"],
        parameters=list(_FEED_PARAMETERS),
        responses={200: EventPageResponse},
    )
    def get(self, request: Request) -> Response:
        """List what happened after a place in the feed.

        The oldest first. Whoever keeps `next_after` and asks on from there misses nothing and reads
        nothing twice. Events are kept for 90 days.
        """
        query = request.query_params
        known = [each.name for each in _FEED_PARAMETERS]
        query_params.refuse_unknown_parameters(query, known=known, several=["types"])
        after = query_params.parse_whole_number(query, "after", least=0, default=0)
        limit = min(
            query_params.parse_whole_number(
                query, "limit", least=1, default=DEFAULT_EVENTS_PER_PAGE
            ),
            MAX_EVENTS_PER_PAGE,
        )
        events = feed.list_events_after(after, limit=limit + 1, types=_parse_event_types(request))
        more, events = len(events) > limit, events[:limit]
        last = events[-1].sequence if events else after
        public_url, now = links.build_base_url(request), timezone.now()
        return Response(
            {
                "results": [
                    build_event_payload(event, public_url=public_url, now=now) for event in events
                ],
                "next_after": last,
                "more": more,
                "next": _build_next_link(request, after=last) if more else None,
            }
        )


def _parse_event_types(request: Request) -> list[str]:
    types = query_params.parse_list(request.query_params, "types")
    if unknown := sorted(set(types) - set(EventType)):
        known = ", ".join(EventType)
        raise ValidationError({"types": [f"There is no {unknown[0]}; there are {known}."]})
    return types


def _build_next_link(request: Request, *, after: int | None) -> str:
    parameters = {name: ",".join(values) for name, values in request.query_params.lists()}
    return links.build_link_with_query(request, urlencode(parameters | {"after": str(after)}))
