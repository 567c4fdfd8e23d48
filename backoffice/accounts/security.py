"""Views of the user's own security page: second factor, recovery codes and e-mails."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import django_otp
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from backoffice.accounts import second_factor
from backoffice.accounts.login import explain_refused_code
from backoffice.accounts.second_factor import AuthenticatorSetup, CodeAccepted
from backoffice.ui import audit_log
from shared.staff_mail import deliveries

NEW_CODES_KEY: Final = "recovery_codes_to_show"
"""Session key of new recovery codes, from the request that creates them to the page."""


@dataclass(frozen=True, slots=True)
class SecurityPage:
    """Context of the security page.

    Attributes:
        on: whether the second factor is on.
        setup: data for the authenticator app while the setup is not confirmed.
        codes: new recovery codes, shown once.
        codes_left: number of unused recovery codes.
        last_login: when the user last logged in.
        mail_on: whether the user wants e-mails.
        sends_mail: whether this installation has a mail server.

    """

    on: bool
    setup: AuthenticatorSetup | None
    codes: list[str]
    codes_left: int
    last_login: datetime | None
    mail_on: bool
    sends_mail: bool


@require_safe
@never_cache
def security_view(request: HttpRequest) -> HttpResponse:
    """Show the user's security settings; new recovery codes are shown only once."""
    person = _load_person(request)
    on = second_factor.has_second_factor(person)
    device = None if on else second_factor.find_pending_device(person)
    security = SecurityPage(
        on=on,
        setup=None if device is None else second_factor.build_authenticator_setup(device),
        codes=request.session.pop(NEW_CODES_KEY, []),
        codes_left=second_factor.count_recovery_codes(person) if on else 0,
        last_login=person.last_login,
        mail_on=deliveries.wants_mail(person.pk),
        sends_mail=bool(settings.EMAIL_HOST),
    )
    context = {"title": "Your account", "security": security, "person": person}
    return render(request, "accounts/security.html", admin.site.each_context(request) | context)


@require_POST
def start_second_factor_view(request: HttpRequest) -> HttpResponse:
    """Start the setup of the second factor."""
    second_factor.start_setup(_load_person(request))
    return redirect("admin:desk_security")


@require_POST
def cancel_second_factor_view(request: HttpRequest) -> HttpResponse:
    """Cancel the setup of the second factor."""
    second_factor.cancel_setup(_load_person(request))
    return redirect("admin:desk_security")


@require_POST
def confirm_second_factor_view(request: HttpRequest) -> HttpResponse:
    """Turn the second factor on if the code is right."""
    person = _load_person(request)
    outcome = second_factor.confirm_setup(person, request.POST.get("code", ""), now=timezone.now())
    if isinstance(outcome, CodeAccepted):
        request.session.cycle_key()
        django_otp.login(request, outcome.device)
        _store_new_codes(request, person)
        audit_log.record_action(request, person, "Turned the second factor on")
        messages.success(request, "Done: from now on you need your phone to log in.")
    else:
        messages.error(request, explain_refused_code(outcome))
    return redirect("admin:desk_security")


@require_POST
def new_recovery_codes_view(request: HttpRequest) -> HttpResponse:
    """Create new recovery codes if the code is right."""
    person = _load_person(request)
    outcome = second_factor.check_code(person, request.POST.get("code", ""), now=timezone.now())
    if isinstance(outcome, CodeAccepted):
        _store_new_codes(request, person)
        audit_log.record_action(request, person, "Made new recovery codes")
        messages.success(request, "Here are your new codes; the old ones do not work any more.")
    else:
        messages.error(request, explain_refused_code(outcome))
    return redirect("admin:desk_security")


@require_POST
@sensitive_post_parameters("password")
def turn_off_second_factor_view(request: HttpRequest) -> HttpResponse:
    """Turn the second factor off if the password and the code are right."""
    person = _load_person(request)
    outcome = _check_password_and_code(request, person)
    if isinstance(outcome, str):
        messages.error(request, outcome)
    else:
        second_factor.remove_second_factor(person)
        audit_log.record_action(request, person, "Turned the second factor off")
        messages.success(request, "The second factor is off: your password alone lets you in.")
    return redirect("admin:desk_security")


@require_POST
def switch_mail_view(request: HttpRequest) -> HttpResponse:
    """Switch the user's e-mails on or off."""
    person, on = _load_person(request), request.POST.get("mail") == "on"
    if deliveries.wants_mail(person.pk) != on:
        deliveries.switch_mail(person.pk, on=on)
        audit_log.record_action(request, person, f"Switched e-mails {'on' if on else 'off'}")
    messages.success(request, f"E-mails to you are {'on' if on else 'off'}.")
    return redirect("admin:desk_security")


@require_POST
def reset_second_factor_view(request: HttpRequest, user_id: int) -> HttpResponse:
    """Remove another user's second factor, for superusers only."""
    if not request.user.is_superuser:
        raise PermissionDenied
    person = get_object_or_404(User, pk=user_id)
    if second_factor.remove_second_factor(person):
        audit_log.record_action(request, person, "Reset the second factor")
        messages.success(request, f"{person} now logs in with the password alone.")
    else:
        messages.info(request, f"{person} used no second factor; nothing was changed.")
    return redirect("admin:auth_user_change", person.pk)


def _load_person(request: HttpRequest) -> User:
    return second_factor.select_people().get(username=request.user.get_username())


def _store_new_codes(request: HttpRequest, person: User) -> None:
    request.session[NEW_CODES_KEY] = second_factor.create_recovery_codes(person)


def _check_password_and_code(request: HttpRequest, person: User) -> CodeAccepted | str:
    """Check the password and the code; return an error message if one of them is wrong.

    The password is not checked during the pause after wrong codes, so it cannot be guessed here.
    """
    now = timezone.now()
    if (closed := second_factor.get_remaining_pause(person, now=now)) is not None:
        return explain_refused_code(closed)
    if not person.check_password(request.POST.get("password", "")):
        second_factor.count_wrong_attempt(person)
        return "That is not your password; nothing was changed."
    outcome = second_factor.check_code(person, request.POST.get("code", ""), now=now)
    return outcome if isinstance(outcome, CodeAccepted) else explain_refused_code(outcome)
