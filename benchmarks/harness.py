"""What the benchmarks share: contestants in processes of their own that take turns, medians, and the machine.

Two libraries' thread pools in one process slow each other, and a machine's speed drifts: so every contestant has a
process of its own, which sets itself up once, warm-up included, and they take turns in rounds. Whoever is not in
turn is stopped by a signal, its threads too.
"""

import argparse
import fcntl
import importlib.metadata
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

TUNED_ALLOCATOR = {  # glibc keeps large blocks, which PyTorch asks for again at every step
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TRIM_THRESHOLD_": "8000000000",
    "MALLOC_TOP_PAD_": "500000000",
}
LONGEST_HOLD = 40.0  # seconds that a lock is held without letting others in


class Contestant(NamedTuple):
    """Who takes part: what its process is told, and the environment that its experts would set."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = {}


class Player:
    """A contestant's living process, stopped while it is not its turn."""

    def __init__(self, module: str, contestant: Contestant) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", module, "--child", *contestant.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,  # so that its own processes can be stopped with it
            env={**os.environ, **contestant.environment},
        )
        self.about: dict[str, Any] = self._answer()
        self._signal(signal.SIGSTOP)

    def turn(self) -> list[float]:
        """Return what it measured in one round."""
        wait_until_idle()
        self._signal(signal.SIGCONT)
        assert self._process.stdin is not None
        print("go", file=self._process.stdin, flush=True)
        found: list[float] = self._answer()
        self._signal(signal.SIGSTOP)
        return found

    def close(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(_MARK):
                return json.loads(line.removeprefix(_MARK))
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines() or ["no message"]
        raise RuntimeError(" ".join(lines[-3:]))

    def _signal(self, number: signal.Signals) -> None:
        os.killpg(self._process.pid, number)


_MARK = "measured: "


def serve(one_round: Callable[[], Sequence[float]], **about: Any) -> None:
    """In a contestant's process, which is ready: measure a round whenever it is asked to.

    Parameters
    ----------
    one_round : callable
        Returns the seconds of each step, epoch or prediction that it measured.
    **about
        What else is to be known, such as versions; the BLAS that is loaded is added.
    """
    print(_MARK + json.dumps({"blas": blas_in_use(), **about}), flush=True)
    for _ in sys.stdin:
        print(_MARK + json.dumps(list(one_round())), flush=True)


def seconds_of(work: Callable[[], Any]) -> float:
    """Return how long one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def steps_for(step: Callable[[], Any], seconds: float) -> Callable[[], list[float]]:
    """Warm a step up, and return a round of as many as take about that long, five at least."""
    for _ in range(3):
        step()
    n_steps = max(5, round(seconds / max(seconds_of(step), 1e-6)))
    return lambda: [seconds_of(step) for _ in range(n_steps)]


class Times(NamedTuple):
    """What a contestant measured, over all rounds."""

    seconds: list[float]
    rounds: list[float]  # the median of each
    blas: str = ""  # that its process has loaded

    @property
    def median(self) -> float:
        """Of all."""
        return statistics.median(self.seconds)

    def scaled(self, factor: float) -> "Times":
        """Return them as of work that takes that many times as long."""
        return Times([factor * t for t in self.seconds], [factor * t for t in self.rounds], self.blas)

    def spread(self, scale: float = 1.0) -> str:
        """Return the least and the largest median of a round."""
        return f"{scale * min(self.rounds):.4g}-{scale * max(self.rounds):.4g}"


def contest(
    module: str,
    contestants: Mapping[str, Contestant],
    n_rounds: int,
    lock: "Lock",
    *,
    about: dict[str, Any] | None = None,
) -> tuple[dict[str, Times], float]:
    """Set every contestant up, let them take turns, and return the times of each, and the rate of float32 products.

    One that fails is named on stderr and left out.

    Parameters
    ----------
    module : str
        The script, such as ``"benchmarks.networks"``; run with ``--child`` it calls :func:`serve`.
    contestants : mapping
    n_rounds : int
    lock : Lock
        Held, exclusively, while they measure.
    about : dict, optional
        Filled with what each says of itself.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # whoever is stopped would outlive this process
    players: dict[str, Player] = {}
    rounds: dict[str, list[list[float]]] = {}
    try:
        for name, contestant in contestants.items():
            with lock.shared():
                try:
                    players[name] = Player(module, contestant)
                except (RuntimeError, json.JSONDecodeError) as error:
                    print(f"{name}: {error}", file=sys.stderr)
        with lock.exclusive() as breathe:
            rate = blas_rate()
            for i in range(n_rounds):
                for name in list(players)[:: -1 if i % 2 else 1]:  # none is always first
                    breathe()
                    try:
                        rounds.setdefault(name, []).append(players[name].turn())
                    except (RuntimeError, OSError) as error:
                        print(f"{name}: {error}", file=sys.stderr)
                        players.pop(name).close()
    finally:
        for player in players.values():
            player.close()
    if about is not None:
        about.update({name: player.about for name, player in players.items()})
    times = {
        name: Times(
            [value for each in rounds[name] for value in each],
            [*map(statistics.median, rounds[name])],
            players[name].about["blas"],
        )
        for name in contestants  # in their order, whoever began
        if name in players and name in rounds
    }
    return times, rate


def print_times(
    title: str,
    times: Mapping[str, Times],
    over: str | None = None,
    *,
    scale: float = 1e3,
    unit: str = "ms",
    n: int = 0,
) -> None:
    """Print each contestant's median, the least and largest of a round, and how many times one of them it is.

    Where ``n`` is given, that many things are done in the time, and things a second are printed, too.
    """
    base = times.get(over) if over is not None else None
    width = max(map(len, ["", *times]))
    heading = f"{unit:>9}  {'rounds':>17}" + (f"  {'a second':>9}" if n else "")
    print(f"\n{title}\n{'':{width}}  {heading}" + (f"  over {over}" if base else ""))
    for name, found in times.items():
        line = f"{scale * found.median:9.4g}  {found.spread(scale):>17}"
        line += f"  {n / found.median:9,.0f}" if n else ""
        print(f"{name:{width}}  {line}" + (f"  {found.median / base.median:.2f}" if base else ""), flush=True)
    if base:
        print(f"BLAS of {over}: {base.blas}", flush=True)


class Lock:
    """A file that heavy work on the machine holds together and a measurement holds alone; None: no such file."""

    def __init__(self, path: str | None) -> None:
        self.path = path

    def shared(self) -> Any:
        """Hold it with others: something heavy is done that is not measured."""
        return self._held(fcntl.LOCK_SH)

    def exclusive(self) -> Any:
        """Hold it alone: something is measured."""
        return self._held(fcntl.LOCK_EX)

    @contextmanager
    def _held(self, how: int) -> Iterator[Callable[[], None]]:
        """Yield what lets others in for a moment, after a minute or more."""
        if self.path is None:
            yield lambda: None
            return
        with open(self.path) as file:
            fcntl.flock(file, how)
            since = [time.monotonic()]

            def breathe() -> None:
                if time.monotonic() - since[0] > LONGEST_HOLD:
                    fcntl.flock(file, fcntl.LOCK_UN)
                    time.sleep(0.2)
                    fcntl.flock(file, how)
                    since[0] = time.monotonic()

            yield breathe


def wait_until_idle(most: float = 20.0) -> None:
    """Wait until other programs leave the processor alone, that many seconds at most."""
    started = time.monotonic()
    while time.monotonic() - started < most:
        before = _busy_and_all()
        time.sleep(0.1)
        busy, total = (after - earlier for after, earlier in zip(_busy_and_all(), before, strict=True))
        if busy <= 0.1 * total:
            return


def _busy_and_all() -> tuple[int, int]:
    """Return the ticks in which processors worked, and all."""
    try:
        with open("/proc/stat") as file:
            ticks = [int(number) for number in file.readline().split()[1:]]
    except OSError:
        return 0, 0
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)  # but for idle and waiting for a disk


