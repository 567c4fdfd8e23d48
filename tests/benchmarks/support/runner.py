"""Runs a benchmark in a process of its own."""

import importlib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests import benchmarks
from tests.benchmarks.support import machine
from tests.benchmarks.support.figures import Benchmark, Figure, Options


def run_in_process(name: str, options: Options) -> list[Figure]:
    """Run one benchmark in a new process and return its figures."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(run_benchmark, name, options).result()


def run_benchmark(name: str, options: Options) -> list[Figure]:
    """Run one benchmark and return its figures and those of the machine."""
    about_machine = machine.measure_machine(name, options.database)
    run: Benchmark = importlib.import_module(f"{benchmarks.__name__}.{name}").run
    return run(options) + about_machine
