"""Create the tables of WhatsApp in a new database, as 0001 to 0015 leave them."""

import django.core.serializers.json
import django.db.models.deletion
import shared.core.enums
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [
        ('whatsapp', '0001_initial'),
        ('whatsapp', '0002_failed_messages'),
        ('whatsapp', '0003_search_columns'),
        ('whatsapp', '0004_fill_search_columns'),
        ('whatsapp', '0005_business_account'),
        ('whatsapp', '0006_contact_joins'),
        ('whatsapp', '0007_sent_messages_by_time'),
        ('whatsapp', '0008_erasure'),
        ('whatsapp', '0009_deleted_messages'),
        ('whatsapp', '0010_received_webhooks'),
        ('whatsapp', '0011_contact_adult'),
        ('whatsapp', '0012_handover'),
        ('whatsapp', '0013_contact_attribution'),
        ('whatsapp', '0014_contact_started'),
        ('whatsapp', '0015_pause_cause'),
    ]

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='WhatsAppContact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phone_number_id', models.CharField(max_length=32, verbose_name='business number')),
                ('user_id', models.CharField(blank=True, help_text='Business-scoped user id, e.g. US.1349…', max_length=160, null=True)),
                ('parent_user_id', models.CharField(blank=True, max_length=160)),
                ('wa_id', models.CharField(blank=True, help_text='Phone number without +; absent while the buyer hides it.', max_length=32, null=True, verbose_name='phone')),
                ('profile_name', models.CharField(blank=True, max_length=150)),
                ('username', models.CharField(blank=True, max_length=150)),
                ('search_name', models.TextField(blank=True, editable=False, null=True)),
                ('search_username', models.TextField(blank=True, editable=False, null=True)),
                ('search_phone', models.TextField(blank=True, editable=False, null=True)),
                ('state', models.CharField(choices=[('MENU', 'Menu'), ('CHOOSE_MODE', 'Choose mode'), ('ASK_QTY', 'Ask qty'), ('ASK_PICK_NUMBERS', 'Ask pick numbers'), ('CONFIRM_RESERVATION', 'Confirm reservation'), ('WAIT_PROOF', 'Wait proof'), ('DONE', 'Done')], default=shared.core.enums.State['MENU'], max_length=20)),
                ('context', models.JSONField(blank=True, default=dict)),
                ('last_inbound_at', models.DateTimeField(blank=True, help_text="By the message's own time; opens the 24 h window.", null=True)),
                ('is_blocked', models.BooleanField(default=False, help_text='Is not answered.', verbose_name='blocked')),
                ('adult_confirmed_at', models.DateTimeField(blank=True, editable=False, help_text='When they said that they are 18 or older; asked once, for all raffles.', null=True)),
                ('wants_person_at', models.DateTimeField(blank=True, editable=False, help_text='Since when they wait for an answer from a person; empty: they do not wait.', null=True, verbose_name='waits for a person since')),
                ('bot_paused_until', models.DateTimeField(blank=True, editable=False, help_text='The bot does not answer their words until then, because a person does.', null=True)),
                ('pause_cause', models.JSONField(blank=True, editable=False, help_text='Why the bot is paused: reason, who did it, and when.', null=True)),
                ('stopped_at', models.DateTimeField(blank=True, editable=False, help_text='When they wrote STOP: they only get answers to what they write.', null=True)),
                ('started_at', models.DateTimeField(blank=True, editable=False, help_text='When they last ended a STOP; an older STOP that comes late changes nothing.', null=True)),
                ('attribution', models.JSONField(blank=True, editable=False, help_text='The last link or ad they came by, until they buy.', null=True)),
                ('identity_conflict', models.BooleanField(default=False, help_text='Its user id and phone seem to belong to two contacts.')),
                ('send_after', models.DateTimeField(blank=True, help_text='Meta asked for a pause towards this buyer until then.', null=True)),
                ('pair_rate_hits', models.PositiveSmallIntegerField(default=0)),
                ('joined_into', models.ForeignKey(blank=True, help_text='The contact of the same person that has its keys, messages and orders now.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='joined_contacts', to='whatsapp.whatsappcontact')),
                ('created_at', models.DateTimeField()),
                ('erased_at', models.DateTimeField(blank=True, editable=False, help_text='When its ids, names and messages were erased; its orders still refer to it.', null=True)),
            ],
            options={
                'verbose_name': 'contact',
                'ordering': ['-id'],
                'permissions': [('erase_whatsappcontact', 'Can erase the personal data of buyers')],
                'indexes': [models.Index(condition=models.Q(('wants_person_at__isnull', False)), fields=['wants_person_at'], name='contact_wants_person')],
                'constraints': [models.UniqueConstraint(fields=('phone_number_id', 'user_id'), name='contact_by_user_id'), models.UniqueConstraint(fields=('phone_number_id', 'wa_id'), name='contact_by_wa_id'), models.CheckConstraint(condition=models.Q(('user_id__isnull', False), ('wa_id__isnull', False), ('joined_into__isnull', False), ('erased_at__isnull', False), _connector='OR'), name='contact_has_a_key'), models.CheckConstraint(condition=models.Q(('state__in', ['MENU', 'CHOOSE_MODE', 'ASK_QTY', 'ASK_PICK_NUMBERS', 'CONFIRM_RESERVATION', 'WAIT_PROOF', 'DONE'])), name='contact_state_known')],
            },
        ),
        migrations.CreateModel(
            name='ContactAlias',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phone_number_id', models.CharField(max_length=32)),
                ('user_id', models.CharField(max_length=160)),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='aliases', to='whatsapp.whatsappcontact')),
            ],
            options={
                'verbose_name_plural': 'contact aliases',
                'constraints': [models.UniqueConstraint(fields=('phone_number_id', 'user_id'), name='alias_once')],
            },
        ),
        migrations.CreateModel(
            name='JoinSuggestion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='whatsapp.whatsappcontact')),
                ('second', models.ForeignKey(help_text='The newer one.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='whatsapp.whatsappcontact')),
                ('current', models.ForeignKey(blank=True, help_text='The one that has the ids which WhatsApp announced; empty if it announced none.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='whatsapp.whatsappcontact')),
                ('reason', models.CharField(max_length=200)),
                ('found_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(blank=True, help_text='When they were joined, or a person said they are two.', null=True)),
                ('settled_by', models.CharField(blank=True, max_length=150)),
            ],
            options={
                'ordering': ['-id'],
                'constraints': [models.UniqueConstraint(fields=('first', 'second'), name='join_suggested_once'), models.CheckConstraint(condition=models.Q(('first__lt', models.F('second'))), name='join_suggested_in_order')],
            },
        ),
        migrations.CreateModel(
            name='ContactJoin',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kept', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='joins', to='whatsapp.whatsappcontact')),
                ('joined', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='whatsapp.whatsappcontact')),
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
                'constraints': [models.UniqueConstraint(condition=models.Q(('undone_at__isnull', True)), fields=('joined',), name='contact_joined_once')],
            },
        ),
        migrations.CreateModel(
            name='ReceivedWebhook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('body', models.BinaryField()),
                ('received_at', models.DateTimeField()),
                ('correlation_id', models.CharField(max_length=32)),
                ('attempts', models.PositiveSmallIntegerField(db_default=0, default=0, help_text='Readings that began after it was left over.')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='InboundMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phone_number_id', models.CharField(max_length=32, verbose_name='business number')),
                ('wa_message_id', models.CharField(max_length=255)),
                ('dedupe_key', models.CharField(help_text="The message's id; for reactions with time and emoji.", max_length=320)),
                ('contact', models.ForeignKey(blank=True, help_text='Empty when it names no sender, or is for a business number that is not ours.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='inbound_messages', to='whatsapp.whatsappcontact')),
                ('type', models.CharField(max_length=40)),
                ('text', models.TextField(blank=True, help_text='What a person reads of it.')),
                ('payload', models.JSONField(help_text='The message as Meta sent it, without NUL characters.')),
                ('sent_at', models.DateTimeField(help_text="By the message's own timestamp.")),
                ('received_at', models.DateTimeField()),
                ('correlation_id', models.CharField(blank=True, max_length=32)),
                ('status', models.CharField(choices=[('RECEIVED', 'Received'), ('PROCESSED', 'Processed'), ('IGNORED', 'Ignored'), ('FAILED', 'Failed')], default=shared.core.enums.InboxStatus['RECEIVED'], max_length=10)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(blank=True, null=True)),
                ('error', models.CharField(blank=True, max_length=500)),
                ('processed_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('status', shared.core.enums.InboxStatus['RECEIVED'])), fields=['contact', 'sent_at', 'id'], name='inbound_waiting'), models.Index(condition=models.Q(('status', shared.core.enums.InboxStatus['RECEIVED'])), fields=['received_at'], name='inbound_waiting_since'), models.Index(condition=models.Q(('status', shared.core.enums.InboxStatus['FAILED'])), fields=['id'], name='inbound_failed'), models.Index(fields=['contact', '-sent_at'], name='inbound_of_contact'), models.Index(fields=['wa_message_id'], name='inbound_by_wamid')],
                'constraints': [models.UniqueConstraint(fields=('phone_number_id', 'dedupe_key'), name='inbound_once'), models.CheckConstraint(condition=models.Q(('status__in', ['RECEIVED', 'PROCESSED', 'IGNORED', 'FAILED'])), name='inbound_status_known')],
            },
        ),
        migrations.CreateModel(
            name='OutboundMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('callback_data', models.UUIDField(default=uuid.uuid4, help_text='Travels as biz_opaque_callback_data.', unique=True)),
                ('phone_number_id', models.CharField(max_length=32, verbose_name='business number')),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='outbound_messages', to='whatsapp.whatsappcontact')),
                ('kind', models.CharField(choices=[('REPLY', 'Reply'), ('NOTICE', 'Notice')], max_length=6)),
                ('key', models.CharField(help_text='Which text it is, e.g. paid.', max_length=40)),
                ('payload', models.JSONField(help_text="The message's body without its addressee.")),
                ('in_reply_to', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replies', to='whatsapp.inboundmessage')),
                ('about', models.CharField(blank=True, help_text='What it is about, e.g. R-7K3F9.', max_length=40)),
                ('written_by', models.CharField(blank=True, help_text='The person who wrote it; empty: the bot did.', max_length=150, null=True)),
                ('correlation_id', models.CharField(blank=True, max_length=32)),
                ('status', models.CharField(choices=[('QUEUED', 'Queued'), ('SENDING', 'Sending'), ('SENT', 'Sent'), ('UNKNOWN', 'Unknown'), ('WITHHELD', 'Withheld'), ('STALE', 'Stale'), ('FAILED', 'Failed')], default=shared.core.enums.OutboxStatus['QUEUED'], max_length=8)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('unknown_sends', models.PositiveSmallIntegerField(default=0, help_text='How often it was handed over without an answer.')),
                ('next_attempt_at', models.DateTimeField(blank=True, null=True)),
                ('lease', models.UUIDField(blank=True, help_text='Who is sending it now.', null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('wa_message_id', models.CharField(blank=True, max_length=255)),
                ('delivery', models.CharField(blank=True, help_text='What Meta said became of it.', max_length=10)),
                ('error_code', models.IntegerField(blank=True, null=True)),
                ('error', models.CharField(blank=True, help_text='What went wrong, in words.', max_length=500)),
                ('created_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('status', shared.core.enums.OutboxStatus['QUEUED'])), fields=['id'], name='outbound_queue'), models.Index(condition=models.Q(('status', shared.core.enums.OutboxStatus['QUEUED'])), fields=['contact', 'id'], name='outbound_queue_of_contact'), models.Index(condition=models.Q(('status', shared.core.enums.OutboxStatus['SENDING'])), fields=['lease_until'], name='outbound_sending'), models.Index(condition=models.Q(('status', shared.core.enums.OutboxStatus['UNKNOWN'])), fields=['next_attempt_at'], name='outbound_unknown'), models.Index(condition=models.Q(('status', shared.core.enums.OutboxStatus['WITHHELD'])), fields=['contact'], name='outbound_withheld'), models.Index(condition=models.Q(('status', shared.core.enums.OutboxStatus['FAILED']), models.Q(('delivery', shared.core.enums.MessageDeliveryStatus['FAILED']), ('status', shared.core.enums.OutboxStatus['SENT'])), _connector='OR'), fields=['id'], name='outbound_failed'), models.Index(condition=models.Q(('sent_at__isnull', False)), fields=['phone_number_id', 'sent_at'], name='outbound_sent'), models.Index(fields=['contact', '-created_at'], name='outbound_of_contact'), models.Index(fields=['wa_message_id'], name='outbound_by_wamid')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['QUEUED', 'SENDING', 'SENT', 'UNKNOWN', 'WITHHELD', 'STALE', 'FAILED'])), name='outbound_status_known'), models.CheckConstraint(condition=models.Q(models.Q(('status', shared.core.enums.OutboxStatus['SENDING']), _negated=True), models.Q(('lease__isnull', False), ('lease_until__isnull', False)), _connector='OR'), name='outbound_sending_has_a_lease')],
            },
        ),
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
        migrations.CreateModel(
            name='DeliveryStatus',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phone_number_id', models.CharField(max_length=32)),
                ('wa_message_id', models.CharField(max_length=255)),
                ('status', models.CharField(max_length=20)),
                ('participant', models.CharField(blank=True, max_length=160)),
                ('callback_data', models.CharField(blank=True, max_length=512)),
                ('occurred_at', models.DateTimeField()),
                ('error_code', models.IntegerField(blank=True, null=True)),
                ('error', models.CharField(blank=True, max_length=500)),
                ('payload', models.JSONField()),
                ('received_at', models.DateTimeField()),
                ('next_attempt_at', models.DateTimeField(help_text='When its message is looked for (again).')),
                ('applied_at', models.DateTimeField(blank=True, help_text='When it was applied, or given up after eight days.', null=True)),
            ],
            options={
                'verbose_name_plural': 'delivery statuses',
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('applied_at__isnull', True)), fields=['next_attempt_at'], name='delivery_to_apply')],
                'constraints': [models.UniqueConstraint(fields=('phone_number_id', 'wa_message_id', 'status', 'participant'), name='delivery_once')],
            },
        ),
        migrations.CreateModel(
            name='AccountNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('dedupe_key', models.CharField(help_text='SHA-256 of the change.', max_length=64, unique=True)),
                ('waba_id', models.CharField(blank=True, max_length=40)),
                ('field', models.CharField(blank=True, max_length=80)),
                ('payload', models.JSONField()),
                ('needs_attention', models.BooleanField(default=False)),
                ('received_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='UnreadableItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sha256', models.CharField(max_length=64, unique=True)),
                ('body', models.BinaryField()),
                ('reason', models.CharField(max_length=300)),
                ('received_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='BusinessNumber',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phone_number_id', models.CharField(max_length=32, unique=True)),
                ('display_phone_number', models.CharField(blank=True, max_length=32)),
                ('waba_id', models.CharField(blank=True, db_default='', default='', help_text='As its webhooks name it.', max_length=40, verbose_name='WhatsApp Business Account')),
                ('paused_at', models.DateTimeField(blank=True, null=True)),
                ('pause_code', models.IntegerField(blank=True, null=True)),
                ('pause_reason', models.CharField(blank=True, max_length=300)),
                ('probe_at', models.DateTimeField(blank=True, help_text='While paused, one message is tried then.', null=True)),
                ('send_after', models.DateTimeField(blank=True, help_text='Meta asked the whole number to slow down until then.', null=True)),
                ('throttle_hits', models.PositiveSmallIntegerField(default=0)),
                ('last_webhook_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Alarm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='What makes it the same trouble.', max_length=120)),
                ('title', models.CharField(max_length=200)),
                ('detail', models.TextField(blank=True)),
                ('phone_number_id', models.CharField(blank=True, max_length=32)),
                ('count', models.PositiveIntegerField(default=1)),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('resolved_by', models.CharField(blank=True, max_length=150)),
            ],
            options={
                'ordering': ['-last_at'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('resolved_at__isnull', True)), fields=('key',), name='one_open_alarm_a_trouble')],
            },
        ),
    ]
