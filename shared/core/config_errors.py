"""Error that names every setting that is wrong."""

from collections.abc import Mapping


class ConfigurationError(Exception):
    """Variables are missing or malformed; the message lists all of them."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        lines = [f"  {name}: {problem}" for name, problem in sorted(self.problems.items())]
        super().__init__(
            "The configuration is not complete:\n"
            + "\n".join(lines)
            + "\nSet them in the environment or in a .env file; .env.example explains each."
        )
