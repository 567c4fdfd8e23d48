"""Add why the bot is paused for a buyer."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('whatsapp', '0014_contact_started'),
    ]

    operations = [
        migrations.AddField(
            model_name='whatsappcontact',
            name='pause_cause',
            field=models.JSONField(blank=True, editable=False, help_text='Why the bot is paused: reason, who did it, and when.', null=True),
        ),
    ]
