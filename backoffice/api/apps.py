"""Django's name for this package."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The app `api`: tokens, and what was answered to requests that may come twice."""

    name = "backoffice.api"
    label = "api"
    verbose_name = "API"
