"""Polling of a chat: a version that changes with it."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_GET

from backoffice.messaging import chat_view
from backoffice.messaging.chat_view import ChatBubble
from backoffice.ui.permissions import require_permission
from shared.whatsapp import window
from shared.whatsapp.models import WhatsAppContact
from shared.whatsapp.services import handover

VIEW_CONTACT_PERMISSION: Final = "whatsapp.view_whatsappcontact"
MESSAGES_WATCHED: Final = 20
"""The latest messages whose state is part of the version; older ones hardly change."""


@require_GET
def chat_state_view(request: HttpRequest, contact_id: int) -> HttpResponseBase:
    """Return the version of a chat; 304 if it has the version in `If-None-Match`."""
    require_permission(request, VIEW_CONTACT_PERMISSION)
    contact = get_object_or_404(WhatsAppContact, pk=contact_id)
    talk = chat_view.load_conversation(contact.pk, zone=settings.TIME_ZONE, limit=MESSAGES_WATCHED)
    version = compute_chat_version(contact, bubbles=talk.bubbles, now=timezone.now())
    etag = f'"{version}"'
    response = JsonResponse({"version": version}, headers={"ETag": etag})
    return get_conditional_response(request, etag=etag, response=response) or response


def compute_chat_version(
    contact: WhatsAppContact, *, bubbles: Sequence[ChatBubble], now: datetime
) -> str:
    """Return a text that changes with the latest messages, and with whether the bot answers.

    Args:
        contact: the buyer.
        bubbles: the messages, oldest first; the last `MESSAGES_WATCHED` count.
        now: the current time.

    """
    seen = (
        [(one.ours, one.key, one.tick, one.trouble) for one in bubbles[-MESSAGES_WATCHED:]],
        (contact.wants_person_at, contact.bot_paused_until, contact.stopped_at),
        handover.is_paused(contact, now=now),
        (contact.is_blocked, window.is_window_open(contact.last_inbound_at, now=now)),
    )
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]
