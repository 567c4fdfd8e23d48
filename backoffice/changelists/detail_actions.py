"""Buttons on the page of one row, each a decorated method of its admin."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from backoffice.ui.actions import ActionResult, run_action

type _ActionMethod = Callable[[Any, HttpRequest, Any], ActionResult]

_ATTRIBUTE: Final = "detail_action"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A page that asks before the action runs.

    Attributes:
        title: the question; `{}` is replaced by the row.
        text: what happens then.
        button: label of the button that runs the action.
        facts: template with details of the row; empty for none.

    """

    title: str
    text: str
    button: str
    facts: str = ""


@dataclass(frozen=True, slots=True)
class DetailAction:
    """A button on the page of one row; `detail_action` describes the attributes."""

    route: str
    name: str
    label: str
    permission: str
    icon: str
    style: str
    confirmation: Confirmation | None


@dataclass(frozen=True, slots=True)
class DetailButton:
    """A button that the user may press, and the URL to which it posts."""

    action: DetailAction
    url: str


def detail_action(
    *,
    route: str,
    name: str,
    label: str,
    permission: str,
    icon: str = "",
    style: str = "outline-secondary",
    confirmation: Confirmation | None = None,
) -> Callable[[_ActionMethod], _ActionMethod]:
    """Make a method of a `DetailActionsAdmin` a button on the page of one row.

    The method gets the request and the row, and returns the message about its outcome. The button
    is a POST that runs it once, as `run_action` does, and leads back to the page.

        detail_actions = ("resolve",)

        @detail_action(
            route="<id:alarm_id>/resolve/", name="resolve", label="Resolve", permission="resolve"
        )
        def resolve(self, request: HttpRequest, alarm: Alarm) -> ActionResult: ...

    Args:
        route: the URL below that of the list, with the row's primary key.
        name: the URL's name, which follows the model's: `whatsapp_alarm_resolve`.
        label: the text of the button.
        permission: the middle of the method that allows it, here `has_resolve_permission`.
        icon: a name of Font Awesome; empty for none.
        style: a Bootstrap style of buttons.
        confirmation: a page that asks first; None for none.

    """

    def decorate(method: _ActionMethod) -> _ActionMethod:
        action = DetailAction(route, name, label, permission, icon, style, confirmation)
        setattr(method, _ATTRIBUTE, action)
        return method

    return decorate


class DetailActionsAdmin(admin.ModelAdmin):
    """An admin with buttons on the page of one row.

    A template finds those that the user may press in `buttons`, by the names of their methods.
    """

    menu_name: ClassVar[str]
    detail_actions: ClassVar[tuple[str, ...]] = ()
    """Names of the decorated methods."""

    def get_urls(self) -> list[URLPattern]:
        """Add the URLs of the buttons."""
        return [
            path(
                action.route,
                self.admin_site.admin_view(self._build_view(method_name, action)),
                name=self._build_url_name(action.name),
            )
            for method_name, action in self._list_actions().items()
        ] + super().get_urls()

    def get_buttons(self, request: HttpRequest, obj: Model) -> Mapping[str, DetailButton]:
        """Return the buttons that the user may press, by the names of their methods."""
        return {
            method_name: DetailButton(
                action, reverse(f"admin:{self._build_url_name(action.name)}", args=[obj.pk])
            )
            for method_name, action in self._list_actions().items()
            if self._may_run(request, action)
        }

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Add the buttons and the name of the list to the context."""
        context["menu_name"] = self.menu_name
        if obj := kwargs.get("obj"):
            context["buttons"] = self.get_buttons(request, obj)
        return super().render_change_form(request, context, *args, **kwargs)

    def render_page(
        self, request: HttpRequest, obj: Model, template: str, **context: Any
    ) -> TemplateResponse:
        """Return another page of the row."""
        page = {"opts": self.opts, "original": obj, "menu_name": self.menu_name}
        site = self.admin_site.each_context(request)
        return TemplateResponse(request, template, site | page | context)

    def render_confirmation(
        self, request: HttpRequest, obj: Model, confirmation: Confirmation
    ) -> TemplateResponse:
        """Return the page that asks before an action; its form posts `sure` to the same URL."""
        return self.render_page(
            request,
            obj,
            "admin/detail_actions/confirm.html",
            title=confirmation.title.format(obj),
            confirmation=confirmation,
        )

    def redirect_to_page(self, obj: Model) -> HttpResponse:
        """Redirect to the page of the row."""
        return redirect(f"admin:{self._build_url_name('change')}", obj.pk)

    def _build_view(self, method_name: str, action: DetailAction) -> Callable[..., HttpResponse]:
        @require_POST
        def view(request: HttpRequest, **key: int) -> HttpResponse:
            if not self._may_run(request, action):
                raise PermissionDenied
            obj: Model = get_object_or_404(self.get_queryset(request), pk=next(iter(key.values())))
            if action.confirmation and request.POST.get("sure") != "yes":
                return self.render_confirmation(request, obj, action.confirmation)
            run_action(request, lambda: getattr(self, method_name)(request, obj))
            return self.redirect_to_page(obj)

        return view

    def _list_actions(self) -> dict[str, DetailAction]:
        return {name: getattr(getattr(self, name), _ATTRIBUTE) for name in self.detail_actions}

    def _may_run(self, request: HttpRequest, action: DetailAction) -> bool:
        return bool(getattr(self, f"has_{action.permission}_permission")(request))

    def _build_url_name(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"
