"""Add what pages can show of a proof; no row is rewritten on PostgreSQL."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('raffles', '0007_draw_terms'),
    ]

    operations = [
        migrations.AddField(
            model_name='paymentproof',
            name='page_count',
            field=models.PositiveIntegerField(db_default=0, default=0, help_text='Of a PDF.'),
        ),
        migrations.AddField(
            model_name='paymentproof',
            name='rendition',
            field=models.CharField(choices=[('PENDING', 'Pending'), ('MADE', 'Made'), ('TOO_COMPLEX', 'Too complex'), ('PROTECTED', 'Protected'), ('DAMAGED', 'Damaged')], db_default='PENDING', default='PENDING', help_text='Whether pages can show the file.', max_length=11),
        ),
    ]
