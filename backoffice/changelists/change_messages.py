"""Log messages about changed forms, with old and new values."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.core.files import File
from django.utils import timezone

from backoffice.ui import display


def describe_changes(form: forms.BaseForm, *, secret: Collection[str] = ()) -> str:
    """Return what a form changed, e.g. "Changed price from 5.00 to 6.00"; empty if nothing.

    Args:
        form: The valid form with its initial values.
        secret: Names of fields whose values must not be in the log.

    """
    changes = [_describe_change(form, name, secret=name in secret) for name in form.changed_data]
    return f"Changed {'; '.join(changes)}" if changes else ""


def _describe_change(form: forms.BaseForm, name: str, *, secret: bool) -> str:
    label = str(form.fields[name].label or name.replace("_", " "))
    label = label[:1].lower() + label[1:]
    before, after = form.initial.get(name), form.cleaned_data.get(name)
    if secret or isinstance(after, File) or isinstance(before, File):
        return label
    return f"{label} from {_format_value(before)} to {_format_value(after)}"


def _format_value(value: Any) -> str:
    match value:
        case None | "" | [] | ():
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return display.format_time(value, zone=timezone.get_current_timezone_name())
        case str():
            return f"“{display.shorten_text(value)}”"
        case Iterable():
            return display.shorten_text(", ".join(sorted(map(str, value)))) or "nothing"
        case _:
            return str(value)
