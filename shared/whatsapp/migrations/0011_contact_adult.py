"""Add the time at which a buyer said that they are 18 or older."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("whatsapp", "0010_received_webhooks")]

    operations = [
        migrations.AddField(
            model_name="whatsappcontact",
            name="adult_confirmed_at",
            field=models.DateTimeField(
                null=True,
                blank=True,
                editable=False,
                help_text="When they said that they are 18 or older; asked once, for all raffles.",
            ),
        ),
    ]
