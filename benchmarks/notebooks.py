"""How long each notebook of examples/ takes, and the letters of its largest output.

    python -m benchmarks.notebooks      some minutes

Each is executed in an empty folder, without the published photos, as the tests do. Needs nbclient and ipykernel.
"""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import nbclient
import nbformat
from benchmarks import harness

EXAMPLES = Path(__file__).parents[1] / "examples"
MOST_SECONDS, MOST_TEXT = 180, 20_000  # of all together; of one output


def texts_of(output: Any) -> list[str]:
    """Return what an output has for each form that is text: what is printed, a representation, HTML."""
    shown = output.get("data", {})
    return [output.get("text", ""), *(value for kind, value in shown.items() if kind.startswith("text/"))]


def execute(notebook: Path) -> tuple[float, int]:
    """Return the seconds that a notebook takes, and the letters of its largest output."""
    book = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory() as folder:
        client = nbclient.NotebookClient(
            book,
            timeout=600,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            coalesce_streams=True,
        )
        started = time.perf_counter()
        client.execute()
        seconds = time.perf_counter() - started
    texts = [
        len(text) for cell in book.cells for output in cell.get("outputs", []) for text in texts_of(output)
    ]
    return seconds, max(texts, default=0)


def main() -> None:
    """Measure and print."""
    options: Any = harness.arguments(__doc__ or "").parse_args()
    for name in ("MPLBACKEND", "PELLUCID_DATA_DIR"):
        os.environ.pop(name, None)
    print(f"{harness.machine('nbclient')}\n{'notebook':30}{'seconds':>9}{'largest output':>16}")
    notebooks = sorted(EXAMPLES.glob("*.ipynb"))
    found = {}
    for notebook in notebooks[:1] if options.quick else notebooks:
        seconds, n_letters = found[notebook] = execute(notebook)
        print(f"{notebook.name:30}{seconds:9.1f}{n_letters:16,}", flush=True)
    seconds, n_letters = sum(one[0] for one in found.values()), max(one[1] for one in found.values())
    print(f"{'all; to stay below':30}{seconds:9.1f}{n_letters:16,}; {MOST_SECONDS} s, {MOST_TEXT:,}")


if __name__ == "__main__":
    main()
