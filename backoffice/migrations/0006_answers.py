"""Sellers and reviewers may write to buyers."""

from django.db import migrations

from backoffice.accounts import roles


def forwards(apps, schema_editor):
    roles.grant_role_permissions(apps, using=schema_editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [
        ("backoffice", "0005_draws"),
        ("whatsapp", "0012_handover"),
    ]

    operations = [
        # Backwards nothing: a group with people in it is not taken away.
        migrations.RunPython(forwards, migrations.RunPython.noop, elidable=False),
    ]
