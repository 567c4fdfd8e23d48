"""App configuration of the use cases."""

from django.apps import AppConfig


class UseCasesConfig(AppConfig):
    """The app `use_cases`; Django finds its management commands by it."""

    name = "shared.use_cases"
    label = "use_cases"
    verbose_name = "Use cases"
