"""Process of the buyers and Meta: `python -m tests.benchmarks.support.load_process`.

It prints the port of its Graph API, then reads one command a line from standard input (the name of
a method of `CrowdLoad` and its arguments, as JSON) and prints one result for each.
"""

import asyncio
import sys

import orjson
import uvloop

from tests.benchmarks.support.crowd_load import CrowdLoad


async def run_commands() -> None:
    """Print the port of the Graph API, then carry out commands until the input ends."""
    load = CrowdLoad()
    loop = asyncio.get_running_loop()
    print(await load.serve_graph(), flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        name, arguments = orjson.loads(line)
        result = await getattr(load, name)(**arguments)
        print(orjson.dumps(result).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(run_commands())
