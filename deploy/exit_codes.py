"""Exit codes of the `rafflebot` command."""

from typing import Final

UNUSABLE_FOLDER_EXIT_CODE: Final = 2
"""What a shell expects of a command that was called in a wrong way."""

NOT_CONFIRMED_EXIT_CODE: Final = 2
"""An update was not started, because nobody said that there is a backup."""

UPGRADE_DUE_EXIT_CODE: Final = 3
"""`rafflebot upgrade --check` found something to do."""

INTERRUPTED_EXIT_CODE: Final = 130
"""What a shell expects of a command that Ctrl-C ended: 128 and the signal's number."""
