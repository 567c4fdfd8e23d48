"""Sellers may seal and draw raffles."""

from django.db import migrations

from backoffice.accounts import roles


def forwards(apps, schema_editor):
    roles.grant_role_permissions(apps, using=schema_editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [
        ("backoffice", "0004_erasure"),
        ("raffles", "0016_draws"),
    ]

    operations = [
        # Backwards nothing: a group with people in it is not taken away.
        migrations.RunPython(forwards, migrations.RunPython.noop, elidable=False),
    ]
