"""The forms of a person: the roles first, each explained."""

from django import forms
from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from django.contrib.auth.models import Group, User
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.accounts.roles import ROLES


class RolesField(forms.ModelMultipleChoiceField):
    """Groups as boxes to tick, ours with what they are for."""

    def __init__(self) -> None:
        super().__init__(
            Group.objects.order_by("id"),
            label="Role",
            required=False,
            widget=forms.CheckboxSelectMultiple,
            help_text="Several together allow what any of them allows.",
        )

    def label_from_instance(self, obj: Group) -> SafeString:
        """Name a role and say what it is for."""
        says = next((role.says for role in ROLES if role.name == obj.name), "")
        return format_html(
            '<span><strong>{}</strong> <span class="quiet">{}</span></span>', obj.name, says
        )


class NewPersonForm(UserCreationForm):
    """What is needed of somebody new."""

    groups = RolesField()

    class Meta(UserCreationForm.Meta):
        """Name, role and password."""

        model = User
        fields = ("username", "first_name", "last_name", "groups")


class PersonForm(UserChangeForm):
    """Everything about a person."""

    groups = RolesField()


class NewPasswordForm(AdminPasswordChangeForm):
    """A new password for somebody else."""

    def __init__(self, user: User, *args: object, **kwargs: object) -> None:
        super().__init__(user, *args, **kwargs)
        # A person without a password cannot get in here: whoever shall not is made inactive.
        self.fields.pop("usable_password", None)
        for name in ("password1", "password2"):
            self.fields[name].required = True
