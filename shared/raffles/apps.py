"""App configuration of the raffles."""

import importlib

from django.apps import AppConfig


class RafflesConfig(AppConfig):
    """Configuration of the app `raffles`."""

    name = "shared.raffles"
    label = "raffles"
    verbose_name = "Raffles"

    def import_models(self) -> None:
        """Load the models of draws, which stand in a module of their own, with the others."""
        super().import_models()
        importlib.import_module("shared.raffles.draws.draw_models")
