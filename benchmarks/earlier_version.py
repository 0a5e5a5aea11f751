"""The published run's full report and many random starts of it, against an earlier version of pellucid.

    git worktree add ../earlier e561640
    PELLUCID_DATA_DIR=... python -m benchmarks.earlier_version ../earlier

The two take turns, each in processes of its own: `pellucid report --full` from start to end, after one that
compiled, and `compare_seeds` after one of two starts. Seconds, and processor seconds, which other programs disturb
less.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import harness

STARTS = """
import sys, time, resource
import pellucid as pl
from pellucid.evaluation.comparison.seeds import compare_seeds
try:
    from pellucid.runs.candidates import find_candidate
except ModuleNotFoundError:  # an earlier version
    from pellucid.evaluation.comparison.candidates import find_candidate

def used():
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in found)

if __name__ == "__main__":
    photos, n_jobs = pl.load_data("catvnoncat"), int(sys.argv[2])
    candidate = find_candidate("A", "mlp", data=photos.name, n_epochs=2500, form="dual")
    compare_seeds(photos, [candidate], 2, n_jobs=n_jobs)
    before, started = used(), time.perf_counter()
    compare_seeds(photos, [candidate], int(sys.argv[1]), n_jobs=n_jobs)
    print(time.perf_counter() - started, used() - before)
"""


def run(command: Sequence[str], source: Path, folder: str) -> tuple[float, float, str]:
    """Return seconds and processor seconds of a process that takes pellucid from a folder, and what it says."""
    environment = {**os.environ, "PYTHONPATH": str(source), "MPLBACKEND": "Agg"}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder, env=environment)
    passed, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return passed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def main() -> None:
    """Measure and print."""
    parser = harness.arguments(__doc__ or "")
    parser.add_argument("earlier", type=Path, help="a checkout of the earlier version")
    parser.add_argument("--starts", type=int, default=100, help="how many random starts")
    options = parser.parse_args()
    n_starts = 4 if options.quick else options.starts
    sources = {"now": Path("src").resolve(), "earlier": (options.earlier / "src").resolve()}
    lock, pellucid = harness.Lock(options.lock), [sys.executable, "-m", "pellucid"]
    print(harness.machine())
    found: dict[str, dict[str, list[tuple[float, float]]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "starts.py"
        script.write_text(STARTS)
        with lock.shared():
            for name, source in sources.items():
                run([*pellucid, "run", "catvnoncat", "-o", name], source, folder)
                run([*pellucid, "report", name, "--full"], source, folder)
        with lock.exclusive() as breathe:
            for _ in range(1 if options.quick else options.rounds):
                for name, source in sources.items():
                    breathe()
                    harness.wait_until_idle()
                    *report, _ = run([*pellucid, "report", name, "--full"], source, folder)
                    said = run(
                        [sys.executable, str(script), str(n_starts), str(harness.n_cores())], source, folder
                    )
                    starts = [float(number) for number in said[2].split()[-2:]]
                    of = found.setdefault("report --full", {}), found.setdefault(f"{n_starts} starts", {})
                    for each, (seconds, used) in zip(of, (report, starts), strict=True):
                        each.setdefault(name, []).append((seconds, used))
    for what, times in found.items():
        for i, kind in enumerate(("seconds", "processor seconds")):
            now, earlier = (statistics.median(one[i] for one in times[name]) for name in sources)
            print(f"{what}, {kind}: {now:.2f}, earlier {earlier:.2f}: {earlier / now:.2f} times")


if __name__ == "__main__":
    main()
