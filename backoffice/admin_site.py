"""The admin site: its URLs, menu, login page and dashboard."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from backoffice.accounts import interrupted
from backoffice.ui import brand, menu
from shared.core import config


class BackofficeSite(AdminSite):
    """Django's admin site with our menu, login page and dashboard."""

    site_title = config.get_settings().brand_name
    site_header = config.get_settings().brand_name
    enable_nav_sidebar = False

    def get_app_list(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django passes these arguments
        app_label: str | None = None,  # noqa: ARG002
    ) -> list[dict[str, Any]]:
        """Return nothing: the menu leads to every list, and no page shows apps and their models."""
        return []

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Return our pages first, because the last of the admin's own URLs matches everything."""
        from backoffice.accounts.urls import build_security_urls  # noqa: PLC0415 - needs models
        from backoffice.orders.urls import build_order_urls  # noqa: PLC0415 - needs models
        from backoffice.raffles.urls import build_raffle_urls  # noqa: PLC0415 - needs models

        return [
            path("brand.css", brand.brand_style_view, name="brand_style"),
            path("brand/logo", brand.brand_logo_view, name="brand_logo"),
            *build_security_urls(self),
            *build_order_urls(self),
            *build_raffle_urls(self),
            *super().get_urls(),
        ]

    def admin_view[View: Callable[..., HttpResponseBase]](
        self, view: View, cacheable: bool = False
    ) -> View:
        """Wrap a view for staff; a POST without a session leads to the login and its page."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if interrupted.is_interrupted_post(request) and not self.has_permission(request):
                return interrupted.redirect_to_login(request)
            return inner(request, *args, **kwargs)

        return cast("View", wrapped)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the login page, or redirect a user who is already logged in to the wanted page."""
        from backoffice.accounts.login import TwoStepLoginView  # noqa: PLC0415 - needs models

        if request.method == "GET" and self.has_permission(request):
            wanted = request.GET.get("next", "")
            ours = url_has_allowed_host_and_scheme(
                wanted, {request.get_host()}, require_https=request.is_secure()
            )
            return redirect(wanted if ours else "admin:index")
        page = {
            "title": "Log in",
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
            "interrupted": interrupted.INTERRUPTED_PARAM in request.GET,
            **(extra_context or {}),
        }
        view = TwoStepLoginView.as_view(extra_context=self.each_context(request) | page)
        return cast("HttpResponse", view(request))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add the brand and the menu to the context of every page."""
        groups: list[menu.VisibleMenuGroup] = (
            menu.build_menu(request) if self.has_permission(request) else []
        )
        return {**super().each_context(request), "brand": brand.get_brand(), "menu": groups}

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show the dashboard."""
        from backoffice.dashboard import page as dashboard_page  # noqa: PLC0415 - needs models

        page = {
            "dashboard": dashboard_page.load_dashboard(request, now=timezone.now()),
            "title": "Dashboard",
        }
        context = self.each_context(request) | page | (extra_context or {})
        return TemplateResponse(request, "dashboard/dashboard.html", context)

    def app_index(  # type: ignore[override]  # a redirect instead of a page
        self,
        request: HttpRequest,  # noqa: ARG002 - Django passes these arguments
        app_label: str,  # noqa: ARG002
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """Redirect to the dashboard: the menu leads to every list, so an app has no page."""
        return redirect("admin:index")
