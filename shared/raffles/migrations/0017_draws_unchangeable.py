"""Let the database refuse changes of receipt entries, sealed lists and results of draws."""

from django.db import migrations

from shared.raffles.unchangeable_rows import create_triggers, drop_triggers


class Migration(migrations.Migration):

    dependencies = [
        ('raffles', '0016_draws'),
    ]

    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: create_triggers(schema_editor.connection),
            lambda apps, schema_editor: drop_triggers(schema_editor.connection),
        ),
    ]
