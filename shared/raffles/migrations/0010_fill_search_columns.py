"""Compute the search columns of existing sales for cash, the only orders with a buyer's name of their own."""

from typing import Any

from django.db import migrations

from shared.core import search_columns


def fill(apps: Any, schema_editor: Any) -> None:
    """Fill the rows that have none yet."""
    rows = apps.get_model("raffles", "Order").objects.using(schema_editor.connection.alias)
    search_columns.fill_search_columns(
        rows.filter(contact__isnull=True, search_phone__isnull=True),
        {
            "search_name": ("buyer_name", search_columns.fold_name),
            "search_phone": ("buyer_phone", search_columns.fold_typed_phone),
        },
    )


class Migration(migrations.Migration):
    """Each batch is a transaction: no table is locked, and a second start goes on with the rest."""

    atomic = False

    dependencies = [("raffles", "0009_search_columns")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
