"""Fill the ledger from the history of orders, and complete the terms of existing raffles."""

from typing import Any

from django.db import migrations
from django.db.models import F, Q

from shared.raffles.services import former_version


def complete_terms(apps: Any, schema_editor: Any) -> None:
    """End sales by the draw, and trust the time zone of raffles that were opened or changed it."""
    raffles = apps.get_model("raffles", "Raffle").objects.using(schema_editor.connection.alias)
    raffles.filter(sales_close_at__gt=F("draw_at")).update(sales_close_at=F("draw_at"))
    raffles.filter(~Q(status="DRAFT") | ~Q(time_zone="UTC")).update(time_zone_confirmed=True)


def complete_orders(apps: Any, schema_editor: Any) -> None:
    """Cap deadlines by the draw, and fill the ledger from the history."""
    former_version.complete_orders(schema_editor.connection.alias)


class Migration(migrations.Migration):
    """Small transactions, so that others write meanwhile; a second start goes on with the rest."""

    atomic = False

    dependencies = [("raffles", "0005_last_day")]

    operations = [
        migrations.RunPython(complete_terms, migrations.RunPython.noop),
        migrations.RunPython(complete_orders, migrations.RunPython.noop),
    ]
