"""Let no sale end after the draw."""

from typing import Any

from django.db import migrations, models


def end_sales_by_the_draw(apps: Any, schema_editor: Any) -> None:
    """Do again what 0006 did: a process of the former version may have saved a raffle since."""
    raffles = apps.get_model("raffles", "Raffle").objects.using(schema_editor.connection.alias)
    raffles.filter(sales_close_at__gt=models.F("draw_at")).update(sales_close_at=models.F("draw_at"))


class Migration(migrations.Migration):

    dependencies = [("raffles", "0006_ledger_of_the_past")]

    operations = [
        migrations.RunPython(end_sales_by_the_draw, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='raffle',
            constraint=models.CheckConstraint(condition=models.Q(('sales_close_at__isnull', True), ('draw_at__isnull', True), ('sales_close_at__lte', models.F('draw_at')), _connector='OR'), name='raffle_sales_end_before_draw'),
        ),
        migrations.AddConstraint(
            model_name='raffle',
            constraint=models.CheckConstraint(condition=models.Q(('draw_at__isnull', True), ('draw_when_sold_out', False), _connector='OR'), name='raffle_draw_date_or_sold_out'),
        ),
    ]
