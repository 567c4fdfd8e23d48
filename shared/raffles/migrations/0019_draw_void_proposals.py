"""Add the first person's proposal to declare values of a draw void."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('raffles', '0018_orders_without_entry'),
    ]

    operations = [
        migrations.AddField(
            model_name='sourcereading',
            name='entered_owner',
            field=models.CharField(blank=True, help_text='If a token entered it: who created the token.', max_length=150),
        ),
        migrations.AddField(
            model_name='sourcereading',
            name='void_proposed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='sourcereading',
            name='void_proposed_by',
            field=models.CharField(blank=True, max_length=150),
        ),
        migrations.AddField(
            model_name='sourcereading',
            name='void_proposed_id',
            field=models.CharField(blank=True, help_text='If two people decide: the first one.', max_length=64),
        ),
        migrations.AlterField(
            model_name='raffleevent',
            name='action',
            field=models.CharField(choices=[('OPENED', 'Opened'), ('PAUSED', 'Paused'), ('CLOSED', 'Closed'), ('DRAW_MOVED', 'Draw moved'), ('CALLED_OFF', 'Called off'), ('SEALED', 'Sealed'), ('DRAWN', 'Drawn'), ('RULES_FROZEN', 'Rules frozen'), ('VALUE_ENTERED', 'Value entered'), ('VALUE_CONFIRMED', 'Value confirmed'), ('VOID_PROPOSED', 'Void proposed'), ('VALUE_VOIDED', 'Value voided'), ('REDRAWN', 'Redrawn'), ('WINNER_CONFIRMED', 'Winner confirmed'), ('RESULTS_TOLD', 'Results told'), ('PRIZE_CLAIMED', 'Prize claimed')], max_length=20),
        ),
    ]
