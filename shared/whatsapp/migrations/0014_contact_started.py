"""Add when a buyer last wrote START, so that an older STOP that comes late changes nothing."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('whatsapp', '0013_contact_attribution'),
    ]

    operations = [
        migrations.AddField(
            model_name='whatsappcontact',
            name='started_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='When they last ended a STOP; an older STOP that comes late changes nothing.', null=True),
        ),
    ]
