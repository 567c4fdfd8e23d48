"""Index sent messages by time, so that those of a month are counted quickly."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('whatsapp', '0006_contact_joins'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='outboundmessage',
            index=models.Index(condition=models.Q(('sent_at__isnull', False)), fields=['phone_number_id', 'sent_at'], name='outbound_sent'),
        ),
    ]
