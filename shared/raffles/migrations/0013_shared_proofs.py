"""Let one receipt pay several orders."""

import django.db.models.deletion
import shared.core.enums
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('raffles', '0012_order_clock_actions'),
        ('whatsapp', '0002_failed_messages'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='paymentproof',
            name='proof_once_a_message',
        ),
        migrations.AddField(
            model_name='paymentproof',
            name='shared_from',
            field=models.ForeignKey(blank=True, db_index=False, editable=False, help_text='The first row of a receipt that was named as paying several orders.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='shares', to='raffles.paymentproof'),
        ),
        migrations.AlterField(
            model_name='orderevent',
            name='action',
            field=models.CharField(choices=[('HELD', 'Held'), ('PLACED', 'Placed'), ('PROOF_RECEIVED', 'Proof received'), ('PROOF_REJECTED', 'Proof rejected'), ('PROOF_MOVED', 'Proof moved'), ('PROOF_DISMISSED', 'Proof dismissed'), ('PAID', 'Paid'), ('CANCELLED', 'Cancelled'), ('EXPIRED', 'Expired'), ('NUMBERS_TAKEN_BACK', 'Numbers taken back'), ('NUMBERS_REPLACED', 'Numbers replaced'), ('ASKED_AGAIN', 'Asked again'), ('LATE_PAYMENT', 'Late payment'), ('REFUND_NOTED', 'Refund noted'), ('UNCONFIRMED', 'Unconfirmed'), ('REFUNDED', 'Refunded'), ('CONTACT_CHANGED', 'Contact changed'), ('REVIEW_ENDED', 'Review ended'), ('TIME_EXTENDED', 'Time extended')], max_length=20),
        ),
        migrations.AddIndex(
            model_name='paymentproof',
            index=models.Index(condition=models.Q(('verdict', shared.core.enums.Verdict['PENDING'])), fields=['order'], name='proof_pending'),
        ),
        migrations.AddConstraint(
            model_name='paymentproof',
            constraint=models.UniqueConstraint(condition=models.Q(models.Q(('wa_message_id', ''), _negated=True), ('shared_from__isnull', True)), fields=('phone_number_id', 'wa_message_id'), name='proof_once_a_message'),
        ),
        migrations.AddConstraint(
            model_name='paymentproof',
            constraint=models.UniqueConstraint(condition=models.Q(('shared_from__isnull', False)), fields=('shared_from', 'order'), name='proof_once_an_order'),
        ),
        migrations.AddConstraint(
            model_name='paymentproof',
            constraint=models.CheckConstraint(condition=models.Q(('shared_from__isnull', True), ('order__isnull', False), _connector='OR'), name='proof_shared_has_an_order'),
        ),
    ]
