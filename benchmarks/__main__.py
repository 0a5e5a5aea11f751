"""Reprint every figure of docs/benchmarks.md, and those at the edges of docs/limits.md, one script after the other.

    python -m benchmarks                            all, about three hours, most of it PyTorch's compiler
    python -m benchmarks --quick                    one short round of each, about half an hour
    python -m benchmarks --only networks minibatch  some

Nothing else should run on the machine. Scripts that need the published photos say so where PELLUCID_DATA_DIR is
not set, and the others go on.
"""

import argparse
import subprocess
import sys

# They share harness.py's options
TIMED = ("networks", "minibatch", "prediction", "published", "whole_training")
OTHERS = (
    "estimators",
    "twins",
    "batches",
    "data_check",
    "startup",
    "exported",
    "edges",
    "transfer",
    "find_rate",
    "first_commands",
    "label_errors",
    "notebooks",
    "cluster_prediction",
    "mpi_training",
    "sweep",
    "on_disk",
    "stored_batches",
    "reading",
    "reduced_jpegs",
    "server",
    "tables",
    "coach",
    "replay",
    "pretrained",
    "inner_folds",
)
HAVE_QUICK = (
    *TIMED,
    "estimators",
    "transfer",
    "find_rate",
    "notebooks",
    "cluster_prediction",
    "reduced_jpegs",
    "server",
    "tables",
    "coach",
)


def main() -> None:
    """Run them; the exit status is 1 if one failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=[*TIMED, *OTHERS], default=[*TIMED, *OTHERS])
    parser.add_argument("--quick", action="store_true", help="one short round: to see that it runs")
    parser.add_argument("--lock", help="file to hold while measuring; see benchmarks/harness.py")
    options = parser.parse_args()
    failed = []
    for name in options.only:
        command = [sys.executable, "-m", f"benchmarks.{name}"]
        command += ["--quick"] if options.quick and name in HAVE_QUICK else []
        command += ["--lock", options.lock] if options.lock and name in TIMED else []
        print(f"\n{'=' * 8} python {' '.join(command[1:])}", flush=True)
        if subprocess.run(command).returncode:
            failed.append(name)
    if failed:
        raise SystemExit(f"\nfailed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
