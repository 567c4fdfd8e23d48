"""Add who waits for a person, who wrote STOP, and who wrote a message by hand; a second at most."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('whatsapp', '0011_contact_adult'),
    ]

    operations = [
        migrations.AddField(
            model_name='outboundmessage',
            name='written_by',
            field=models.CharField(blank=True, help_text='The person who wrote it; empty: the bot did.', max_length=150, null=True),
        ),
        migrations.AddField(
            model_name='whatsappcontact',
            name='bot_paused_until',
            field=models.DateTimeField(blank=True, editable=False, help_text='The bot does not answer their words until then, because a person does.', null=True),
        ),
        migrations.AddField(
            model_name='whatsappcontact',
            name='stopped_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='When they wrote STOP: they only get answers to what they write.', null=True),
        ),
        migrations.AddField(
            model_name='whatsappcontact',
            name='wants_person_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='Since when they wait for an answer from a person; empty: they do not wait.', null=True, verbose_name='waits for a person since'),
        ),
        migrations.AddIndex(
            model_name='whatsappcontact',
            index=models.Index(condition=models.Q(('wants_person_at__isnull', False)), fields=['wants_person_at'], name='contact_wants_person'),
        ),
    ]
