"""Add the WhatsApp account of each business number."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('whatsapp', '0004_fill_search_columns'),
    ]

    operations = [
        migrations.AddField(
            model_name='businessnumber',
            name='waba_id',
            field=models.CharField(blank=True, db_default='', default='', help_text='As its webhooks name it.', max_length=40, verbose_name='WhatsApp Business Account'),
        ),
        migrations.AlterField(
            model_name='inboundmessage',
            name='contact',
            field=models.ForeignKey(blank=True, help_text='Empty when it names no sender, or is for a business number that is not ours.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='inbound_messages', to='whatsapp.whatsappcontact'),
        ),
    ]
