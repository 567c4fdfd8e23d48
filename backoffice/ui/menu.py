"""The menu of the back office, in the order of the seller's day."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from django.http import HttpRequest
from django.urls import get_script_prefix, reverse


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """An entry of the menu; `needs` is the permission to see it, empty for everybody."""

    name: str
    icon: str
    view: str
    needs: str = ""
    namespace: str = "admin:"

    @property
    def address(self) -> str:
        """The address of the page."""
        return _find_address(f"{self.namespace}{self.view}", prefix=get_script_prefix())


@cache
def _find_address(view: str, *, prefix: str) -> str:  # noqa: ARG001 - the address begins with it
    """Return the address of a view; each page shows some thirty, which never change."""
    return reverse(view)


@dataclass(frozen=True, slots=True)
class VisibleMenuEntry:
    """An entry that the user may see; `here` if the current page belongs to it."""

    name: str
    icon: str
    address: str
    here: bool


@dataclass(frozen=True, slots=True)
class VisibleMenuGroup:
    """Menu entries below a heading."""

    name: str
    entries: list[VisibleMenuEntry]


MENU_GROUPS: Final[tuple[tuple[str, tuple[MenuEntry, ...]], ...]] = (
    ("", (MenuEntry("Dashboard", "fa-th-large", "index"),)),
    (
        "Waiting for you",
        (
            MenuEntry("Review queue", "fa-receipt", "desk_queue", "raffles.view_order"),
            MenuEntry("Late payments", "fa-balance-scale", "desk_late", "raffles.view_order"),
            MenuEntry("Refunds", "fa-hand-holding-usd", "desk_refunds", "raffles.view_order"),
            MenuEntry(
                "Receipts to sort", "fa-question", "desk_orphans", "raffles.view_paymentproof"
            ),
            MenuEntry("Alarms", "fa-bell", "whatsapp_alarm_changelist", "whatsapp.view_alarm"),
        ),
    ),
    (
        "Sales",
        (
            MenuEntry(
                "Raffles", "fa-ticket-alt", "raffles_raffle_changelist", "raffles.view_raffle"
            ),
            MenuEntry("Draws", "fa-trophy", "desk_draws", "raffles.view_raffle"),
            MenuEntry(
                "Orders", "fa-shopping-basket", "raffles_order_changelist", "raffles.view_order"
            ),
            MenuEntry(
                "Payment proofs",
                "fa-file-image",
                "raffles_paymentproof_changelist",
                "raffles.view_paymentproof",
            ),
            MenuEntry(
                "Ledger",
                "fa-book-open",
                "raffles_ledgerentry_changelist",
                "raffles.view_ledgerentry",
            ),
            MenuEntry("Export", "fa-file-export", "desk_export", "raffles.export_order"),
        ),
    ),
    (
        "Messages",
        (
            MenuEntry(
                "Contacts",
                "fa-address-book",
                "whatsapp_whatsappcontact_changelist",
                "whatsapp.view_whatsappcontact",
            ),
            MenuEntry(
                "Messages in",
                "fa-inbox",
                "whatsapp_inboundmessage_changelist",
                "whatsapp.view_inboundmessage",
            ),
            MenuEntry(
                "Messages out",
                "fa-paper-plane",
                "whatsapp_outboundmessage_changelist",
                "whatsapp.view_outboundmessage",
            ),
            MenuEntry(
                "Business numbers",
                "fa-phone",
                "whatsapp_businessnumber_changelist",
                "whatsapp.view_businessnumber",
            ),
            MenuEntry(
                "Account notices",
                "fa-bullhorn",
                "whatsapp_accountnotice_changelist",
                "whatsapp.view_accountnotice",
            ),
            MenuEntry(
                "Unreadable items",
                "fa-unlink",
                "whatsapp_unreadableitem_changelist",
                "whatsapp.view_unreadableitem",
            ),
        ),
    ),
    (
        "Automation",
        (
            MenuEntry("Events", "fa-bolt", "events_event_changelist", "events.view_event"),
            MenuEntry(
                "Deliveries",
                "fa-truck",
                "events_eventdelivery_changelist",
                "events.view_eventdelivery",
            ),
            MenuEntry(
                "Event endpoints",
                "fa-plug",
                "events_eventendpoint_changelist",
                "events.view_eventendpoint",
            ),
            MenuEntry("API tokens", "fa-key", "api_apitoken_changelist", "api.view_apitoken"),
            MenuEntry("API reference", "fa-book", "api_docs", "events.view_event", namespace=""),
        ),
    ),
    (
        "People",
        (
            MenuEntry("People", "fa-user", "auth_user_changelist", "auth.view_user"),
            MenuEntry("Roles", "fa-users", "auth_group_changelist", "auth.view_group"),
            MenuEntry(
                "Who did what", "fa-history", "admin_logentry_changelist", "admin.view_logentry"
            ),
            MenuEntry("Your account", "fa-user-cog", "desk_security"),
        ),
    ),
)


def build_menu(request: HttpRequest) -> list[VisibleMenuGroup]:
    """Return the menu of the signed-in user, with the entry of the current page marked."""
    visible = [entry for _, entries in MENU_GROUPS for entry in entries if _may_see(request, entry)]
    addresses = {entry: entry.address for entry in visible}
    here = _find_nearest_address(request.path, list(addresses.values()))
    groups = []
    for name, entries in MENU_GROUPS:
        shown = [
            VisibleMenuEntry(entry.name, entry.icon, addresses[entry], addresses[entry] == here)
            for entry in entries
            if entry in addresses
        ]
        if shown:
            groups.append(VisibleMenuGroup(name, shown))
    return groups


def _may_see(request: HttpRequest, entry: MenuEntry) -> bool:
    return not entry.needs or request.user.has_perm(entry.needs)


def _find_nearest_address(path: str, addresses: list[str]) -> str:
    """Return the longest menu address that `path` is below; empty if there is none.

    All pages are below the dashboard, so its address must match exactly.
    """
    root = reverse("admin:index")
    below = [
        found for found in addresses if path == found or (found != root and path.startswith(found))
    ]
    return max(below, key=len, default="")
