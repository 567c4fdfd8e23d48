"""Name notes and more time in the history of orders; the database does nothing."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('raffles', '0020_order_sources'),
    ]

    operations = [
        migrations.AlterField(
            model_name='orderevent',
            name='action',
            field=models.CharField(choices=[('HELD', 'Held'), ('PLACED', 'Placed'), ('PROOF_RECEIVED', 'Proof received'), ('PROOF_REJECTED', 'Proof rejected'), ('PROOF_MOVED', 'Proof moved'), ('PROOF_DISMISSED', 'Proof dismissed'), ('PAID', 'Paid'), ('CANCELLED', 'Cancelled'), ('EXPIRED', 'Expired'), ('NUMBERS_TAKEN_BACK', 'Numbers taken back'), ('NUMBERS_REPLACED', 'Numbers replaced'), ('ASKED_AGAIN', 'Asked again'), ('LATE_PAYMENT', 'Late payment'), ('REFUND_NOTED', 'Refund noted'), ('UNCONFIRMED', 'Unconfirmed'), ('REFUNDED', 'Refunded'), ('CONTACT_CHANGED', 'Contact changed'), ('REVIEW_ENDED', 'Review ended'), ('TIME_EXTENDED', 'Time extended'), ('ERASED', 'Erased'), ('NOTE_ADDED', 'Note added'), ('TIME_GIVEN', 'Time given')], max_length=20),
        ),
    ]
