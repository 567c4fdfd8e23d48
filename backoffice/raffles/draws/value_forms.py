"""Forms for published values, stubs of a drum, void values and dates without a result."""

import re
from typing import Any, Final

from django import forms

from backoffice.raffles.draws.rules_forms import add_bootstrap_classes
from backoffice.raffles.picture_field import PictureField
from shared.core.constants import MAX_NOTE_LENGTH
from shared.core.enums import SourceKind, VoidReason
from shared.raffles.draws.draw_models import DrawSource

VOID_LABELS: Final = {
    VoidReason.MISREAD: "What was entered is not what was published",
    VoidReason.SOURCE_VOID: "Its publisher declared the draw void, or cancelled it",
}
PHOTO_FORGOTTEN: Final = "Please choose the photo once more; the browser forgot it."
_RANDOMNESS: Final = re.compile(r'"randomness"\s*:\s*"([0-9A-Fa-f]+)"')
_MAX_NUMBER: Final = 2**31 - 1


class _EvidenceForm(forms.Form):
    """A link or a photo, one of which is needed."""

    link = forms.URLField(
        label="Link that shows it", required=False, max_length=500, assume_scheme="https"
    )
    photo = PictureField(label="Or a photo")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        add_bootstrap_classes(self)

    def ask_for_photo_again(self) -> None:
        """Ask for the photo of a refused form again, because browsers do not keep files."""
        if self.files.get(self.add_prefix("photo")) and "photo" not in self.errors:
            self.add_error("photo", PHOTO_FORGOTTEN)


class ValuesForm(_EvidenceForm):
    """What a source published."""

    values = forms.CharField(
        label="Values as published",
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "What was published?"},
    )
    field_order = ("values", "link", "photo")

    def describe_source(self, source: DrawSource) -> None:
        """Say in the help text what the source publishes."""
        field = self.fields["values"]
        if source.kind == SourceKind.DRAND:
            field.label = "Randomness of the round"
            field.help_text = "64 characters; the whole answer of the page may be pasted, too."
        elif source.value_count == 1:
            field.label = "Number as published"
            field.help_text = f"From {source.lowest} to {source.highest}, with its zeros."
        else:
            field.label = f"{source.value_count} numbers as published"
            field.help_text = (
                f"From {source.lowest} to {source.highest}, in any order, with spaces between."
            )

    def list_values(self) -> list[str]:
        """Return the values of a valid form; of drand's answer in JSON its randomness."""
        text = self.cleaned_data["values"]
        if found := _RANDOMNESS.search(text):
            return [found[1]]
        return [value for value in re.split(r"[\s,;]+", text) if value]


class StubForm(_EvidenceForm):
    """The stub that came out of the drum."""

    number = forms.IntegerField(
        label="Ticket number of the stub",
        min_value=0,
        max_value=_MAX_NUMBER,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": "Which number came out?"},
    )
    field_order = ("number", "link", "photo")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["link"].label = "Link to the recording"
        self.fields["photo"].label = "Or a photo of the stub"


class _CommentForm(forms.Form):
    """A comment that everybody can read in the record."""

    comment = forms.CharField(
        label="What happened, and how it is known",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": MAX_NOTE_LENGTH}),
        help_text="Anybody can read it in the record of the draw.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        add_bootstrap_classes(self)


class VoidForm(_CommentForm):
    """Why values do not count."""

    reason = forms.ChoiceField(
        label="Why they do not count",
        choices=[(reason.value, label) for reason, label in VOID_LABELS.items()],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a reason."},
    )
    field_order = ("reason", "comment")


class SkipForm(_CommentForm):
    """That a source published nothing at its date."""

    link = forms.URLField(
        label="Link that shows it", required=False, max_length=500, assume_scheme="https"
    )
    field_order = ("comment", "link")
