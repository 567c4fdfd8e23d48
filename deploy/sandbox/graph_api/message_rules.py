"""Meta's rules for `POST /{phone_number_id}/messages`, except those for the recipient.

Sources: developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
and the page of each type below it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from deploy.sandbox import graph_errors
from deploy.sandbox.graph_api import attachments, fields, interactive
from deploy.sandbox.graph_api.attachments import FindMimeType

MAX_TEXT_BODY_LENGTH: Final = 4096
MAX_CALLBACK_DATA_LENGTH: Final = 512


def check_message(body: Mapping[str, Any], *, find_mime_type: FindMimeType) -> str:
    """Check a message and return its type.

    Raises:
        GraphApiRefusal: Meta would refuse it.

    """
    if fields.read_string(body, "messaging_product", path="messaging_product") != "whatsapp":
        raise graph_errors.build_schema_error("Param messaging_product must be one of {WHATSAPP}.")
    if body.get("recipient_type", "individual") not in {"individual", "group"}:
        raise graph_errors.build_schema_error(
            "Param recipient_type must be one of {INDIVIDUAL, GROUP}."
        )
    kind = _read_type(body)
    rule = CHECKS_BY_TYPE.get(kind)
    if rule is None:
        raise graph_errors.build_schema_error(
            f"Param type must be one of {{{', '.join(CHECKS_BY_TYPE).upper()}}}."
        )
    _check_callback_data(body)
    _check_context(body)
    rule(body, find_mime_type)
    return kind


def _read_type(body: Mapping[str, Any]) -> str:
    kind = body.get("type", "text")
    if not isinstance(kind, str):
        raise graph_errors.build_schema_error("Param type must be a string.")
    return kind.lower()


def _check_callback_data(body: Mapping[str, Any]) -> None:
    name = "biz_opaque_callback_data"
    value = fields.read_string(body, name, path=name, optional=True)
    if value is not None and fields.measure_text(value) > MAX_CALLBACK_DATA_LENGTH:
        raise graph_errors.build_schema_error(
            f"Param {name} must be at most {MAX_CALLBACK_DATA_LENGTH} characters long."
        )


def _check_context(body: Mapping[str, Any]) -> None:
    if "context" in body:
        context = fields.read_object(body, "context", path="context")
        fields.read_string(context, "message_id", path="context['message_id']")


def _check_text(body: Mapping[str, Any], _find_mime_type: FindMimeType) -> None:
    text = fields.read_object(body, "text", path="text")
    fields.check_known_keys(text, {"body", "preview_url"}, path="text")
    value = fields.read_string(text, "body", path="text['body']") or ""
    if not value.strip():
        raise graph_errors.build_missing_parameter_error("text['body']")
    if fields.measure_text(value) > MAX_TEXT_BODY_LENGTH:
        raise graph_errors.build_schema_error(
            f"Param text['body'] must be at most {MAX_TEXT_BODY_LENGTH} characters long."
        )
    if not isinstance(text.get("preview_url", False), bool):
        raise graph_errors.build_schema_error("Param text['preview_url'] must be a boolean.")


def _check_interactive(body: Mapping[str, Any], find_mime_type: FindMimeType) -> None:
    interactive.check_interactive(
        fields.read_object(body, "interactive", path="interactive"), find_mime_type=find_mime_type
    )


def _make_media_check(kind: str) -> Callable[[Mapping[str, Any], FindMimeType], None]:
    def rule(body: Mapping[str, Any], find_mime_type: FindMimeType) -> None:
        attachment = fields.read_object(body, kind, path=kind)
        attachments.check_attachment(
            attachment, kind=kind, path=kind, find_mime_type=find_mime_type
        )

    return rule


def _check_location(body: Mapping[str, Any], _find_mime_type: FindMimeType) -> None:
    location = fields.read_object(body, "location", path="location")
    fields.check_known_keys(location, {"latitude", "longitude", "name", "address"}, path="location")
    for key in ("latitude", "longitude"):
        try:
            float(location[key])
        except KeyError:
            raise graph_errors.build_missing_parameter_error(f"location['{key}']") from None
        except (TypeError, ValueError):
            raise graph_errors.build_schema_error(
                f"Param location['{key}'] must be a number."
            ) from None


def _check_contacts(body: Mapping[str, Any], _find_mime_type: FindMimeType) -> None:
    for place, contact in enumerate(fields.read_array(body, "contacts", path="contacts")):
        path = f"contacts[{place}]['name']"
        name = fields.read_object(contact, "name", path=path)
        fields.read_string(name, "formatted_name", path=f"{path}['formatted_name']")


def _check_reaction(body: Mapping[str, Any], _find_mime_type: FindMimeType) -> None:
    reaction = fields.read_object(body, "reaction", path="reaction")
    fields.read_string(reaction, "message_id", path="reaction['message_id']")
    fields.read_string(reaction, "emoji", path="reaction['emoji']")
    if "context" in body:
        raise graph_errors.build_invalid_value_error(
            "context is not supported for reaction messages"
        )


def _check_template(body: Mapping[str, Any], _find_mime_type: FindMimeType) -> None:
    template = fields.read_object(body, "template", path="template")
    name = fields.read_string(template, "name", path="template['name']")
    language = fields.read_object(template, "language", path="template['language']")
    raise graph_errors.GraphApiRefusal(
        132001, details=f"template name ({name}) does not exist in {language.get('code')}"
    )


CHECKS_BY_TYPE: Final[Mapping[str, Callable[[Mapping[str, Any], FindMimeType], None]]] = {
    "text": _check_text,
    "interactive": _check_interactive,
    **{kind: _make_media_check(kind) for kind in attachments.SENDABLE_MEDIA},
    "location": _check_location,
    "contacts": _check_contacts,
    "reaction": _check_reaction,
    "template": _check_template,
}
