"""Add why a receipt was kept without an order; no row is rewritten on PostgreSQL."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('raffles', '0013_shared_proofs'),
    ]

    operations = [
        migrations.AddField(
            model_name='paymentproof',
            name='unplaced_reason',
            field=models.CharField(blank=True, choices=[('NO_ORDER', 'No order'), ('SEVERAL_ORDERS', 'Several orders'), ('UNKNOWN_CODE', 'Unknown code'), ('REVIEW_LIMIT', 'Review limit')], db_default='', default='', help_text='Why it was kept without an order; empty: it was not.', max_length=14),
        ),
    ]
