"""Meta's rules for `POST /{phone_number_id}/messages`, apart from who it goes to.

Sources: developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
and the page of each type below it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from deploy.sandbox import graph_errors
from deploy.sandbox.graph_api import attachments, fields, interactive
from deploy.sandbox.graph_api.attachments import MediaKnown

TEXT_BODY: Final = 4096
CALLBACK_DATA: Final = 512


def check(body: Mapping[str, Any], *, known: MediaKnown) -> str:
    """Refuse a message that Meta would refuse; otherwise return its type."""
    if fields.string(body, "messaging_product", path="messaging_product") != "whatsapp":
        raise graph_errors.wrong("Param messaging_product must be one of {WHATSAPP}.")
    if body.get("recipient_type", "individual") not in {"individual", "group"}:
        raise graph_errors.wrong("Param recipient_type must be one of {INDIVIDUAL, GROUP}.")
    kind = _kind(body)
    rule = RULES.get(kind)
    if rule is None:
        raise graph_errors.wrong(f"Param type must be one of {{{', '.join(RULES).upper()}}}.")
    _callback_data(body)
    _context(body)
    rule(body, known)
    return kind


def _kind(body: Mapping[str, Any]) -> str:
    kind = body.get("type", "text")
    if not isinstance(kind, str):
        raise graph_errors.wrong("Param type must be a string.")
    return kind.lower()


def _callback_data(body: Mapping[str, Any]) -> None:
    name = "biz_opaque_callback_data"
    value = fields.string(body, name, path=name, optional=True)
    if value is not None and fields.length(value) > CALLBACK_DATA:
        raise graph_errors.wrong(f"Param {name} must be at most {CALLBACK_DATA} characters long.")


def _context(body: Mapping[str, Any]) -> None:
    if "context" in body:
        context = fields.mapping(body, "context", path="context")
        fields.string(context, "message_id", path="context['message_id']")


def _text(body: Mapping[str, Any], _known: MediaKnown) -> None:
    text = fields.mapping(body, "text", path="text")
    fields.only(text, {"body", "preview_url"}, path="text")
    value = fields.string(text, "body", path="text['body']") or ""
    if not value.strip():
        raise graph_errors.missing("text['body']")
    if fields.length(value) > TEXT_BODY:
        raise graph_errors.wrong(f"Param text['body'] must be at most {TEXT_BODY} characters long.")
    if not isinstance(text.get("preview_url", False), bool):
        raise graph_errors.wrong("Param text['preview_url'] must be a boolean.")


def _interactive(body: Mapping[str, Any], known: MediaKnown) -> None:
    interactive.check(fields.mapping(body, "interactive", path="interactive"), known=known)


def _media(kind: str) -> Callable[[Mapping[str, Any], MediaKnown], None]:
    def rule(body: Mapping[str, Any], known: MediaKnown) -> None:
        attachment = fields.mapping(body, kind, path=kind)
        attachments.check_attachment(attachment, kind=kind, path=kind, known=known)

    return rule


def _location(body: Mapping[str, Any], _known: MediaKnown) -> None:
    location = fields.mapping(body, "location", path="location")
    fields.only(location, {"latitude", "longitude", "name", "address"}, path="location")
    for key in ("latitude", "longitude"):
        try:
            float(location[key])
        except KeyError:
            raise graph_errors.missing(f"location['{key}']") from None
        except (TypeError, ValueError):
            raise graph_errors.wrong(f"Param location['{key}'] must be a number.") from None


def _contacts(body: Mapping[str, Any], _known: MediaKnown) -> None:
    for place, contact in enumerate(fields.array(body, "contacts", path="contacts")):
        path = f"contacts[{place}]['name']"
        name = fields.mapping(contact, "name", path=path)
        fields.string(name, "formatted_name", path=f"{path}['formatted_name']")


def _reaction(body: Mapping[str, Any], _known: MediaKnown) -> None:
    reaction = fields.mapping(body, "reaction", path="reaction")
    fields.string(reaction, "message_id", path="reaction['message_id']")
    fields.string(reaction, "emoji", path="reaction['emoji']")
    if "context" in body:
        raise graph_errors.invalid("context is not supported for reaction messages")


def _template(body: Mapping[str, Any], _known: MediaKnown) -> None:
    template = fields.mapping(body, "template", path="template")
    name = fields.string(template, "name", path="template['name']")
    language = fields.mapping(template, "language", path="template['language']")
    raise graph_errors.GraphRefused(
        132001, details=f"template name ({name}) does not exist in {language.get('code')}"
    )


RULES: Final[Mapping[str, Callable[[Mapping[str, Any], MediaKnown], None]]] = {
    "text": _text,
    "interactive": _interactive,
    **{kind: _media(kind) for kind in attachments.SENDABLE},
    "location": _location,
    "contacts": _contacts,
    "reaction": _reaction,
    "template": _template,
}
