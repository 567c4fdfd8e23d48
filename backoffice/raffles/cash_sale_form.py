"""Form of a cash sale, which accepts ticket numbers as the chat does."""

from typing import Any, Final
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError

from backoffice.raffles import status
from shared.conversation import formatting
from shared.conversation.understanding import typed_numbers
from shared.core.errors import DomainError
from shared.raffles.models import Raffle
from shared.raffles.services import availability

MAX_NEIGHBOURS_OFFERED: Final = 5
"""Number of free ticket numbers suggested in place of taken ones."""

_PHONE_DIGITS: Final = range(7, 16)
"""Number of digits of a phone number; ITU-T E.164 allows at most 15."""


class CashSaleForm(forms.Form):
    """Ticket numbers and buyer of a cash sale."""

    how = forms.ChoiceField(
        label="Which numbers",
        choices=[("random", "Random ones"), ("pick", "Chosen ones")],
        widget=forms.RadioSelect,
        initial="random",
    )
    quantity = forms.IntegerField(
        label="How many", required=False, min_value=1, widget=forms.NumberInput
    )
    numbers = forms.CharField(
        label="Numbers",
        required=False,
        max_length=2000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "text"}),
    )
    buyer_name = forms.CharField(
        label="Buyer's name",
        max_length=150,
        error_messages={"required": "Whom do the numbers belong to?"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    buyer_phone = forms.CharField(
        label="Phone",
        required=False,
        max_length=32,
        help_text="With the country code, e.g. +1 555 010 0000.",
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    request_key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, raffle: Raffle, **kwargs: Any) -> None:
        defaults = {"request_key": uuid4(), "quantity": raffle.min_per_order}
        kwargs["initial"] = defaults | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        self.raffle = raffle
        self.fields["quantity"].widget.attrs |= {
            "min": raffle.min_per_order,
            "max": raffle.max_per_order,
        }
        span = f"{raffle.min_per_order} to {raffle.max_per_order}"
        written = [
            raffle.format_ticket_number(raffle.first_number),
            raffle.format_ticket_number(raffle.last_number),
        ]
        self.fields["quantity"].help_text = f"{span} in one sale."
        self.fields["numbers"].help_text = (
            f"From {written[0]} to {written[1]}, {span} of them. Write them as buyers do: "
            f"{written[0]}, {written[1]} or 10-15."
        )
        for name in ("quantity", "numbers", "buyer_name", "buyer_phone"):
            self.fields[name].widget.attrs["class"] = "form-control"

    @property
    def chosen_ticket_numbers(self) -> tuple[int, ...] | None:
        """The ticket numbers that were typed; None for random ones."""
        return self.cleaned_data["numbers"] if self.cleaned_data["how"] == "pick" else None

    @property
    def selection_field(self) -> str:
        """Name of the field that selects the ticket numbers."""
        return "numbers" if self.data.get("how") == "pick" else "quantity"

    def clean_quantity(self) -> int:
        """Require a quantity if the numbers are random."""
        quantity: int | None = self.cleaned_data.get("quantity")
        if quantity is None and self.selection_field == "quantity":
            raise ValidationError("How many numbers?")
        return quantity or 0

    def clean_numbers(self) -> tuple[int, ...]:
        """Parse the ticket numbers as the chat does."""
        if self.selection_field != "numbers":
            return ()
        numbers = typed_numbers.read_ticket_numbers(
            self.cleaned_data["numbers"], last_number=self.raffle.last_number
        )
        if numbers is None:
            raise ValidationError("Write the numbers like this: 7, 13 or 10-15.")
        return numbers

    def clean_buyer_phone(self) -> str:
        """Accept any notation of a phone number."""
        phone: str = self.cleaned_data["buyer_phone"].strip()
        digits = [character for character in phone if character.isdigit()]
        separators = {character for character in phone if not character.isdigit()}
        if phone and (len(digits) not in _PHONE_DIGITS or separators - set("+-() ./")):
            raise ValidationError(
                "That does not look like a phone number: 7 to 15 digits, please, or leave it empty."
            )
        return phone

    def add_refusal(self, refusal: DomainError) -> None:
        """Add the error to the field that caused it."""
        match refusal.code, refusal.details:
            case "raffle_not_selling", {"reason": reason}:
                why = status.describe_not_selling_reason(self.raffle, reason)
                self.add_error(None, f"The raffle sells nothing just now: {why}.")
            case "quantity_out_of_bounds", {"minimum": least, "maximum": most}:
                self.add_error(self.selection_field, f"{least} to {most} in one sale, please.")
            case "too_few_left", {"available": available}:
                self.add_error("quantity", f"Only {available:,} are left.")
            case "numbers_unknown", {"unknown": unknown}:
                verb = "is no number" if len(unknown) == 1 else "are no numbers"
                self.add_error(
                    "numbers", f"{self._format_ticket_numbers(unknown)} {verb} of this raffle."
                )
            case "numbers_taken", {"taken": taken}:
                self.add_error("numbers", self._describe_taken(taken))
            case _:
                self.add_error(None, f"{refusal.message()} Nothing was sold.")

    def _describe_taken(self, taken: list[int]) -> str:
        verb = "is" if len(taken) == 1 else "are"
        chosen = self.chosen_ticket_numbers or ()
        limit = MAX_NEIGHBOURS_OFFERED + len(chosen)  # some may be the chosen ones
        near = availability.find_free_neighbours(self.raffle, numbers=taken, limit=limit)
        others = sorted(
            (number for number in near if number not in chosen),
            key=lambda number: min(abs(number - wanted) for wanted in taken),
        )[:MAX_NEIGHBOURS_OFFERED]
        hint = f" Free close by: {self._format_ticket_numbers(others)}." if others else ""
        return f"{self._format_ticket_numbers(taken)} {verb} taken already.{hint}"

    def _format_ticket_numbers(self, numbers: list[int]) -> str:
        return formatting.format_numbers_as_sentence(numbers, width=self.raffle.width)
