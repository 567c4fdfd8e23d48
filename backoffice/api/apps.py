"""Django app configuration of the API."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The app `api`, with the models of tokens and of idempotent requests."""

    name = "backoffice.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        """Connect the receivers that erase personal data."""
        from backoffice.api import erasure  # noqa: F401, PLC0415 - receivers; needs the models
