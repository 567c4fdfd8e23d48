from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("raffles", "0006_ledger_of_the_past")]

    operations = [
        migrations.AddConstraint(
            model_name='raffle',
            constraint=models.CheckConstraint(condition=models.Q(('sales_close_at__isnull', True), ('draw_at__isnull', True), ('sales_close_at__lte', models.F('draw_at')), _connector='OR'), name='raffle_sales_end_before_draw'),
        ),
        migrations.AddConstraint(
            model_name='raffle',
            constraint=models.CheckConstraint(condition=models.Q(('draw_at__isnull', True), ('draw_when_sold_out', False), _connector='OR'), name='raffle_draw_date_or_sold_out'),
        ),
    ]
