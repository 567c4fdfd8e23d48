"""Let orders and payment proofs be erased."""

import shared.core.enums
from django.db import migrations, models

from shared.core.migration_operations import ReplaceCheckConstraint, ValidateCheckConstraint


class Migration(migrations.Migration):

    dependencies = [
        ('raffles', '0014_unplaced_proofs'),
        ('whatsapp', '0008_erasure'),
    ]

    operations = [
        migrations.CreateModel(
            name='ErasedFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(blank=True, help_text='In the storage of proofs.', max_length=200)),
                ('sha256', models.CharField(blank=True, help_text='Of the file; names renditions.', max_length=64)),
                ('receipt_id', models.BigIntegerField(help_text='Whose other rows may still need the file.')),
            ],
        ),
        migrations.AddField(
            model_name='order',
            name='erased_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='When its proofs, its texts and the name of a cash buyer were erased.', null=True),
        ),
        migrations.AlterField(
            model_name='orderevent',
            name='action',
            field=models.CharField(choices=[('HELD', 'Held'), ('PLACED', 'Placed'), ('PROOF_RECEIVED', 'Proof received'), ('PROOF_REJECTED', 'Proof rejected'), ('PROOF_MOVED', 'Proof moved'), ('PROOF_DISMISSED', 'Proof dismissed'), ('PAID', 'Paid'), ('CANCELLED', 'Cancelled'), ('EXPIRED', 'Expired'), ('NUMBERS_TAKEN_BACK', 'Numbers taken back'), ('NUMBERS_REPLACED', 'Numbers replaced'), ('ASKED_AGAIN', 'Asked again'), ('LATE_PAYMENT', 'Late payment'), ('REFUND_NOTED', 'Refund noted'), ('UNCONFIRMED', 'Unconfirmed'), ('REFUNDED', 'Refunded'), ('CONTACT_CHANGED', 'Contact changed'), ('REVIEW_ENDED', 'Review ended'), ('TIME_EXTENDED', 'Time extended'), ('ERASED', 'Erased')], max_length=20),
        ),
        migrations.AlterField(
            model_name='paymentproof',
            name='status',
            field=models.CharField(choices=[('FETCHING', 'Fetching'), ('KEPT', 'Kept'), ('FAILED', 'Failed'), ('ERASED', 'Erased')], default=shared.core.enums.ProofStatus['FETCHING'], max_length=8),
        ),
        ReplaceCheckConstraint(
            model_name='paymentproof',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['FETCHING', 'KEPT', 'FAILED', 'ERASED'])), name='proof_status_known'),
        ),
        ValidateCheckConstraint(model_name='paymentproof', name='proof_status_known'),
    ]
