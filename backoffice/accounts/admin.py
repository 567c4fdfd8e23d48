"""Admin pages of users and roles."""

from typing import Any, ClassVar

import django_otp.plugins.otp_static.admin
import django_otp.plugins.otp_totp.admin
from django.contrib import admin, messages
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
from backoffice.changelists import change_messages
from backoffice.changelists.filters import ConditionFilter
from backoffice.changelists.search import FoldedSearch
from backoffice.changelists.selection import BoundedSelection
from backoffice.ui import display

_REPLACED_MODELS = (
    User,
    Group,
    # The default pages of these two show the secret keys of every user's second factor.
    django_otp.plugins.otp_static.admin.StaticDevice,
    django_otp.plugins.otp_totp.admin.TOTPDevice,
)
admin.site.unregister(_REPLACED_MODELS)


class UserActiveFilter(ConditionFilter):
    """Users who may log in, or who may not."""

    title = "Active"
    parameter_name = "active"
    answers: ClassVar = {
        "yes": ("May log in", Q(is_active=True, is_staff=True)),
        "no": ("May not", Q(is_active=False) | Q(is_staff=False)),
    }


class SuperuserOnlyAdmin(BoundedSelection, FoldedSearch):
    """Rows that only superusers may change, because with them a user could gain any permission."""

    menu_name: ClassVar[str] = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return whether the user is a superuser."""
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Return whether the user is a superuser."""
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Return whether the user is a superuser."""
        return bool(request.user.is_superuser)


@admin.register(User)
class PersonAdmin(BoundedSelection, FoldedSearch, DjangoUserAdmin):
    """Users of the back office."""

    menu_name = "People"
    row_name = "person"
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
        (
            None,
            {
                "fields": (
                    *("username", "first_name", "last_name", "email"),
                    *("password1", "password2"),
                )
            },
        ),
        ("What this person may do", {"fields": ("groups",)}),
    )
    readonly_fields = ("seen", "joined")
    filter_horizontal = ("user_permissions",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:  # noqa: ARG002
        """Return the users with their roles and whether they have a second factor."""
        return second_factor.select_people().prefetch_related("groups").order_by("username")

    def get_urls(self) -> list[URLPattern]:
        """Add the URL that resets a user's second factor."""
        reset = self.admin_site.admin_view(security.reset_second_factor_view)
        own = path("<id:user_id>/second-factor/reset/", reset, name="auth_user_reset_second_factor")
        return [own, *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return the read-only fields; roles and permissions are included except for superusers.

        Otherwise a user who may change users could make themselves a superuser.
        """
        fixed = [*super().get_readonly_fields(request, obj)]
        if not request.user.is_superuser:
            fixed += ["groups", "is_superuser", "is_staff", "user_permissions"]
        return fixed

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may change this user; only superusers may change a superuser."""
        below = obj is None or not obj.is_superuser or request.user.is_superuser
        return bool(below and super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may delete this user.

        Only superusers may delete a superuser, and no user may delete themselves.
        """
        below = obj is None or not obj.is_superuser or request.user.is_superuser
        other = obj is None or obj.pk != request.user.pk
        return bool(below and other and super().has_delete_permission(request, obj))

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Return what the log says, with old and new values, but never a password."""
        if add or isinstance(form, NewPasswordForm):
            return super().construct_change_message(request, form, formsets, add)
        return change_messages.describe_changes(form, secret={"password"})

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save a user; a new one becomes staff, because the admin is all there is to log in to."""
        if not change:
            obj.is_staff = True
        super().save_model(request, obj, form, change)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Delete a user, or show an error if the user has any activity.

        Such a user can only be deactivated, so that their name stays with what they did.
        """
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
        """Return first and last name."""
        return person.get_full_name() or "–"

    @admin.display(description="Role")
    def roles(self, person: User) -> str:
        """Return the names of the roles."""
        names = [group.name for group in person.groups.all()]
        return ", ".join(["Superuser"] * person.is_superuser + names) or "none"

    @admin.display(description="Second factor", boolean=True)
    def factor(self, person: User) -> bool:
        """Return whether the user has a second factor."""
        return second_factor.has_second_factor(person)

    @admin.display(description="Last login", ordering="last_login")
    def seen(self, person: User) -> str:
        """Return the time of the last login."""
        return display.format_time(person.last_login)

    @admin.display(description="Here since")
    def joined(self, person: User) -> str:
        """Return the time when the user was added."""
        return display.format_time(person.date_joined)


@admin.register(Group)
class RoleAdmin(SuperuserOnlyAdmin, DjangoGroupAdmin):
    """Roles, which are Django's groups."""

    menu_name = "Roles"
    row_name = "role"
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the role may be deleted; the three predefined roles may not."""
        ours = obj is not None and obj.name in {role.name for role in ROLES}
        return not ours and super().has_delete_permission(request, obj)
