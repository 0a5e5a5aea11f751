"""Where the test suite spends its time: CPU seconds of each folder, and of the slowest tests with their fixtures.

    python -m benchmarks.suite [--slowest 30] [tests/cli tests/fuzz ...]     as long as the tests on one core

CPU time, children included, hardly depends on what else the machine does. BLAS has one thread, as it has in each
process where tests run side by side.
"""

import argparse
import os
from collections import defaultdict
from collections.abc import Generator

import pytest
from benchmarks import harness

DEFAULT = ("tests", "src")


class Clock:
    """A plugin of pytest that adds up CPU seconds by test."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Time setup, call and teardown of a test."""
        before = cpu_seconds()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] += cpu_seconds() - before


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of the children that have ended."""
    return sum(os.times()[:4])


def folder_of(test: str) -> str:
    """Return the folder or file directly below tests/ or src/ that holds a test."""
    return "/".join(test.partition("::")[0].split("/")[:2])


def main() -> None:
    """Run and print; the exit status is pytest's."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*", default=[*DEFAULT])
    parser.add_argument("--slowest", type=int, default=30, help="tests to print")
    options = parser.parse_args()
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    clock = Clock()
    status = pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", *options.paths], plugins=[clock])
    folders: defaultdict[str, float] = defaultdict(float)
    for test, seconds in clock.seconds.items():
        folders[folder_of(test)] += seconds
    total = sum(folders.values())
    print(f"\n{harness.machine('pytest')}\n\nCPU seconds of {len(clock.seconds):,} tests: {total:.0f}")
    for table, most in ((folders, None), (clock.seconds, options.slowest)):
        for name, seconds in sorted(table.items(), key=lambda row: -row[1])[:most]:
            print(f"{seconds:9.1f}  {name}")
        print()
    raise SystemExit(status)


if __name__ == "__main__":
    main()
