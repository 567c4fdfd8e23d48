"""Add the ledger of money, the history of raffles, and raffles that are drawn when sold out."""

import django.db.models.deletion
import shared.core.enums
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('raffles', '0004_events_by_time'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='order',
            options={'ordering': ['-id'], 'permissions': [('export_order', 'Can export buyers and sales'), ('refund_order', 'Can refund paid orders')]},
        ),
        migrations.AlterModelOptions(
            name='raffle',
            options={'ordering': ['-id'], 'permissions': [('call_off_raffle', 'Can call off raffles')]},
        ),
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('CONFIRMED', 'Confirmed'), ('UNDONE', 'Undone'), ('REFUNDED', 'Refunded'), ('LATE_REFUNDED', 'Late refunded')], max_length=13)),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14)),
                ('currency', models.CharField(max_length=3)),
                ('quantity', models.PositiveIntegerField(help_text='How many ticket numbers were paid.')),
                ('reference', models.CharField(blank=True, help_text='E.g. of the bank transfer.', max_length=100)),
                ('actor_kind', models.CharField(choices=[('CHAT', 'Chat'), ('STAFF', 'Staff'), ('TOKEN', 'Token'), ('SWEEPER', 'Sweeper')], max_length=8)),
                ('actor_id', models.CharField(blank=True, max_length=64)),
                ('actor_label', models.CharField(blank=True, max_length=150)),
                ('at', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'ledger entries',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='RaffleEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('action', models.CharField(choices=[('OPENED', 'Opened'), ('PAUSED', 'Paused'), ('CLOSED', 'Closed'), ('DRAW_MOVED', 'Draw moved'), ('CALLED_OFF', 'Called off'), ('SEALED', 'Sealed'), ('DRAWN', 'Drawn')], max_length=20)),
                ('actor_kind', models.CharField(choices=[('CHAT', 'Chat'), ('STAFF', 'Staff'), ('TOKEN', 'Token'), ('SWEEPER', 'Sweeper')], max_length=8)),
                ('actor_id', models.CharField(blank=True, max_length=64)),
                ('actor_label', models.CharField(blank=True, max_length=150)),
                ('from_status', models.CharField(max_length=10)),
                ('to_status', models.CharField(max_length=10)),
                ('reason', models.TextField(blank=True)),
                ('draw_before', models.DateTimeField(blank=True, null=True)),
                ('draw_after', models.DateTimeField(blank=True, null=True)),
                ('at', models.DateTimeField()),
                ('last_order_id', models.PositiveBigIntegerField(default=0, help_text='Orders up to this one have been worked off.')),
                ('unfinished', models.BooleanField(default=False, help_text='Orders of the raffle still have to be worked off.')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='raffle',
            name='raffle_status_known',
        ),
        migrations.AddField(
            model_name='raffle',
            name='draw_when_sold_out',
            field=models.BooleanField(db_default=False, default=False, help_text='Instead of a date: it is drawn when all numbers are sold.'),
        ),
        migrations.AddField(
            model_name='raffle',
            name='time_zone_confirmed',
            field=models.BooleanField(db_default=False, default=False, editable=False, help_text='A person chose the time zone.'),
        ),
        migrations.AlterField(
            model_name='orderevent',
            name='action',
            field=models.CharField(choices=[('HELD', 'Held'), ('PLACED', 'Placed'), ('PROOF_RECEIVED', 'Proof received'), ('PROOF_REJECTED', 'Proof rejected'), ('PAID', 'Paid'), ('CANCELLED', 'Cancelled'), ('EXPIRED', 'Expired'), ('NUMBERS_TAKEN_BACK', 'Numbers taken back'), ('NUMBERS_REPLACED', 'Numbers replaced'), ('ASKED_AGAIN', 'Asked again'), ('LATE_PAYMENT', 'Late payment'), ('REFUND_NOTED', 'Refund noted'), ('UNCONFIRMED', 'Unconfirmed'), ('REFUNDED', 'Refunded')], max_length=20),
        ),
        migrations.AlterField(
            model_name='raffle',
            name='sales_close_at',
            field=models.DateTimeField(blank=True, help_text='Empty: until an hour before the draw, or until it is closed.', null=True),
        ),
        migrations.AlterField(
            model_name='raffle',
            name='status',
            field=models.CharField(choices=[('DRAFT', 'Draft'), ('OPEN', 'Open'), ('PAUSED', 'Paused'), ('CLOSED', 'Closed'), ('SEALED', 'Sealed'), ('DRAWN', 'Drawn'), ('CANCELLED', 'Cancelled')], default=shared.core.enums.RaffleStatus['DRAFT'], editable=False, max_length=10),
        ),
        migrations.AddConstraint(
            model_name='raffle',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['DRAFT', 'OPEN', 'PAUSED', 'CLOSED', 'SEALED', 'DRAWN', 'CANCELLED'])), name='raffle_status_known'),
        ),
        migrations.AddField(
            model_name='ledgerentry',
            name='confirmation',
            field=models.ForeignKey(blank=True, help_text='The confirmation that brought the money in; empty if there was none.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ledger', to='raffles.orderevent'),
        ),
        migrations.AddField(
            model_name='ledgerentry',
            name='order',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ledger', to='raffles.order'),
        ),
        migrations.AddField(
            model_name='ledgerentry',
            name='raffle',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='ledger', to='raffles.raffle'),
        ),
        migrations.AddField(
            model_name='raffleevent',
            name='raffle',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='raffles.raffle'),
        ),
        migrations.AddIndex(
            model_name='ledgerentry',
            index=models.Index(fields=['raffle', 'at'], name='ledger_by_raffle'),
        ),
        migrations.AddIndex(
            model_name='ledgerentry',
            index=models.Index(fields=['at'], name='ledger_by_time'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', shared.core.enums.LedgerKind['CONFIRMED'])), fields=('confirmation',), name='ledger_confirmed_once'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.UniqueConstraint(condition=models.Q(('kind__in', [shared.core.enums.LedgerKind['UNDONE'], shared.core.enums.LedgerKind['REFUNDED']])), fields=('confirmation',), name='ledger_taken_back_once'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['CONFIRMED', 'UNDONE', 'REFUNDED', 'LATE_REFUNDED'])), name='ledger_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gte', 0)), name='ledger_amount_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('confirmation__isnull', False), ('kind', shared.core.enums.LedgerKind['LATE_REFUNDED']), _connector='OR'), name='ledger_names_the_confirmation'),
        ),
        migrations.AddIndex(
            model_name='raffleevent',
            index=models.Index(condition=models.Q(('unfinished', True)), fields=['id'], name='raffle_event_unfinished'),
        ),
    ]
