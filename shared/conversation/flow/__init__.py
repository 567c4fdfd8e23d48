"""The conversation as a pure function of state, context, event and facts."""

from shared.conversation.flow.machine import step

__all__ = ["step"]
