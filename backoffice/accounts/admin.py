"""Who works here, what they may do, and what they did."""

from typing import Any, ClassVar

import django_otp.plugins.otp_static.admin
import django_otp.plugins.otp_totp.admin
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from backoffice.accounts import activity, second_factor, security
from backoffice.accounts.forms import NewPasswordForm, NewPersonForm, PersonForm
from backoffice.accounts.roles import ROLES
from backoffice.changelists.filters import ConditionFilter
from backoffice.changelists.read_only import ReadOnlyAdmin
from backoffice.changelists.search import BoundedSearch
from backoffice.ui import display

_REPLACED_MODELS = (
    User,
    Group,
    # Their pages show the keys of everybody's second factor.
    django_otp.plugins.otp_static.admin.StaticDevice,
    django_otp.plugins.otp_totp.admin.TOTPDevice,
)
admin.site.unregister(_REPLACED_MODELS)


class UserActiveFilter(ConditionFilter):
    """People who may log in, or not any more."""

    title = "Active"
    parameter_name = "active"
    answers: ClassVar = {
        "yes": ("May log in", Q(is_active=True, is_staff=True)),
        "no": ("May not", Q(is_active=False) | Q(is_staff=False)),
    }


class SuperuserOnlyAdmin(BoundedSearch):
    """Rows that superusers alone may touch: with them anybody could become anybody."""

    menu_name: ClassVar[str] = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let superusers."""
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Let superusers."""
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Let superusers."""
        return bool(request.user.is_superuser)


@admin.register(User)
class PersonAdmin(BoundedSearch, DjangoUserAdmin):
    """The people."""

    menu_name = "People"
    form = PersonForm
    add_form = NewPersonForm
    change_password_form = NewPasswordForm
    list_display = ("username", "name", "roles", "is_active", "factor", "seen")
    list_filter = (UserActiveFilter,)
    search_fields = ("username", "first_name", "last_name", "email")
    search_help_text = "Name or mail address"
    show_full_result_count = False
    actions = None
    fieldsets = (
        (None, {"fields": ("username", "first_name", "last_name", "email")}),
        ("What this person may do", {"fields": ("groups", "is_active")}),
        (
            "Exceptions",
            {
                "classes": ("collapse",),
                "fields": ("is_superuser", "is_staff", "user_permissions"),
            },
        ),
        ("Seen here", {"fields": ("seen", "joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "first_name", "last_name", "password1", "password2")}),
        ("What this person may do", {"fields": ("groups",)}),
    )
    readonly_fields = ("seen", "joined")
    filter_horizontal = ("user_permissions",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:  # noqa: ARG002
        """Read the people with their roles and whether a code is asked of them."""
        return second_factor.select_people().prefetch_related("groups").order_by("username")

    def get_urls(self) -> list[URLPattern]:
        """Add the button of a person's page."""
        reset = self.admin_site.admin_view(security.reset_second_factor_view)
        own = path(
            "<int:user_id>/second-factor/reset/", reset, name="auth_user_reset_second_factor"
        )
        return [own, *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Let superusers alone say who may do what, or anybody could make themselves one."""
        fixed = [*super().get_readonly_fields(request, obj)]
        if not request.user.is_superuser:
            fixed += ["groups", "is_superuser", "is_staff", "user_permissions"]
        return fixed

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers alone change a superuser."""
        below = obj is None or not obj.is_superuser or request.user.is_superuser
        return bool(below and super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers alone delete a superuser, and nobody themselves."""
        below = obj is None or not obj.is_superuser or request.user.is_superuser
        other = obj is None or obj.pk != request.user.pk
        return bool(below and other and super().has_delete_permission(request, obj))

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Keep a person; somebody new may log in here, which is all one can do."""
        if not change:
            obj.is_staff = True
        super().save_model(request, obj, form, change)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Delete who never did anything; whoever did is made inactive instead."""
        person = self.get_object(request, object_id)
        if (
            person is not None
            and self.has_delete_permission(request, person)
            and activity.has_activity(person)
        ):
            messages.error(
                request,
                f"{person} is not deleted, because what {person} did must keep its name. "
                "Take the tick from “Active” instead: nobody can log in with it then.",
            )
            return redirect("admin:auth_user_change", person.pk)
        return super().delete_view(request, object_id, extra_context)

    @admin.display(description="Name")
    def name(self, person: User) -> str:
        """First and last name."""
        return person.get_full_name() or "–"

    @admin.display(description="Role")
    def roles(self, person: User) -> str:
        """Name the roles."""
        names = [group.name for group in person.groups.all()]
        return ", ".join(["Superuser"] * person.is_superuser + names) or "none"

    @admin.display(description="Second factor", boolean=True)
    def factor(self, person: User) -> bool:
        """Whether a code is asked for."""
        return second_factor.has_second_factor(person)

    @admin.display(description="Last login", ordering="last_login")
    def seen(self, person: User) -> str:
        """When they last logged in."""
        return display.format_time(person.last_login)

    @admin.display(description="Here since")
    def joined(self, person: User) -> str:
        """When they were added."""
        return display.format_time(person.date_joined)


@admin.register(Group)
class RoleAdmin(SuperuserOnlyAdmin, DjangoGroupAdmin):
    """The roles."""

    menu_name = "Roles"
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep the three roles that came with the installation."""
        ours = obj is not None and obj.name in {role.name for role in ROLES}
        return not ours and super().has_delete_permission(request, obj)


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """What people changed by hand; what happened to an order stands on the order's own page."""

    menu_name = "Who did what"
    list_display = ("at", "user", "what", "object_repr", "said")
    list_select_related = ("user", "content_type")
    search_fields = ("user__username__iexact", "object_repr")
    search_help_text = "Person, or what was changed"
    fields = ("at", "user", "what", "object_repr", "said")
    ordering = ("-id",)

    @admin.display(description="When", ordering="id")
    def at(self, entry: LogEntry) -> str:
        """When it was done."""
        return display.format_time(entry.action_time)

    @admin.display(description="What")
    def what(self, entry: LogEntry) -> str:
        """What kind of thing was changed."""
        return str(entry.content_type.name).capitalize() if entry.content_type else "–"

    @admin.display(description="Change")
    def said(self, entry: LogEntry) -> str:
        """Say what was done."""
        return entry.get_change_message() or entry.get_action_flag_display()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Let those look who may see the log, whoever wrote it."""
        return request.user.has_perm("admin.view_logentry")
