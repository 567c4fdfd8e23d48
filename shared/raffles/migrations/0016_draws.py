"""Add rules, prizes, receipt chains, sealed lists, values and results of draws."""

import django.core.validators
import django.db.models.deletion
import shared.core.enums
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('raffles', '0015_erasure'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReceiptChain',
            fields=[
                ('raffle', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='receipt_chain', serialize=False, to='raffles.raffle')),
                ('length', models.PositiveIntegerField(default=0, help_text='Number of the last entry.')),
                ('head', models.CharField(help_text='Hash after that entry, in hex.', max_length=64)),
                ('complete', models.BooleanField(default=False, help_text='Whether the orders that were paid before the chain began are in it.')),
            ],
        ),
        migrations.CreateModel(
            name='SealedList',
            fields=[
                ('raffle', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='sealed_list', serialize=False, to='raffles.raffle')),
                ('numbers', models.BinaryField(help_text='Ticket numbers with their zeros, ascending, one a line, each ended by LF.')),
                ('sha256', models.CharField(help_text='Of exactly these bytes, in hex.', max_length=64)),
                ('count', models.PositiveIntegerField(help_text='Sold numbers.')),
                ('unsold', models.PositiveIntegerField(help_text='Numbers that were not sold.')),
                ('chain_head', models.CharField(max_length=64)),
                ('chain_length', models.PositiveIntegerField()),
                ('two_people', models.BooleanField(help_text='Whether each value is entered by one person and confirmed by another.')),
                ('sources', models.JSONField(default=list, help_text='The date that decides, of each source by its position; of drand the round, too.')),
                ('sealed_at', models.DateTimeField()),
                ('by_kind', models.CharField(choices=[('CHAT', 'Chat'), ('STAFF', 'Staff'), ('TOKEN', 'Token'), ('SWEEPER', 'Sweeper')], max_length=8)),
                ('by_id', models.CharField(blank=True, max_length=64)),
                ('by_label', models.CharField(blank=True, max_length=150)),
            ],
        ),
        migrations.AlterModelOptions(
            name='raffle',
            options={'ordering': ['-id'], 'permissions': [('call_off_raffle', 'Can call off raffles'), ('draw_raffle', 'Can seal and draw raffles')]},
        ),
        migrations.AddField(
            model_name='order',
            name='receipt_entry',
            field=models.PositiveIntegerField(editable=False, help_text='Number of its entry in the receipt chain; empty: it has none that counts.', null=True),
        ),
        migrations.AddField(
            model_name='order',
            name='receipt_head',
            field=models.CharField(editable=False, help_text="First eight hex digits of the chain's head with that entry.", max_length=8, null=True),
        ),
        migrations.AddField(
            model_name='raffle',
            name='adults_only',
            field=models.BooleanField(db_default=False, default=False, help_text='Buyers are asked once whether they are 18 or older.'),
        ),
        migrations.AddField(
            model_name='raffle',
            name='draw_method',
            field=models.CharField(blank=True, choices=[('PUBLIC_VALUE', 'Public value'), ('LOTTERY_DIGITS', 'Lottery digits'), ('RECORDED_DRUM', 'Recorded drum')], db_default='', default='', editable=False, help_text='Empty: nobody has said yet how it is drawn.', max_length=14),
        ),
        migrations.AddField(
            model_name='raffle',
            name='permit_number',
            field=models.CharField(blank=True, db_default='', default='', help_text='Of the authority.', max_length=60),
        ),
        migrations.AddField(
            model_name='raffle',
            name='promoter',
            field=models.CharField(blank=True, db_default='', default='', help_text='Who holds the raffle and answers for it, e.g. a club.', max_length=120),
        ),
        migrations.AddField(
            model_name='raffle',
            name='rules_url',
            field=models.URLField(blank=True, db_default='', default='', help_text='A page with the full rules.', verbose_name='rules address'),
        ),
        migrations.AlterField(
            model_name='raffleevent',
            name='action',
            field=models.CharField(choices=[('OPENED', 'Opened'), ('PAUSED', 'Paused'), ('CLOSED', 'Closed'), ('DRAW_MOVED', 'Draw moved'), ('CALLED_OFF', 'Called off'), ('SEALED', 'Sealed'), ('DRAWN', 'Drawn'), ('RULES_FROZEN', 'Rules frozen'), ('VALUE_ENTERED', 'Value entered'), ('VALUE_CONFIRMED', 'Value confirmed'), ('VALUE_VOIDED', 'Value voided'), ('REDRAWN', 'Redrawn'), ('WINNER_CONFIRMED', 'Winner confirmed'), ('RESULTS_TOLD', 'Results told'), ('PRIZE_CLAIMED', 'Prize claimed')], max_length=20),
        ),
        migrations.CreateModel(
            name='DrawRules',
            fields=[
                ('raffle', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='rules', serialize=False, to='raffles.raffle')),
                ('unsold_rule', models.CharField(choices=[('NEXT_SOLD_UPWARDS', 'Next sold upwards'), ('NEXT_SOURCE_DATE', 'Next source date')], default=shared.core.enums.UnsoldRule['NEXT_SOLD_UPWARDS'], help_text='What decides if the digits of the lottery are a number that was not sold.', max_length=17, verbose_name='an unsold number')),
                ('minimum_sold', models.PositiveIntegerField(default=1, help_text='If fewer numbers are sold, the raffle is called off and the money goes back.', validators=[django.core.validators.MinValueValidator(1)])),
                ('claim_days', models.PositiveSmallIntegerField(default=30, help_text='Days after the draw within which a prize is claimed; then it is drawn again.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(365)])),
                ('further_terms', models.TextField(blank=True, help_text='Whatever else buyers must know.', max_length=2000)),
                ('text', models.TextField(blank=True, editable=False, help_text='The rules as frozen; empty: not frozen yet.')),
                ('sha256', models.CharField(blank=True, editable=False, help_text='Of the text in UTF-8, in hex.', max_length=64)),
                ('frozen_at', models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                'verbose_name_plural': 'draw rules',
                'constraints': [models.CheckConstraint(condition=models.Q(('frozen_at__isnull', True), models.Q(models.Q(('text', ''), _negated=True), models.Q(('sha256', ''), _negated=True)), _connector='OR'), name='rules_frozen_with_text')],
            },
        ),
        migrations.CreateModel(
            name='DrawSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(help_text='The first one is 1.')),
                ('kind', models.CharField(choices=[('DRAND', 'Drand'), ('LOTTERY', 'Lottery'), ('OTHER', 'Other')], default=shared.core.enums.SourceKind['DRAND'], max_length=7)),
                ('name', models.CharField(help_text='As the public knows it.', max_length=120)),
                ('url', models.URLField(blank=True, help_text='Where its values are published.', verbose_name='address')),
                ('at', models.DateTimeField(blank=True, help_text="Of its draw; empty: the time of the raffle's draw.", null=True)),
                ('repeat_days', models.PositiveSmallIntegerField(default=1, help_text='Days until its next draw, which decides if this one is late or cancelled.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(366)])),
                ('value_count', models.PositiveSmallIntegerField(default=1, help_text='How many numbers it draws.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(40)])),
                ('lowest', models.PositiveIntegerField(default=0)),
                ('highest', models.PositiveBigIntegerField(default=0, help_text='0: any; drand has none.')),
                ('repeats_values', models.BooleanField(default=False, help_text='Whether it can draw the same number twice.')),
                ('raffle', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='draw_sources', to='raffles.raffle')),
            ],
            options={
                'ordering': ['position'],
            },
        ),
        migrations.CreateModel(
            name='Prize',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(help_text='The first one is 1.')),
                ('title', models.CharField(max_length=120)),
                ('picture', models.ImageField(blank=True, upload_to='prizes/')),
                ('raffle', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='prizes', to='raffles.raffle')),
            ],
            options={
                'ordering': ['position'],
            },
        ),
        migrations.CreateModel(
            name='DrawResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempt', models.PositiveSmallIntegerField(help_text='Of the prize; the first one is 1.')),
                ('inputs', models.PositiveSmallIntegerField(default=0, help_text='How often drawn values had been declared void before.')),
                ('selection', models.PositiveIntegerField(help_text='From 0, among the same inputs.')),
                ('number', models.PositiveIntegerField(help_text='The ticket number that was drawn.')),
                ('how', models.JSONField(default=dict, help_text='What it was computed from, so that pages can show it.')),
                ('reason', models.CharField(blank=True, choices=[('UNCLAIMED', 'Unclaimed'), ('DECLINED', 'Declined'), ('INELIGIBLE', 'Ineligible'), ('UNREACHABLE', 'Unreachable'), ('SOURCE_VOID', 'Source void')], max_length=11)),
                ('comment', models.TextField(blank=True)),
                ('at', models.DateTimeField()),
                ('by_kind', models.CharField(choices=[('CHAT', 'Chat'), ('STAFF', 'Staff'), ('TOKEN', 'Token'), ('SWEEPER', 'Sweeper')], max_length=8)),
                ('by_id', models.CharField(blank=True, max_length=64)),
                ('by_label', models.CharField(blank=True, max_length=150)),
                ('raffle', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='draw_results', to='raffles.raffle')),
                ('prize', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='results', to='raffles.prize')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='ReceiptEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('kind', models.CharField(choices=[('SALE', 'Sale'), ('VOID', 'Void')], max_length=4)),
                ('ticket_numbers', models.TextField(blank=True, help_text='Of a sale: with their zeros, ascending, joined by commas.')),
                ('voided', models.PositiveIntegerField(blank=True, help_text='Of a void: number of the entry that counts no more.', null=True)),
                ('head', models.CharField(help_text='Hash after this entry, in hex.', max_length=64)),
                ('at', models.DateTimeField()),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='receipt_entries', to='raffles.order')),
                ('raffle', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='receipt_entries', to='raffles.raffle')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='SourceReading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('inputs', models.PositiveSmallIntegerField(default=0, help_text='How often drawn values had been declared void before.')),
                ('date_index', models.PositiveIntegerField(default=0, help_text="Of the source's dates; 0 is the first one that the rules name.")),
                ('at', models.DateTimeField(blank=True, help_text="The source's date.", null=True)),
                ('attempt', models.PositiveSmallIntegerField(default=0, help_text='Of a stub: of the prize.')),
                ('values', models.JSONField(default=list, help_text='As published; empty: nothing was.')),
                ('link', models.URLField(blank=True, help_text='Where it can be seen.', max_length=500)),
                ('photo', models.ImageField(blank=True, upload_to='draws/')),
                ('entered_kind', models.CharField(choices=[('CHAT', 'Chat'), ('STAFF', 'Staff'), ('TOKEN', 'Token'), ('SWEEPER', 'Sweeper')], max_length=8)),
                ('entered_id', models.CharField(blank=True, max_length=64)),
                ('entered_by', models.CharField(blank=True, max_length=150)),
                ('entered_at', models.DateTimeField()),
                ('confirmed_kind', models.CharField(blank=True, choices=[('CHAT', 'Chat'), ('STAFF', 'Staff'), ('TOKEN', 'Token'), ('SWEEPER', 'Sweeper')], max_length=8)),
                ('confirmed_id', models.CharField(blank=True, max_length=64)),
                ('confirmed_by', models.CharField(blank=True, max_length=150)),
                ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                ('void_reason', models.CharField(blank=True, choices=[('SOURCE_VOID', 'Source void'), ('MISREAD', 'Misread')], max_length=11)),
                ('void_comment', models.TextField(blank=True)),
                ('void_of_draw', models.BooleanField(default=False, help_text='Whether a prize had been drawn from it before.')),
                ('voided_by', models.CharField(blank=True, max_length=150)),
                ('voided_at', models.DateTimeField(blank=True, null=True)),
                ('prize', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='stubs', to='raffles.prize')),
                ('raffle', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='source_readings', to='raffles.raffle')),
                ('source', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='readings', to='raffles.drawsource')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='PrizeClaim',
            fields=[
                ('result', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='claim', serialize=False, to='raffles.drawresult')),
                ('winner_name', models.CharField(blank=True, max_length=150)),
                ('winner_phone', models.CharField(blank=True, max_length=32)),
                ('confirmed_by', models.CharField(max_length=150)),
                ('confirmed_at', models.DateTimeField()),
                ('told_at', models.DateTimeField(blank=True, null=True)),
                ('name_consent', models.BooleanField(blank=True, help_text='May the first name be published? Empty: not answered.', null=True)),
                ('claimed_by', models.CharField(blank=True, help_text='Who noted it.', max_length=150)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('note', models.TextField(blank=True, help_text='E.g. how the prize was handed over.')),
                ('erased_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='claims', to='raffles.order')),
            ],
        ),
        migrations.AddConstraint(
            model_name='drawsource',
            constraint=models.UniqueConstraint(fields=('raffle', 'position'), name='draw_source_position'),
        ),
        migrations.AddConstraint(
            model_name='drawsource',
            constraint=models.CheckConstraint(condition=models.Q(('highest__gte', models.F('lowest')), ('value_count__gte', 1)), name='draw_source_bounds_make_sense'),
        ),
        migrations.AddConstraint(
            model_name='prize',
            constraint=models.UniqueConstraint(fields=('raffle', 'position'), name='prize_position'),
        ),
        migrations.AddConstraint(
            model_name='drawresult',
            constraint=models.UniqueConstraint(fields=('prize', 'attempt'), name='draw_attempt_unique'),
        ),
        migrations.AddConstraint(
            model_name='drawresult',
            constraint=models.UniqueConstraint(fields=('raffle', 'inputs', 'selection'), name='draw_selection_unique'),
        ),
        migrations.AddConstraint(
            model_name='drawresult',
            constraint=models.UniqueConstraint(fields=('raffle', 'inputs', 'number'), name='draw_number_once'),
        ),
        migrations.AddConstraint(
            model_name='receiptentry',
            constraint=models.UniqueConstraint(fields=('raffle', 'number'), name='receipt_entry_number'),
        ),
        migrations.AddConstraint(
            model_name='receiptentry',
            constraint=models.UniqueConstraint(condition=models.Q(('voided__isnull', False)), fields=('raffle', 'voided'), name='receipt_voided_once'),
        ),
        migrations.AddConstraint(
            model_name='receiptentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', shared.core.enums.ReceiptKind['SALE']), ('voided__isnull', True), models.Q(('ticket_numbers', ''), _negated=True)), models.Q(('kind', shared.core.enums.ReceiptKind['VOID']), ('ticket_numbers', ''), ('voided__isnull', False)), _connector='OR'), name='receipt_sale_or_void'),
        ),
        migrations.AddConstraint(
            model_name='sourcereading',
            constraint=models.UniqueConstraint(condition=models.Q(('source__isnull', False), ('voided_at__isnull', True)), fields=('source', 'inputs', 'date_index'), name='reading_once_a_date'),
        ),
        migrations.AddConstraint(
            model_name='sourcereading',
            constraint=models.UniqueConstraint(condition=models.Q(('prize__isnull', False), ('voided_at__isnull', True)), fields=('prize', 'attempt'), name='reading_once_a_stub'),
        ),
        migrations.AddConstraint(
            model_name='sourcereading',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('prize__isnull', False), ('source__isnull', True)), models.Q(('prize__isnull', True), ('source__isnull', False)), _connector='OR'), name='reading_of_a_source_or_a_stub'),
        ),
    ]
