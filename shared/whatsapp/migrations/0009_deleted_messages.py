"""Let the count of the month include messages that are erased."""


from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('whatsapp', '0008_erasure'),
    ]

    operations = [
        migrations.CreateModel(
            name='DeletedMessages',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phone_number_id', models.CharField(max_length=32)),
                ('hour', models.DateTimeField(help_text='The hour of sending, at its beginning.')),
                ('count', models.PositiveIntegerField()),
            ],
            options={
                'verbose_name_plural': 'deleted messages',
                'indexes': [models.Index(fields=['phone_number_id', 'hour'], name='deleted_messages')],
            },
        ),
    ]
