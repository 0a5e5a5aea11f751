"""What import-linter cannot say of the rooms: what the lesson and the frameworks may import and be imported by."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "pellucid"


def test_the_textbook_steps_import_numpy_and_errors_alone() -> None:
    for node in ast.walk(ast.parse((SOURCE / "textbook" / "steps.py").read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.module in ("collections.abc", "typing", "pellucid.errors")
        elif isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= {"numpy", "numpy.typing"}


def test_no_deep_learning_framework_is_imported_outside_the_contest() -> None:
    frameworks = {"torch", "jax", "keras", "tensorflow"}
    for path in SOURCE.rglob("*.py"):
        if path.name == "bench_worker.py":  # where the rivals run, each in a process of its own
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not {n.partition(".")[0] for n in names} & frameworks, path
