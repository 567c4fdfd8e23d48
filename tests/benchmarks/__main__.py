"""Runs a benchmark by name, or all of them: `uv run python -m tests.benchmarks [name]`.

A module of this package with a function `run()` is one; it is found by its source and imported
only when it runs. All of them run one after the other, each in a process of its own.
"""

import argparse
import importlib
import subprocess
import sys
from pathlib import Path

from tests import benchmarks


def list_benchmarks() -> list[str]:
    """Return the names of all benchmarks in alphabetical order."""
    modules = Path(__file__).parent.glob("*.py")
    return sorted(each.stem for each in modules if "\ndef run(" in each.read_text())


def main() -> int:
    """Run the benchmark named on the command line, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=list_benchmarks(), help="default: all of them")
    name = parser.parse_args().name
    if name is not None:
        importlib.import_module(f"{benchmarks.__name__}.{name}").run()
        return 0
    results = [
        subprocess.run([sys.executable, "-m", benchmarks.__name__, each], check=False).returncode
        for each in list_benchmarks()
    ]
    return max(results, default=0)


if __name__ == "__main__":
    sys.exit(main())
