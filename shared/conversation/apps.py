"""Django's name for this package."""

from django.apps import AppConfig


class ConversationConfig(AppConfig):
    """The app `conversation`."""

    name = "shared.conversation"
    label = "conversation"
    verbose_name = "Conversation"

    def ready(self) -> None:
        """Let other systems be told of what happens, whichever process it happens in."""
        from shared.conversation import announcing  # noqa: PLC0415 - needs the models

        announcing.listen()
