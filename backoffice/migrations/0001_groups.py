"""The groups Seller, Reviewer and Auditor."""

from django.db import migrations

from backoffice.accounts import roles


def forwards(apps, schema_editor):
    roles.grant_role_permissions(apps, using=schema_editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("raffles", "0002_desk"),
        ("whatsapp", "0001_initial"),
    ]

    operations = [
        # Backwards nothing: a group with people in it is not taken away.
        migrations.RunPython(forwards, migrations.RunPython.noop, elidable=False),
    ]
