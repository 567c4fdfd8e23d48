"""Login in two steps: name and password, then the code of the second factor."""

from datetime import datetime, timedelta
from typing import Any, Final, cast

import django_otp
from django import forms
from django.contrib import messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from backoffice.accounts import interrupted, second_factor
from backoffice.accounts.second_factor import CodeAccepted, CodeEntryPaused

PENDING_LOGIN_KEY: Final = "half_way_in"
"""Session key of a user who entered the right password but not yet the code."""
PENDING_LOGIN_LIFETIME: Final = timedelta(minutes=10)


class PasswordForm(AdminAuthenticationForm):
    """Name and password."""

    button = "Log in"
    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": "That name and password do not belong together. Mind capitals.",
    }


class CodeForm(forms.Form):
    """A code from the authenticator app, or a recovery code."""

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
        """Check the code."""
        code: str = self.cleaned_data["code"]
        outcome = second_factor.check_code(self.user, code, now=timezone.now())
        if not isinstance(outcome, CodeAccepted):
            raise forms.ValidationError(explain_refused_code(outcome))
        self.accepted = outcome
        return code


def explain_refused_code(outcome: second_factor.CodeWrong | CodeEntryPaused) -> str:
    """Return the message for a code that was not accepted."""
    if isinstance(outcome, CodeEntryPaused):
        unit = "second" if outcome.seconds == 1 else "seconds"
        return f"Please wait {outcome.seconds} {unit}, then type the code your app shows then."
    return "That code does not fit. Type the one your app shows now; each works once."


class TwoStepLoginView(LoginView):
    """Login page, which asks for the code after the right password."""

    template_name = "admin/login.html"
    authentication_form = PasswordForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Process the submitted form, or start over with the password."""
        if "again" in request.POST:
            request.session.pop(PENDING_LOGIN_KEY, None)
            return HttpResponseRedirect(request.get_full_path())
        return super().post(request, *args, **kwargs)

    def get_form(self, form_class: Any = None) -> Any:
        """Return the code form if the password was right, else the password form."""
        person = load_pending_user(self.request, now=timezone.now())
        if person is None:
            return super().get_form(form_class)
        typed = self.request.POST if "code" in self.request.POST else None
        return CodeForm(typed, user=person)

    def form_valid(self, form: Any) -> HttpResponse:
        """Log the user in, or continue with the code if the user has a second factor."""
        if isinstance(form, CodeForm):
            return self._log_in(form)
        person = cast("User", form.get_user())
        if not second_factor.has_second_factor(person):
            return self._report_interruption(super().form_valid(form))
        self.request.session.cycle_key()
        self.request.session[PENDING_LOGIN_KEY] = {
            "user": person.pk,
            "backend": person.backend,
            "hash": person.get_session_auth_hash(),
            "until": (timezone.now() + PENDING_LOGIN_LIFETIME).timestamp(),
        }
        return HttpResponseRedirect(self.request.get_full_path())

    def _log_in(self, form: CodeForm) -> HttpResponse:
        assert form.accepted is not None  # noqa: S101 - a valid form has been accepted
        pending = self.request.session.pop(PENDING_LOGIN_KEY)
        target = self.get_success_url()
        login(self.request, form.user, backend=pending["backend"])
        django_otp.login(self.request, form.accepted.device)
        return self._report_interruption(HttpResponseRedirect(target))

    def _report_interruption(self, answer: HttpResponse) -> HttpResponse:
        if interrupted.INTERRUPTED_PARAM in self.request.GET:
            messages.warning(self.request, interrupted.NOTHING_DECIDED)
        return answer


def load_pending_user(request: HttpRequest, *, now: datetime) -> User | None:
    """Return the user who entered the right password in this session and still has to enter a code.

    Args:
        request: the request with the session.
        now: the current time.

    Returns:
        None if there is no such user, the time for the code is over, or the password has changed.

    """
    pending = request.session.get(PENDING_LOGIN_KEY)
    if pending is None:
        return None
    person = User.objects.filter(pk=pending["user"], is_active=True, is_staff=True).first()
    if now.timestamp() > pending["until"] or person is None:
        del request.session[PENDING_LOGIN_KEY]
        return None
    return person if person.get_session_auth_hash() == pending["hash"] else None
