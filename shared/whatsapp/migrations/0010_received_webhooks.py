"""Store webhooks byte for byte until they are read."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("whatsapp", "0009_deleted_messages"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReceivedWebhook",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("body", models.BinaryField()),
                ("received_at", models.DateTimeField()),
                ("correlation_id", models.CharField(max_length=32)),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        db_default=0,
                        default=0,
                        help_text="Readings that began after it was left over.",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
    ]
