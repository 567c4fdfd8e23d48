"""The way in: name and password first, then, for who uses one, the code."""

from datetime import datetime, timedelta
from typing import Any, Final, cast

import django_otp
from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from backoffice.accounts import second_factor
from backoffice.accounts.second_factor import CodeAccepted, CodeEntryPaused

PENDING_LOGIN_KEY: Final = "half_way_in"
"""Where a session keeps who gave the right password and still owes the code."""
PENDING_LOGIN_LIFETIME: Final = timedelta(minutes=10)


class PasswordForm(AdminAuthenticationForm):
    """Name and password."""

    button = "Log in"
    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": "That name and password do not belong together. Mind capitals.",
    }


class CodeForm(forms.Form):
    """The code from the phone, or one from paper."""

    button = "Go on"
    code = forms.CharField(
        label="Code from your app",
        max_length=20,
        help_text="Six digits. Without your phone, type one of your recovery codes instead.",
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autofocus": True,
                "spellcheck": "false",
                "autocapitalize": "none",
                "class": "code-box",
            }
        ),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.accepted: CodeAccepted | None = None

    def clean_code(self) -> str:
        """Compare the code with what the person's phone shows."""
        code: str = self.cleaned_data["code"]
        outcome = second_factor.check_code(self.user, code, now=timezone.now())
        if not isinstance(outcome, CodeAccepted):
            raise forms.ValidationError(explain_refused_code(outcome))
        self.accepted = outcome
        return code


def explain_refused_code(outcome: second_factor.CodeWrong | CodeEntryPaused) -> str:
    """Say why a code was not taken."""
    if isinstance(outcome, CodeEntryPaused):
        unit = "second" if outcome.seconds == 1 else "seconds"
        return f"Please wait {outcome.seconds} {unit}, then type the code your app shows then."
    return "That code does not fit. Type the one your app shows now; each works once."


class TwoStepLoginView(LoginView):
    """The login page, which asks for the code once the password was right."""

    template_name = "admin/login.html"
    authentication_form = PasswordForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Take what was typed, or begin anew."""
        if "again" in request.POST:
            request.session.pop(PENDING_LOGIN_KEY, None)
            return HttpResponseRedirect(request.get_full_path())
        return super().post(request, *args, **kwargs)

    def get_form(self, form_class: Any = None) -> Any:
        """Ask for the password, or for the code of who gave it."""
        person = load_pending_user(self.request, now=timezone.now())
        if person is None:
            return super().get_form(form_class)
        typed = self.request.POST if "code" in self.request.POST else None
        return CodeForm(typed, user=person)

    def form_valid(self, form: Any) -> HttpResponse:
        """Let the person in, or on to the code."""
        if isinstance(form, CodeForm):
            return self._in(form)
        person = cast("User", form.get_user())
        if not second_factor.has_second_factor(person):
            return super().form_valid(form)
        self.request.session.cycle_key()
        self.request.session[PENDING_LOGIN_KEY] = {
            "user": person.pk,
            "backend": person.backend,
            "hash": person.get_session_auth_hash(),
            "until": (timezone.now() + PENDING_LOGIN_LIFETIME).timestamp(),
        }
        return HttpResponseRedirect(self.request.get_full_path())

    def _in(self, form: CodeForm) -> HttpResponse:
        assert form.accepted is not None  # noqa: S101 - a valid form has been accepted
        half = self.request.session.pop(PENDING_LOGIN_KEY)
        target = self.get_success_url()
        login(self.request, form.user, backend=half["backend"])
        django_otp.login(self.request, form.accepted.device)
        return HttpResponseRedirect(target)


def load_pending_user(request: HttpRequest, *, now: datetime) -> User | None:
    """Give who gave the right password in this session a short while ago, and owes the code."""
    half = request.session.get(PENDING_LOGIN_KEY)
    if half is None:
        return None
    person = User.objects.filter(pk=half["user"], is_active=True, is_staff=True).first()
    if now.timestamp() > half["until"] or person is None:
        del request.session[PENDING_LOGIN_KEY]
        return None
    return person if person.get_session_auth_hash() == half["hash"] else None
