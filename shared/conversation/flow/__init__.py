"""The conversation as a pure function: state, context, event and facts in, one step out."""

from shared.conversation.flow.machine import step

__all__ = ["step"]
