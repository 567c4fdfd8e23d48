"""Create the tables of events in a new database, as 0001 to 0004 leave them."""

import django.core.validators
import django.db.models.deletion
import shared.core.enums
import shared.events.models
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [
        ('events', '0001_initial'),
        ('events', '0002_last_day'),
        ('events', '0003_draw_events'),
        ('events', '0004_wants_person'),
    ]

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_id', models.CharField(default=shared.events.models.new_event_id, editable=False, max_length=40, unique=True)),
                ('sequence', models.BigIntegerField(help_text='Its place in the feed; given after the commit.', null=True, unique=True)),
                ('type', models.CharField(choices=[('order.created', 'Order created'), ('order.proof_received', 'Order proof received'), ('order.paid', 'Order paid'), ('order.rejected', 'Order rejected'), ('order.cancelled', 'Order cancelled'), ('order.expired', 'Order expired'), ('order.late_payment', 'Order late payment'), ('order.unconfirmed', 'Order unconfirmed'), ('order.refunded', 'Order refunded'), ('raffle.sold_out', 'Raffle sold out'), ('raffle.draw_moved', 'Raffle draw moved'), ('raffle.called_off', 'Raffle called off'), ('raffle.sealed', 'Raffle sealed'), ('raffle.drawn', 'Raffle drawn'), ('winner.confirmed', 'Winner confirmed'), ('prize.claimed', 'Prize claimed'), ('message.failed', 'Message failed'), ('contact.wants_person', 'Contact wants person'), ('channel.alert', 'Channel alert')], max_length=32)),
                ('dedupe_key', models.CharField(help_text='What happens once is told once.', max_length=120, null=True, unique=True)),
                ('subject', models.CharField(blank=True, help_text="What it is about, e.g. an order's code.", max_length=120)),
                ('order_id', models.BigIntegerField(blank=True, null=True)),
                ('proof_id', models.BigIntegerField(blank=True, null=True)),
                ('data', models.JSONField(help_text='How it was then; no link that expires.')),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['id'],
                'indexes': [models.Index(condition=models.Q(('sequence__isnull', True)), fields=['id'], name='event_to_number'), models.Index(fields=['subject', 'id'], name='event_by_subject'), models.Index(fields=['type', 'id'], name='event_by_type'), models.Index(fields=['created_at'], name='event_by_age')],
                'constraints': [models.CheckConstraint(condition=models.Q(('type__in', ['order.created', 'order.proof_received', 'order.paid', 'order.rejected', 'order.cancelled', 'order.expired', 'order.late_payment', 'order.unconfirmed', 'order.refunded', 'raffle.sold_out', 'raffle.draw_moved', 'raffle.called_off', 'raffle.sealed', 'raffle.drawn', 'winner.confirmed', 'prize.claimed', 'message.failed', 'contact.wants_person', 'channel.alert'])), name='event_type_known')],
            },
        ),
        migrations.CreateModel(
            name='EventSequence',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('last', models.BigIntegerField(default=0)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='event_sequence_is_one')],
            },
        ),
        migrations.CreateModel(
            name='EventEndpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='E.g. n8n: new proofs.', max_length=60, unique=True)),
                ('url', models.URLField(help_text="Where events are sent, e.g. n8n's production URL.", max_length=500, verbose_name='address')),
                ('secret', models.CharField(default=shared.events.models.new_secret, help_text='Signs what is sent.', max_length=100, validators=[django.core.validators.RegexValidator('^whsec_[A-Za-z0-9+/]+=*$', 'It must begin with whsec_.')])),
                ('types', models.JSONField(blank=True, default=list, help_text='Which events it wants; none chosen: all.')),
                ('header_name', models.CharField(blank=True, help_text='Sent along with each event, e.g. X-N8N-Key; empty: none.', max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9-]+$', 'Letters, digits and hyphens only.')], verbose_name='fixed header')),
                ('header_value', models.CharField(blank=True, max_length=500, verbose_name='its value')),
                ('active', models.BooleanField(default=True, help_text='Whether events are sent there.')),
                ('disabled_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('disabled_reason', models.CharField(blank=True, editable=False, max_length=200)),
                ('created_at', models.DateTimeField()),
                ('created_by', models.CharField(blank=True, max_length=150)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='EventDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='events.event')),
                ('endpoint', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='events.eventendpoint')),
                ('status', models.CharField(choices=[('QUEUED', 'Queued'), ('SENDING', 'Sending'), ('DELIVERED', 'Delivered'), ('FAILED', 'Failed')], default=shared.core.enums.EventDeliveryStatus['QUEUED'], max_length=9)),
                ('attempts', models.PositiveSmallIntegerField(default=0, help_text='Since it was queued last.')),
                ('next_attempt_at', models.DateTimeField(blank=True, null=True)),
                ('lease', models.UUIDField(editable=False, null=True)),
                ('lease_until', models.DateTimeField(editable=False, null=True)),
                ('http_status', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('latency_ms', models.PositiveIntegerField(blank=True, null=True)),
                ('error', models.CharField(blank=True, max_length=300)),
                ('response', models.TextField(blank=True, help_text='How the answer to the last try begins.')),
                ('created_at', models.DateTimeField()),
                ('delivered_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('status', shared.core.enums.EventDeliveryStatus['QUEUED'])), fields=['endpoint', 'next_attempt_at'], name='event_delivery_due'), models.Index(condition=models.Q(('status', shared.core.enums.EventDeliveryStatus['SENDING'])), fields=['lease_until'], name='event_delivery_leased'), models.Index(fields=['endpoint', 'status', 'id'], name='event_delivery_by_endpoint'), models.Index(fields=['status', 'id'], name='event_delivery_by_status')],
                'constraints': [models.UniqueConstraint(fields=('event', 'endpoint'), name='event_delivered_once_an_endpoint'), models.CheckConstraint(condition=models.Q(('status__in', ['QUEUED', 'SENDING', 'DELIVERED', 'FAILED'])), name='event_delivery_status_known')],
            },
        ),
        migrations.CreateModel(
            name='EventAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tries', to='events.eventdelivery')),
                ('at', models.DateTimeField()),
                ('http_status', models.PositiveSmallIntegerField(null=True)),
                ('latency_ms', models.PositiveIntegerField(null=True)),
                ('error', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
    ]
