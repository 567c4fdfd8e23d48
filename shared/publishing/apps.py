"""App configuration of publishing."""

from django.apps import AppConfig


class PublishingConfig(AppConfig):
    """The app `publishing`. Loading it connects the event recorder to the domain's signals."""

    name = "shared.publishing"
    label = "publishing"
    verbose_name = "Publishing"

    def ready(self) -> None:
        """Connect the receivers, so that every process records events."""
        from shared.publishing import recorder  # noqa: F401, PLC0415 - receivers; needs the models
