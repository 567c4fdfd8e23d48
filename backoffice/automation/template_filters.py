"""Template filters for the pages of events, deliveries, endpoints and API tokens."""

from typing import Final

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString

from backoffice.automation import endpoint_health, event_labels, token_labels
from backoffice.ui import display
from shared.events.models import EventAttempt, EventDelivery, EventEndpoint

register: Final = template.Library()

register.filter("local_time", display.format_time)
register.filter("pretty_json", display.format_json)
register.filter("event_type_label", event_labels.describe_event_type)
register.filter("feed_place", event_labels.format_feed_place)
register.filter("event_subject", event_labels.render_event_subject)
register.filter("scope_label", token_labels.describe_scope)
register.filter("token_badge", token_labels.render_token_badge)
register.filter("token_expiry", token_labels.describe_token_expiry)


@register.filter
def delivery_badge(delivery: EventDelivery) -> SafeString:
    """Return the state of a delivery as a badge."""
    state, style = event_labels.describe_delivery_state(delivery)
    return display.render_badge(state, style=style)


@register.filter
def delivery_reason(delivery: EventDelivery) -> str:
    """Return the reason for a delivery's state; its endpoint must be loaded."""
    return event_labels.explain_delivery_state(delivery, now=timezone.now())


@register.filter
def response(source: EventDelivery | EventAttempt) -> str:
    """Return status and latency of the response to a delivery or an attempt."""
    return event_labels.describe_response(source.http_status, source.latency_ms)


@register.filter
def endpoint_badge(endpoint: EventEndpoint) -> SafeString:
    """Return whether an endpoint is on or off, as a badge."""
    state, style = endpoint_health.describe_endpoint_state(endpoint)
    return display.render_badge(state, style=style)
