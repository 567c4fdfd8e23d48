"""Add the event of a buyer who waits for a person; events are read and written meanwhile."""

from django.db import migrations, models

from shared.core.migration_operations import ReplaceCheckConstraint, ValidateCheckConstraint


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('events', '0003_draw_events'),
    ]

    operations = [
        migrations.AlterField(
            model_name='event',
            name='type',
            field=models.CharField(choices=[('order.created', 'Order created'), ('order.proof_received', 'Order proof received'), ('order.paid', 'Order paid'), ('order.rejected', 'Order rejected'), ('order.cancelled', 'Order cancelled'), ('order.expired', 'Order expired'), ('order.late_payment', 'Order late payment'), ('order.unconfirmed', 'Order unconfirmed'), ('order.refunded', 'Order refunded'), ('raffle.sold_out', 'Raffle sold out'), ('raffle.draw_moved', 'Raffle draw moved'), ('raffle.called_off', 'Raffle called off'), ('raffle.sealed', 'Raffle sealed'), ('raffle.drawn', 'Raffle drawn'), ('winner.confirmed', 'Winner confirmed'), ('prize.claimed', 'Prize claimed'), ('message.failed', 'Message failed'), ('contact.wants_person', 'Contact wants person'), ('channel.alert', 'Channel alert')], max_length=32),
        ),
        ReplaceCheckConstraint(
            model_name='event',
            constraint=models.CheckConstraint(condition=models.Q(('type__in', ['order.created', 'order.proof_received', 'order.paid', 'order.rejected', 'order.cancelled', 'order.expired', 'order.late_payment', 'order.unconfirmed', 'order.refunded', 'raffle.sold_out', 'raffle.draw_moved', 'raffle.called_off', 'raffle.sealed', 'raffle.drawn', 'winner.confirmed', 'prize.claimed', 'message.failed', 'contact.wants_person', 'channel.alert'])), name='event_type_known'),
        ),
        ValidateCheckConstraint(model_name='event', name='event_type_known'),
    ]
