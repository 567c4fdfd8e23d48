"""App configuration of the raffles."""

from django.apps import AppConfig


class RafflesConfig(AppConfig):
    """Configuration of the app `raffles`."""

    name = "shared.raffles"
    label = "raffles"
    verbose_name = "Raffles"
