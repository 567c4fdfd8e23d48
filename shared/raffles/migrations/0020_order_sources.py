"""Add what led the buyer of an order to the chat; three nullable columns, in milliseconds."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('raffles', '0019_draw_void_proposals'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='source_id',
            field=models.CharField(blank=True, editable=False, help_text="Meta's id of the ad or post.", max_length=40, null=True),
        ),
        migrations.AddField(
            model_name='order',
            name='source_kind',
            field=models.CharField(blank=True, choices=[('LINK', 'Link'), ('AD', 'Ad'), ('POST', 'Post')], editable=False, help_text='What led the buyer to the chat; empty: not known.', max_length=4, null=True),
        ),
        migrations.AddField(
            model_name='order',
            name='source_name',
            field=models.CharField(blank=True, editable=False, help_text='The word of the link, or the headline of the ad.', max_length=60, null=True),
        ),
    ]
