"""What the groups may do on the last day of a raffle: call it off, refund, see the ledger."""

from django.db import migrations

from backoffice.accounts import roles


def forwards(apps, schema_editor):
    roles.grant_role_permissions(apps, using=schema_editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [
        ("backoffice", "0002_automation"),
        ("raffles", "0005_last_day"),
    ]

    operations = [
        # Backwards nothing: a group with people in it is not taken away.
        migrations.RunPython(forwards, migrations.RunPython.noop, elidable=False),
    ]
