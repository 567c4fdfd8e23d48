"""Fill the ledger from the history of orders, and complete the terms of existing raffles."""

from typing import Any

from django.db import migrations
from django.db.models import F, Q

_CONFIRMATIONS_SQL = """
    INSERT INTO raffles_ledgerentry (raffle_id, order_id, kind, confirmation_id, amount, currency,
                                     quantity, reference, actor_kind, actor_id, actor_label, at)
    SELECT o.raffle_id, o.id, 'CONFIRMED', e.id, o.total, o.currency,
           o.quantity, '', e.actor_kind, e.actor_id, e.actor_label, e.at
    FROM raffles_order o JOIN raffles_orderevent e ON e.id = (
        SELECT max(later.id) FROM raffles_orderevent later
        WHERE later.order_id = o.id AND later.action = 'PAID'
    )
    WHERE o.status = 'PAID'
"""

_LATE_REFUNDS_SQL = """
    INSERT INTO raffles_ledgerentry (raffle_id, order_id, kind, confirmation_id, amount, currency,
                                     quantity, reference, actor_kind, actor_id, actor_label, at)
    SELECT o.raffle_id, o.id, 'LATE_REFUNDED', NULL, o.total, o.currency,
           o.quantity, '', e.actor_kind, e.actor_id, e.actor_label, e.at
    FROM raffles_orderevent e JOIN raffles_order o ON o.id = e.order_id
    WHERE e.action = 'REFUND_NOTED'
"""


_CAPPED_DEADLINES_SQL = """
    UPDATE raffles_order
    SET expires_at = (SELECT draw_at FROM raffles_raffle r WHERE r.id = raffle_id)
    WHERE status IN ('DRAFT', 'PENDING_PAYMENT')
      AND expires_at > (SELECT draw_at FROM raffles_raffle r WHERE r.id = raffle_id)
"""


def complete_terms(apps: Any, schema_editor: Any) -> None:
    """End sales by the draw, and trust the time zone of raffles that were opened or changed it."""
    raffles = apps.get_model("raffles", "Raffle").objects.using(schema_editor.connection.alias)
    raffles.filter(sales_close_at__gt=F("draw_at")).update(sales_close_at=F("draw_at"))
    raffles.filter(~Q(status="DRAFT") | ~Q(time_zone="UTC")).update(time_zone_confirmed=True)


class Migration(migrations.Migration):
    """Set-based, so that it takes seconds on a full table."""

    dependencies = [("raffles", "0005_last_day")]

    operations = [
        migrations.RunPython(complete_terms, migrations.RunPython.noop),
        migrations.RunSQL(_CAPPED_DEADLINES_SQL, migrations.RunSQL.noop),
        migrations.RunSQL(_CONFIRMATIONS_SQL, migrations.RunSQL.noop),
        migrations.RunSQL(_LATE_REFUNDS_SQL, migrations.RunSQL.noop),
    ]
