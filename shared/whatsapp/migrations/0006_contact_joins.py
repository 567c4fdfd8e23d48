"""Let two contacts of one person be joined."""

import django.core.serializers.json
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('whatsapp', '0005_business_account'),
    ]

    operations = [
        migrations.CreateModel(
            name='ContactJoin',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('before', models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder, help_text='The values of both contacts before.')),
                ('moved', models.JSONField(help_text='Ids of the rows that moved, by kind.')),
                ('message_count', models.PositiveIntegerField(help_text='Messages from them at the time.')),
                ('order_count', models.PositiveIntegerField(help_text='Orders of them at the time.')),
                ('at', models.DateTimeField()),
                ('by', models.CharField(max_length=150)),
                ('undone_at', models.DateTimeField(blank=True, null=True)),
                ('undone_by', models.CharField(blank=True, max_length=150)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='JoinSuggestion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=200)),
                ('found_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(blank=True, help_text='When they were joined, or a person said they are two.', null=True)),
                ('settled_by', models.CharField(blank=True, max_length=150)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='whatsappcontact',
            name='contact_has_a_key',
        ),
        migrations.AddField(
            model_name='whatsappcontact',
            name='joined_into',
            field=models.ForeignKey(blank=True, help_text='The contact of the same person that has its keys, messages and orders now.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='joined_contacts', to='whatsapp.whatsappcontact'),
        ),
        migrations.AddConstraint(
            model_name='whatsappcontact',
            constraint=models.CheckConstraint(condition=models.Q(('user_id__isnull', False), ('wa_id__isnull', False), ('joined_into__isnull', False), _connector='OR'), name='contact_has_a_key'),
        ),
        migrations.AddField(
            model_name='contactjoin',
            name='joined',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='whatsapp.whatsappcontact'),
        ),
        migrations.AddField(
            model_name='contactjoin',
            name='kept',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='joins', to='whatsapp.whatsappcontact'),
        ),
        migrations.AddField(
            model_name='joinsuggestion',
            name='current',
            field=models.ForeignKey(blank=True, help_text='The one that has the ids which WhatsApp announced; empty if it announced none.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='whatsapp.whatsappcontact'),
        ),
        migrations.AddField(
            model_name='joinsuggestion',
            name='first',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='whatsapp.whatsappcontact'),
        ),
        migrations.AddField(
            model_name='joinsuggestion',
            name='second',
            field=models.ForeignKey(help_text='The newer one.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='whatsapp.whatsappcontact'),
        ),
        migrations.AddConstraint(
            model_name='contactjoin',
            constraint=models.UniqueConstraint(condition=models.Q(('undone_at__isnull', True)), fields=('joined',), name='contact_joined_once'),
        ),
        migrations.AddConstraint(
            model_name='joinsuggestion',
            constraint=models.UniqueConstraint(fields=('first', 'second'), name='join_suggested_once'),
        ),
        migrations.AddConstraint(
            model_name='joinsuggestion',
            constraint=models.CheckConstraint(condition=models.Q(('first__lt', models.F('second'))), name='join_suggested_in_order'),
        ),
    ]
