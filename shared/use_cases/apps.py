"""App configuration of the use cases."""

from django.apps import AppConfig


class UseCasesConfig(AppConfig):
    """Configuration of the app `use_cases`, through which Django finds its commands."""

    name = "shared.use_cases"
    label = "use_cases"
    verbose_name = "Use cases"
