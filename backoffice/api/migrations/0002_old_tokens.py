"""Tokens of rest_framework.authtoken go on working: hashed, with the scope their person had."""

import hashlib
from datetime import UTC, datetime

from django.db import migrations
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

_TABLE = "authtoken_token"
_KEPT = 10  # characters, as of new ones
_SCOPES = {"change_order": "REVIEW", "view_order": "READ"}


def forwards(apps, schema_editor):
    connection = schema_editor.connection
    if _TABLE not in connection.introspection.table_names():
        return
    for key, user_id, created in _old(connection):
        _keep(apps, connection.alias, key=key, user_id=user_id, created=created)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {_TABLE}")
    # And with the table what Django knows of it: nobody can be given its permissions any more.
    types = apps.get_model("contenttypes", "ContentType").objects.using(connection.alias)
    types.filter(app_label="authtoken").delete()
    MigrationRecorder(connection).migration_qs.filter(app="authtoken").delete()


def _old(connection):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT key, user_id, created FROM {_TABLE} ORDER BY created")
        rows = cursor.fetchall()
    return [(key, user_id, _moment(created)) for key, user_id, created in rows]


def _moment(value):
    """SQLite gives times as text in UTC."""
    if not isinstance(value, str):
        return value
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def _keep(apps, alias, *, key, user_id, created):
    user = apps.get_model("auth", "User").objects.using(alias).get(pk=user_id)
    scope = _scope(apps, alias, user)
    lost = scope is None or not user.is_active  # it opened nothing, and does not begin to now
    tokens = apps.get_model("api", "ApiToken").objects.using(alias)
    name = user.username[:60]
    if not lost and tokens.filter(name=name, revoked_at=None).exists():
        name = f"{user.username[:40]} {user.pk}"
    tokens.create(
        name=name,
        prefix=key[:_KEPT],
        digest=hashlib.sha256(key.encode()).hexdigest(),
        scope=scope or "READ",
        created_at=created,
        created_by=user.username,
        revoked_at=timezone.now() if lost else None,
        revoked_by="update" if lost else "",
    )


def _scope(apps, alias, user):
    if user.is_superuser:
        return "ADMIN"
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    may = permissions.filter(content_type__app_label="raffles")
    granted = {
        *may.filter(user=user).values_list("codename", flat=True),
        *may.filter(group__user=user).values_list("codename", flat=True),
    }
    return next((scope for need, scope in _SCOPES.items() if need in granted), None)


class Migration(migrations.Migration):
    dependencies = [
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("api", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        # Backwards nothing: who has only digests cannot make the old tokens again.
        migrations.RunPython(forwards, migrations.RunPython.noop, elidable=False),
    ]
