"""Create the groups Seller, Reviewer and Auditor, with all that they may do."""

from django.db import migrations

from backoffice.accounts import roles


def forwards(apps, schema_editor):
    roles.grant_role_permissions(apps, using=schema_editor.connection.alias)


class Migration(migrations.Migration):
    replaces = [
        ("backoffice", "0001_groups"),
        ("backoffice", "0002_automation"),
        ("backoffice", "0003_last_day"),
        ("backoffice", "0004_erasure"),
        ("backoffice", "0005_draws"),
        ("backoffice", "0006_answers"),
    ]

    dependencies = [
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("api", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("events", "0001_initial"),
        ("raffles", "0016_draws"),
        ("whatsapp", "0012_handover"),
    ]

    operations = [
        # Backwards nothing: a group with people in it is not taken away.
        migrations.RunPython(forwards, migrations.RunPython.noop, elidable=False),
    ]
