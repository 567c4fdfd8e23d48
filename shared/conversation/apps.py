"""App configuration of the conversation."""

from django.apps import AppConfig


class ConversationConfig(AppConfig):
    """The app `conversation`. Loading it connects the withdrawal of untrue messages."""

    name = "shared.conversation"
    label = "conversation"
    verbose_name = "Conversation"

    def ready(self) -> None:
        """Connect the receivers, so that every process withdraws untrue messages."""
        from shared.conversation import superseded  # noqa: F401, PLC0415 - receivers; needs the models
