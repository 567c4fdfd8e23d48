"""Compute the search columns of existing contacts."""

from typing import Any

from django.db import migrations

from shared.core import search_columns


def fill(apps: Any, schema_editor: Any) -> None:
    """Fill the rows that have none yet."""
    rows = apps.get_model("whatsapp", "WhatsAppContact").objects.using(schema_editor.connection.alias)
    search_columns.fill_search_columns(
        rows.filter(search_phone__isnull=True),
        {
            "search_name": ("profile_name", search_columns.fold_name),
            "search_username": ("username", search_columns.fold_name),
            "search_phone": ("wa_id", search_columns.fold_whatsapp_phone),
        },
    )


class Migration(migrations.Migration):
    """Each batch is a transaction: no table is locked, and a second start goes on with the rest."""

    atomic = False

    dependencies = [("whatsapp", "0003_search_columns")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
