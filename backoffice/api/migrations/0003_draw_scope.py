"""Let API tokens have the scope DRAW; no token that exists gets it."""

from django.db import migrations, models

from shared.core.migration_operations import ReplaceCheckConstraint, ValidateCheckConstraint


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("api", "0002_old_tokens"),
    ]

    operations = [
        migrations.AlterField(
            model_name="apitoken",
            name="scope",
            field=models.CharField(
                choices=[
                    ("READ", "Read"),
                    ("REVIEW", "Review"),
                    ("ADMIN", "Admin"),
                    ("DRAW", "Draw"),
                ],
                default="READ",
                help_text="Read: look only. Review: decide about payments, too. Admin: refund and "
                "run raffles, too. Draw: look, enter values and draw.",
                max_length=6,
            ),
        ),
        ReplaceCheckConstraint(
            model_name="apitoken",
            constraint=models.CheckConstraint(
                condition=models.Q(("scope__in", ["READ", "REVIEW", "ADMIN", "DRAW"])),
                name="api_token_scope_known",
            ),
        ),
        ValidateCheckConstraint(model_name="apitoken", name="api_token_scope_known"),
    ]
