"""Forms of a user, with a description of each role."""

from django import forms
from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from django.contrib.auth.models import Group, User
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.accounts.roles import ROLES


class RolesField(forms.ModelMultipleChoiceField):
    """Groups as checkboxes, the predefined roles with their description."""

    def __init__(self) -> None:
        super().__init__(
            Group.objects.order_by("id"),
            label="Role",
            required=False,
            widget=forms.CheckboxSelectMultiple,
            help_text="Several together allow what any of them allows.",
        )

    def label_from_instance(self, obj: Group) -> SafeString:
        """Return a role's name and description as HTML."""
        description = next((role.description for role in ROLES if role.name == obj.name), "")
        return format_html(
            '<span><strong>{}</strong> <span class="quiet">{}</span></span>', obj.name, description
        )


class NewPersonForm(UserCreationForm):
    """Form of a new user."""

    groups = RolesField()

    class Meta(UserCreationForm.Meta):
        """Name, e-mail address and roles."""

        model = User
        fields = ("username", "first_name", "last_name", "email", "groups")


class PersonForm(UserChangeForm):
    """Form of an existing user."""

    groups = RolesField()


class NewPasswordForm(AdminPasswordChangeForm):
    """Form of a new password for another user."""

    def __init__(self, user: User, *args: object, **kwargs: object) -> None:
        super().__init__(user, *args, **kwargs)
        # A user without a password could not log in; "Active" is the switch for that.
        self.fields.pop("usable_password", None)
        for name in ("password1", "password2"):
            self.fields[name].required = True
