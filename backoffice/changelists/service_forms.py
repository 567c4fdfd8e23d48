"""Admin forms whose values a service checks and stores."""
# ruff: noqa: ARG002 - Django passes these arguments

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from shared.core.errors import DomainError


class ServiceForm(forms.ModelForm):
    """A form whose values the admin's `save_model` gives to a service.

    The service alone knows the rules: the model's validators are not run, and the instance keeps
    its values until the service has stored the new ones.
    """

    fields_by_error_code: ClassVar[Mapping[str, str]] = {}
    """The field at which an error of the service is shown, by error code; else above the form."""
    refusal: ClassVar[DomainError | None] = None

    def _post_clean(self) -> None:
        """Add the error of the service, instead of validating the instance."""
        if self.refusal is not None:
            field = self.fields_by_error_code.get(self.refusal.code)
            self.add_error(field, self.refusal.message())


class ServiceFormAdmin(admin.ModelAdmin):
    """An admin with a `ServiceForm`.

    If the service refuses the values, what was written is rolled back, and the form is shown again
    with the error.
    """

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show the form, or save it; after a refusal, show it again."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as refusal:
            vars(request)["refusal"] = refusal
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Return a form class for this request, which adds the error of a refusal."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.refusal = vars(request).get("refusal")
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return nothing: a link must not fill in a form, as Django would let it."""
        return {}

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Log a change unless `construct_change_message` has found none."""
        return super().log_change(request, obj, message) if message else None
