"""Add columns in which contacts are searched; they are empty at first."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('whatsapp', '0002_failed_messages'),
    ]

    operations = [
        migrations.AddField(
            model_name='whatsappcontact',
            name='search_name',
            field=models.TextField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='whatsappcontact',
            name='search_phone',
            field=models.TextField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='whatsappcontact',
            name='search_username',
            field=models.TextField(blank=True, editable=False, null=True),
        ),
    ]
