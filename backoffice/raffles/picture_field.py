"""Form field of a picture that every browser and WhatsApp show."""

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

MAX_PICTURE_BYTES: Final = 5 * 1024 * 1024
"""Meta's limit for an image, in bytes ("Supported media types")."""


class PictureField(forms.ImageField):
    """A JPEG or PNG of at most 5 MB; `form.js` refuses a larger one before the upload."""

    widget = forms.FileInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.error_messages["invalid_image"] = "This is no picture. Choose a JPEG or PNG, please."
        self.widget.attrs |= {
            "accept": "image/jpeg,image/png",
            "data-max-bytes": MAX_PICTURE_BYTES,
            "class": "form-control",
        }

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Return the picture, or None without one."""
        picture = super().clean(data, initial)
        if not picture:
            return None
        if picture.size > MAX_PICTURE_BYTES:
            raise ValidationError("A picture has at most 5 MB.")
        if getattr(picture, "content_type", "") not in {"image/jpeg", "image/png"}:
            raise ValidationError("JPEG and PNG pictures only, please.")
        return picture
