"""Add what each person was told by e-mail."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='StaffMailbox',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('wants_mail', models.BooleanField(default=True)),
                ('told', models.JSONField(default=list, help_text='Keys of the draws and alarms told so far.')),
                ('told_proofs_until', models.DateTimeField(help_text='When the newest proof told so far began to wait.', null=True)),
                ('told_proofs_at', models.DateTimeField(help_text='The last e-mail about proofs.', null=True)),
                ('sent_at', models.DateTimeField(help_text='The last e-mail.', null=True)),
                ('next_try_at', models.DateTimeField(help_text='Not before: an e-mail is being sent, or failed.', null=True)),
                ('failures', models.PositiveIntegerField(default=0, help_text='Since the last e-mail.')),
                ('version', models.PositiveIntegerField(default=0)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='mailbox', to=settings.AUTH_USER_MODEL)),
            ],
        ),
    ]
