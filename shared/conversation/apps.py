"""App configuration of the conversation."""

from django.apps import AppConfig


class ConversationConfig(AppConfig):
    """The Django app `conversation`."""

    name = "shared.conversation"
    label = "conversation"
    verbose_name = "Conversation"
