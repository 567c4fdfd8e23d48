"""What the groups may see of events and their deliveries."""

from django.db import migrations

from backoffice.accounts import roles


def forwards(apps, schema_editor):
    roles.grant_role_permissions(apps, using=schema_editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [
        ("api", "0001_initial"),
        ("backoffice", "0001_groups"),
        ("events", "0001_initial"),
    ]

    operations = [
        # Backwards nothing: a group with people in it is not taken away.
        migrations.RunPython(forwards, migrations.RunPython.noop, elidable=False),
    ]