def arguments(description: str, **defaults: Any) -> argparse.ArgumentParser:
    """Return a parser with the options that the benchmarks share."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often everybody has a turn")
    parser.add_argument("--quick", action="store_true", help="one short round: to see that it runs")
    parser.add_argument(
        "--lock", help="file to hold while measuring, where others measure on this machine too"
    )
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    parser.set_defaults(**defaults)
    return parser


def machine(*packages: str) -> str:
    """Return a line on the machine and one on the versions of Python and these packages."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    found = [f"{name} {_version(name)}" for name in ("numpy", "numba", *packages)]
    return f"{processor()}, {n_cores()} cores{load}\nPython {platform.python_version()}, {', '.join(found)}"


def with_kernels(kernels: str) -> dict[str, str]:
    """Return the environment in which pellucid uses these kernels, wherever it has them."""
    return {"PELLUCID_KERNELS": kernels}


def mkl_avx512(folder: str) -> dict[str, str]:
    """Return the environment in which MKL, which PyTorch contains, uses AVX-512 on a processor that is not Intel's.

    Empty where it does so by itself, or there is no C compiler to make the library of one function that it takes.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    about = processor()
    if "AVX-512" not in about or "Intel" in about or compiler is None:
        return {}
    source, library = Path(folder) / "intel.c", Path(folder) / "intel.so"
    source.write_text("int mkl_serv_intel_cpu_true(void) { return 1; }\n")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    return {"LD_PRELOAD": str(library)}


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    pairs = (line.partition(":") for line in reversed(lines))
    fields = {key.strip(): value.strip() for key, _, value in pairs}
    name = fields.get("model name", platform.machine())
    numbers = "".join(f", {key} {fields[key]}" for key in ("cpu family", "model") if key in fields)
    return f"{name}{numbers}{', AVX-512' if 'avx512f' in fields.get('flags', '') else ''}"


def n_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def blas_in_use() -> str:
    """Return the BLAS libraries that this process has loaded: kernels and threads."""
    from threadpoolctl import threadpool_info

    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    found = [
        f"{pool['internal_api']} {pool['version']}, {pool.get('architecture', 'unknown')} kernels, "
        f"{pool['num_threads']} thr."
        for pool in pools
    ]
    return "; ".join(dict.fromkeys(found)) or "none"


def blas_rate(dtype: str = "float32", m: int = 1024, k: int = 1024, n: int = 1024) -> float:
    """Return the operations a second of NumPy's products of (m, k) and (k, n), on all cores, at their best."""
    code = (
        "import numpy as np, time\n"
        f"A, B, best = np.ones(({m}, {k}), '{dtype}'), np.ones(({k}, {n}), '{dtype}'), 9.0\n"
        f"out, until = np.empty(({m}, {n}), '{dtype}'), time.perf_counter() + 0.5\n"
        "while time.perf_counter() < until:\n"
        "    start = time.perf_counter(); np.dot(A, B, out=out); best = min(best, time.perf_counter() - start)\n"
        "print(best)"
    )
    wait_until_idle()
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return 2 * m * k * n / float(done.stdout)


def print_floor(operations: float, rate: float) -> None:
    """Print how long the products of the plain algorithms take at that rate."""
    at = f"{operations / 1e9:.3g} G operations by the plain algorithms, at {rate / 1e9:.0f} G a second"
    print(f"floor: {1e3 * operations / rate:.3g} ms ({at})", flush=True)


def geometric_mean(numbers: Sequence[float]) -> float:
    """Return the geometric mean."""
    return statistics.geometric_mean(numbers)
