"""App configuration of publishing."""

from django.apps import AppConfig


class PublishingConfig(AppConfig):
    """The app `publishing`; it connects the recorder to the domain's signals."""

    name = "shared.publishing"
    label = "publishing"
    verbose_name = "Publishing"

    def ready(self) -> None:
        """Record events of every process that changes the domain."""
        from shared.publishing import recorder  # noqa: PLC0415 - needs the models

        recorder.connect_receivers()
