"""Add the last link or ad by which a contact came; a nullable column, in milliseconds."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('whatsapp', '0012_handover'),
    ]

    operations = [
        migrations.AddField(
            model_name='whatsappcontact',
            name='attribution',
            field=models.JSONField(blank=True, editable=False, help_text='The last link or ad they came by, until they buy.', null=True),
        ),
    ]
