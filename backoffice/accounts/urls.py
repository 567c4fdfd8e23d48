"""URLs of a user's own security page, below `/admin/`."""

from collections.abc import Callable
from typing import Final

from django.contrib.admin import AdminSite
from django.http import HttpResponse
from django.urls import URLPattern, path

from backoffice.accounts import security

_VIEWS: Final[tuple[tuple[str, Callable[..., HttpResponse], str], ...]] = (
    ("security/", security.security_view, "desk_security"),
    ("security/start/", security.start_second_factor_view, "desk_security_start"),
    ("security/stop/", security.cancel_second_factor_view, "desk_security_stop"),
    ("security/confirm/", security.confirm_second_factor_view, "desk_security_confirm"),
    ("security/codes/", security.new_recovery_codes_view, "desk_security_codes"),
    ("security/mail/", security.switch_mail_view, "desk_security_mail"),
    ("security/off/", security.turn_off_second_factor_view, "desk_security_off"),
)


def build_security_urls(site: AdminSite) -> list[URLPattern]:
    """Return the URL patterns; every member of staff may use them for their own account."""
    return [path(route, site.admin_view(view), name=name) for route, view, name in _VIEWS]
