"""Forms of a raffle's rules: method and terms, public sources, and prizes."""

from enum import StrEnum
from typing import Any, ClassVar, Final

from django import forms
from django.forms import BaseFormSet, formset_factory

from backoffice.raffles.picture_field import PictureField
from backoffice.raffles.raffle_form import LocalDateTimeInput
from shared.core.constants import DEFAULT_CLAIM_DAYS
from shared.core.enums import DrawMethod, SourceKind, UnsoldRule
from shared.raffles.models import Raffle
from shared.raffles.services.draws import draw_rules
from shared.raffles.services.draws.draw_rules import ChosenSource

METHOD_LABELS: Final = {
    DrawMethod.PUBLIC_VALUE: "Public value: computed from a value that nobody knows before",
    DrawMethod.LOTTERY_DIGITS: "Lottery digits: the last digits of a lottery are the ticket",
    DrawMethod.RECORDED_DRUM: "Drum: printed stubs, drawn by hand before a witness",
}
UNSOLD_LABELS: Final = {
    UnsoldRule.NEXT_SOLD_UPWARDS: "The next higher sold number wins",
    UnsoldRule.NEXT_SOURCE_DATE: "The next draw of the same lottery decides",
}


class SourcePreset(StrEnum):
    """A ready choice of a public source; the values are those of the form."""

    DRAND = "drand"
    DIGITS = "digits"
    SIX_OF_49 = "6of49"
    OTHER = "other"


PRESET_LABELS: Final = {
    SourcePreset.DRAND: "drand quicknet: a public beacon, a value every 3 seconds",
    SourcePreset.DIGITS: "A lottery that draws one number, e.g. 4 digits",
    SourcePreset.SIX_OF_49: "A lottery that draws 6 of 49",
    SourcePreset.OTHER: "Another source of numbers",
}
_MAX_DIGITS: Final = 12


