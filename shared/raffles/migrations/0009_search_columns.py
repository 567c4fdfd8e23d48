"""Add columns in which sales for cash are searched; they are empty at first."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('raffles', '0008_proof_renditions'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='search_name',
            field=models.TextField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='order',
            name='search_phone',
            field=models.TextField(blank=True, editable=False, null=True),
        ),
    ]
