"""Let contacts be erased."""

from django.db import migrations, models

from shared.core.migration_operations import ReplaceCheckConstraint, ValidateCheckConstraint


class Migration(migrations.Migration):

    dependencies = [
        ('whatsapp', '0007_sent_messages_by_time'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='whatsappcontact',
            options={'ordering': ['-id'], 'permissions': [('erase_whatsappcontact', 'Can erase the personal data of buyers')], 'verbose_name': 'contact'},
        ),
        migrations.AddField(
            model_name='whatsappcontact',
            name='erased_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='When its ids, names and messages were erased; its orders still refer to it.', null=True),
        ),
        ReplaceCheckConstraint(
            model_name='whatsappcontact',
            constraint=models.CheckConstraint(condition=models.Q(('user_id__isnull', False), ('wa_id__isnull', False), ('joined_into__isnull', False), ('erased_at__isnull', False), _connector='OR'), name='contact_has_a_key'),
        ),
        ValidateCheckConstraint(model_name='whatsappcontact', name='contact_has_a_key'),
    ]
