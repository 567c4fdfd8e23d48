"""Parts that all pages of a draw share: permissions, and the way through the draw."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from backoffice.raffles import status
from backoffice.ui.actions import StaffAction
from backoffice.ui.permissions import require_permission
from shared.core.enums import DrawMethod, RaffleStatus
from shared.core.errors import DomainError
from shared.raffles.models import Raffle

DRAW_PERMISSION: Final = "raffles.draw_raffle"
VIEW_PERMISSION: Final = "raffles.view_raffle"
RULES_PERMISSION: Final = "raffles.change_raffle"
WINNERS_PERMISSION: Final = "raffles.view_order"
EXPORT_PERMISSION: Final = "raffles.export_order"


class DrawPage(StrEnum):
    """A page of the draw; the values are the names of its address and its label."""

    RULES = "rules"
    SEAL = "seal"
    VALUES = "values"
    DRAW = "draw"
    RESULT = "result"
    WINNERS = "winners"
    TELL = "tell"


PAGES_BY_STATUS: Final[Mapping[RaffleStatus, tuple[DrawPage, ...]]] = {
    RaffleStatus.DRAFT: (DrawPage.RULES,),
    RaffleStatus.OPEN: (DrawPage.RULES, DrawPage.SEAL),
    RaffleStatus.PAUSED: (DrawPage.RULES, DrawPage.SEAL),
    RaffleStatus.CLOSED: (DrawPage.RULES, DrawPage.SEAL),
    RaffleStatus.SEALED: (DrawPage.RULES, DrawPage.SEAL, DrawPage.VALUES, DrawPage.DRAW),
    RaffleStatus.DRAWN: tuple(DrawPage),
    RaffleStatus.CANCELLED: (DrawPage.RULES,),
}
"""Pages that have something to show, by the status of the raffle."""


@dataclass(frozen=True, slots=True)
class DrawPageLink:
    """A page on the way through a draw; without an address there is nothing to see yet."""

    label: str
    address: str
    here: bool


class DrawAction(StaffAction):
    """Context manager around a step of a draw that says the problem of a refusal, if it has one."""

    def describe_refusal(self, refusal: DomainError) -> tuple[int, str]:
        """Return the message about a domain error, with its problem or the names in its details."""
        return messages.ERROR, f"{describe_refusal(refusal)} Nothing was changed."


def describe_refusal(refusal: DomainError) -> str:
    """Return a refusal's sentence, followed by what its details name."""
    details = refusal.details
    parts = [refusal.message()]
    if problem := details.get("problem"):
        parts.append(str(problem))
    named = [details[key] for key in ("missing", "orders") if details.get(key)]
    parts.extend(f"({', '.join(str(name) for name in names)})" for names in named)
    return " ".join(parts)


def load_raffle(request: HttpRequest, raffle_id: int, *, permission: str) -> Raffle:
    """Return a raffle for a user who has a permission.

    Raises:
        PermissionDenied: The user does not have it.
        Http404: There is no such raffle.

    """
    require_permission(request, permission)
    return get_object_or_404(Raffle, pk=raffle_id)


def build_page_url(raffle_id: int, page: DrawPage) -> str:
    """Return the address of a page of a raffle's draw."""
    return reverse(f"admin:desk_draw_{page}", args=[raffle_id])


def render_draw_page(
    request: HttpRequest, raffle: Raffle, page: DrawPage, context: Mapping[str, Any]
) -> HttpResponse:
    """Render a page of a draw: `raffles/draws/<page>.html`, or the `template` of the context."""
    may_draw = request.user.has_perm(DRAW_PERMISSION)
    title = context.get("title", page.capitalize())
    full = {
        "raffle": raffle,
        "badge": status.render_status_badge(raffle),
        "pages": _list_pages(raffle, here=page),
        "may_draw": may_draw,
        "sees_orders": request.user.has_perm(WINNERS_PERMISSION),
        "is_drum": raffle.draw_method == DrawMethod.RECORDED_DRUM,
        **context,
        "title": f"{title} · {raffle}",
        "heading": title,
    }
    template = context.get("template", f"raffles/draws/{page}.html")
    return render(request, template, admin.site.each_context(request) | full)


def _list_pages(raffle: Raffle, *, here: DrawPage) -> list[DrawPageLink]:
    there = PAGES_BY_STATUS[RaffleStatus(raffle.status)]
    return [
        DrawPageLink(
            label=page.capitalize(),
            address=build_page_url(raffle.pk, page) if page in there else "",
            here=page is here,
        )
        for page in DrawPage
    ]
