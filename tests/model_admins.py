"""The model admins of the back office."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db.models import Model


def load_model_admins() -> dict[type[Model], "ModelAdmin[Any]"]:
    """Return all model admins by model; only the URLs and the checks load them by themselves."""
    admin.autodiscover()
    return dict(admin.site._registry)
