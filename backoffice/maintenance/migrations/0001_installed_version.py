"""Record which version migrated the database."""

from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='InstalledVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.CharField(max_length=32)),
                ('migrated_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['id'],
                'default_permissions': (),
            },
        ),
    ]