class RulesForm(forms.Form):
    """The method, what is the same for every method, and who answers for the raffle."""

    method = forms.ChoiceField(
        label="How the winners are found",
        choices=[(method.value, label) for method, label in METHOD_LABELS.items()],
        widget=forms.RadioSelect,
        initial=DrawMethod.PUBLIC_VALUE,
    )
    unsold_rule = forms.ChoiceField(
        label="If the number of the lottery was not sold",
        choices=[(rule.value, label) for rule, label in UNSOLD_LABELS.items()],
        widget=forms.RadioSelect,
        initial=UnsoldRule.NEXT_SOLD_UPWARDS,
    )
    minimum_sold = forms.IntegerField(
        label="Fewest sold numbers",
        min_value=1,
        required=False,
        help_text="If fewer are sold, the raffle is called off and the money goes back. Empty: as "
        "many as there are prizes.",
    )
    claim_days = forms.IntegerField(
        label="Days to claim a prize",
        min_value=1,
        max_value=365,
        initial=DEFAULT_CLAIM_DAYS,
        help_text="Afterwards it is drawn again.",
    )
    further_terms = forms.CharField(
        label="Further terms",
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Whatever else buyers must know.",
    )
    promoter = forms.CharField(
        label="Promoter",
        required=False,
        max_length=120,
        help_text="Who holds the raffle and answers for it, e.g. a club.",
    )
    permit_number = forms.CharField(label="Permit number", required=False, max_length=60)
    rules_url = forms.URLField(
        label="Address of the full rules",
        required=False,
        max_length=200,
        assume_scheme="https",
        help_text="A page, if there is one.",
    )
    adults_only = forms.BooleanField(
        label="Only people who are 18 or older; each buyer is asked once", required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        add_bootstrap_classes(self)


class SourceForm(forms.Form):
    """A public source; a ready choice needs few of the fields."""

    preset = forms.ChoiceField(
        label="Source",
        choices=[(preset.value, label) for preset, label in PRESET_LABELS.items()],
    )
    name = forms.CharField(
        label="Its name", required=False, max_length=120, help_text="As the public knows it."
    )
    url = forms.URLField(
        label="Its address",
        required=False,
        max_length=200,
        assume_scheme="https",
        help_text="Where its results stand.",
    )
    at = forms.DateTimeField(
        label="Its draw",
        required=False,
        widget=LocalDateTimeInput,
        help_text="In the raffle's time.",
    )
    repeat_days = forms.IntegerField(
        label="Days to its next draw",
        min_value=1,
        max_value=366,
        initial=1,
        required=False,
        help_text="That one decides if this one is late or cancelled.",
    )
    digits = forms.IntegerField(
        label="Digits of its number", min_value=1, max_value=_MAX_DIGITS, required=False
    )
    value_count = forms.IntegerField(
        label="How many numbers it draws", min_value=1, max_value=40, required=False
    )
    lowest = forms.IntegerField(label="Lowest", min_value=0, required=False)
    highest = forms.IntegerField(
        label="Highest", min_value=0, max_value=10**_MAX_DIGITS, required=False
    )
    repeats_values = forms.BooleanField(label="Can draw the same number twice", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        add_bootstrap_classes(self)

    def build_source(self) -> ChosenSource:
        """Return the source of a valid form; what is missing is left to the rules to refuse."""
        values = self.cleaned_data
        preset = SourcePreset(values["preset"])
        if preset is SourcePreset.DRAND:
            return draw_rules.DEFAULT_SOURCE
        named: dict[str, Any] = {
            "name": values["name"],
            "url": values["url"],
            "at": values["at"],
            "repeat_days": values["repeat_days"] or 1,
        }
        match preset:
            case SourcePreset.DIGITS:
                highest = 10 ** (values["digits"] or 0) - 1
                return ChosenSource(SourceKind.LOTTERY, highest=highest, **named)
            case SourcePreset.SIX_OF_49:
                return ChosenSource(
                    SourceKind.LOTTERY, value_count=6, lowest=1, highest=49, **named
                )
            case SourcePreset.OTHER:
                return ChosenSource(
                    SourceKind.OTHER,
                    value_count=values["value_count"] or 1,
                    lowest=values["lowest"] or 0,
                    highest=values["highest"] or 0,
                    repeats_values=values["repeats_values"],
                    **named,
                )


class PrizeForm(forms.Form):
    """A prize; `prize` is the primary key of its row, if it has one, to show its picture."""

    prize = forms.IntegerField(required=False, widget=forms.HiddenInput)
    title = forms.CharField(label="Prize", max_length=120, required=False)
    picture = PictureField(label="Picture", help_text="JPEG or PNG, at most 5 MB.")
    without_picture = forms.BooleanField(label="Remove the picture", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        add_bootstrap_classes(self)


class _Rows(BaseFormSet):
    """Rows of the rules form; the browser may add some and mark others to be removed."""

    default_error_messages: ClassVar = {
        **BaseFormSet.default_error_messages,
        "too_many_forms": "At most %(num)d rows can be saved. Remove the others, please.",
    }

    def add_fields(self, form: Any, index: int | None) -> None:
        """Label the fields that Django adds to each row."""
        super().add_fields(form, index)
        form.fields["DELETE"].label = "Remove"
        if "ORDER" in form.fields:
            form.fields["ORDER"].label = "Place"
            form.fields["ORDER"].min_value = 1
        add_bootstrap_classes(form)


SourceFormSet: Final = formset_factory(
    SourceForm,
    formset=_Rows,
    extra=0,
    can_delete=True,
    max_num=draw_rules.MAX_SOURCES,
    absolute_max=draw_rules.MAX_SOURCES + 10,
)
PrizeFormSet: Final = formset_factory(
    PrizeForm,
    formset=_Rows,
    extra=0,
    can_delete=True,
    can_order=True,
    max_num=draw_rules.MAX_PRIZES,
    absolute_max=draw_rules.MAX_PRIZES + 10,
)


def describe_source(source: ChosenSource) -> dict[str, Any]:
    """Return the initial values of a source's form."""
    values: dict[str, Any] = {
        "name": source.name,
        "url": source.url,
        "at": source.at,
        "repeat_days": source.repeat_days,
        "value_count": source.value_count,
        "lowest": source.lowest,
        "highest": source.highest,
        "repeats_values": source.repeats_values,
    }
    shape = (source.value_count, source.lowest, source.highest, source.repeats_values)
    if source.kind is SourceKind.DRAND:
        return {"preset": SourcePreset.DRAND.value}
    if source.kind is SourceKind.LOTTERY and shape == (6, 1, 49, False):
        return {**values, "preset": SourcePreset.SIX_OF_49.value}
    digits = len(str(source.highest))
    if source.kind is SourceKind.LOTTERY and shape == (1, 0, 10**digits - 1, False):
        return {**values, "preset": SourcePreset.DIGITS.value, "digits": digits}
    return {**values, "preset": SourcePreset.OTHER.value}


def describe_new_source(raffle: Raffle) -> dict[str, Any]:
    """Return the initial values of a source that is added to the form."""
    return {"preset": SourcePreset.DRAND.value, "at": raffle.draw_at, "repeat_days": 1}


def add_bootstrap_classes(form: forms.Form) -> None:
    """Set Bootstrap's CSS classes on the inputs, except on radio buttons and checkboxes."""
    for field in form.fields.values():
        widget = field.widget
        if isinstance(widget, forms.RadioSelect | forms.CheckboxInput | forms.HiddenInput):
            continue
        kind = "form-select" if isinstance(widget, forms.Select) else "form-control"
        widget.attrs["class"] = kind
