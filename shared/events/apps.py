"""App configuration of events."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    """The app `events`."""

    name = "shared.events"
    label = "events"
    verbose_name = "Events"
