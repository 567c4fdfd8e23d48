"""The three predefined roles and their permissions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.management import create_permissions
from django.db.models import Q

ROLE_APPS: Final = ("raffles", "whatsapp", "events", "api", "admin", "auth")
"""Apps with permissions that the roles name, or that only superusers have."""

VIEW_SALES_PERMISSIONS: Final = frozenset(
    f"raffles.view_{model}"
    for model in (
        "raffle",
        "raffleevent",
        "ticketnumber",
        "order",
        "orderticket",
        "orderevent",
        "ledgerentry",
        "paymentproof",
    )
)
VIEW_MESSAGES_PERMISSIONS: Final = frozenset(
    f"whatsapp.view_{model}"
    for model in ("whatsappcontact", "inboundmessage", "outboundmessage", "deliverystatus")
)
VIEW_CHANNEL_PERMISSIONS: Final = frozenset(
    f"whatsapp.view_{model}"
    for model in ("contactalias", "accountnotice", "unreadableitem", "businessnumber", "alarm")
)
VIEW_AUTOMATION_PERMISSIONS: Final = frozenset(
    f"events.view_{model}" for model in ("event", "eventendpoint", "eventdelivery", "eventattempt")
)


@dataclass(frozen=True, slots=True)
class Role:
    """A predefined group.

    Attributes:
        name: the group's name.
        description: shown beside the role in a user's form.
        permissions: as "app.codename".

    """

    name: str
    description: str
    permissions: frozenset[str]


SELLER: Final = Role(
    "Seller",
    "Runs the raffles: makes and opens them, moves draws, seals and draws, calls raffles off, "
    "decides about payments, refunds, sells for cash, exports, answers and erases buyers. May not "
    "change people.",
    VIEW_SALES_PERMISSIONS
    | VIEW_MESSAGES_PERMISSIONS
    | VIEW_CHANNEL_PERMISSIONS
    | VIEW_AUTOMATION_PERMISSIONS
    | {
        "raffles.add_raffle",
        "raffles.change_raffle",
        "raffles.call_off_raffle",
        "raffles.draw_raffle",
        "raffles.add_order",
        "raffles.change_order",
        "raffles.refund_order",
        "raffles.export_order",
        "whatsapp.change_whatsappcontact",
        "whatsapp.erase_whatsappcontact",
        "whatsapp.change_inboundmessage",
        "whatsapp.add_outboundmessage",
        "whatsapp.change_outboundmessage",
        "whatsapp.change_businessnumber",
        "whatsapp.change_alarm",
        "events.change_eventdelivery",
        "admin.view_logentry",
    },
)
REVIEWER: Final = Role(
    "Reviewer",
    "Looks at payment proofs and decides about them; writes to buyers. May not change "
    "raffles, sell for cash or export.",
    VIEW_SALES_PERMISSIONS
    | VIEW_MESSAGES_PERMISSIONS
    | {"raffles.change_order", "whatsapp.add_outboundmessage"},
)
AUDITOR: Final = Role(
    "Auditor",
    "Sees everything about sales and messages and may export it; changes nothing.",
    VIEW_SALES_PERMISSIONS
    | VIEW_MESSAGES_PERMISSIONS
    | VIEW_CHANNEL_PERMISSIONS
    | VIEW_AUTOMATION_PERMISSIONS
    | {"raffles.export_order", "admin.view_logentry"},
)
ROLES: Final = (SELLER, REVIEWER, AUDITOR)


def grant_role_permissions(apps: Any, *, using: str = "default") -> None:
    """Create the groups and add their permissions; other permissions of a group stay.

    Migrations call this before Django creates the permissions of new models, so the permissions
    are created here. Calling it again changes nothing. Apps that are not installed yet are left
    to a later migration.

    Args:
        apps: Django's model registry, or the historical one of a migration.
        using: alias of the database.

    """
    there = {app.label for app in apps.get_app_configs()}
    for label in ROLE_APPS:
        if label in there:
            _create_permissions(apps, label, using=using)
    groups = apps.get_model("auth", "Group").objects.using(using)
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    for role in ROLES:
        group, _ = groups.get_or_create(name=role.name)
        group.permissions.add(*permissions.filter(build_permission_filter(role.permissions)))


def build_permission_filter(permissions: Iterable[str]) -> Q:
    """Return a condition that finds permissions by "app.codename"."""
    found = Q()
    for permission in permissions:
        label, _, codename = permission.partition(".")
        found |= Q(content_type__app_label=label, codename=codename)
    return found


def _create_permissions(apps: Any, label: str, *, using: str) -> None:
    app = apps.get_app_config(label)
    module = getattr(app, "models_module", None)
    app.models_module = module or True  # historical apps have None, which means "no models"
    create_permissions(app, verbosity=0, using=using, apps=apps)
    app.models_module = module
