import subprocess
import sys

import pytest

CYCLE = """
from shared.core.fast_exit import skip_garbage_at_exit
class Node:
    def __init__(self):
        self.itself = self
    def __del__(self):
        print("collected")
Node()
"""


@pytest.mark.parametrize(
    ("call", "printed"),
    [("", "collected\n"), ("skip_garbage_at_exit()", "")],
    ids=["as usual", "skipped"],
)
def test_what_lives_in_cycles_is_not_collected_at_exit(call: str, printed: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", CYCLE + call], capture_output=True, check=True, text=True
    )
    assert ended.stdout == printed
