"""What import-linter cannot say of the rooms: what the lesson and the frameworks may import and be imported by."""

import ast
from pathlib import Path

from pellucid.dispatch.ops import TWINS

SOURCE = Path(__file__).parent.parent / "src" / "pellucid"


def test_the_textbook_steps_import_numpy_and_errors_alone() -> None:
    for node in ast.walk(ast.parse((SOURCE / "textbook" / "steps.py").read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.module in ("collections.abc", "typing", "pellucid.errors")
        elif isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= {"numpy", "numpy.typing"}


def test_no_framework_is_imported_and_ops_with_a_fast_twin_by_dispatch_alone() -> None:
    """So that the one switch switches everything; optimizers have plain rules and twins of their own."""
    twins, frameworks = set(TWINS), {"torch", "jax", "keras", "tensorflow"}
    for path in SOURCE.rglob("*.py"):
        is_below = path.relative_to(SOURCE).parts[0] in ("ops", "kernels", "dispatch")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert not {alias.name.partition(".")[0] for alias in node.names} & frameworks, path
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            assert node.module.partition(".")[0] not in frameworks, path
            if is_below:
                continue
            if node.module.startswith("pellucid.ops.") and node.module != "pellucid.ops.activations":
                assert not {alias.name for alias in node.names} & twins, path
            if node.module.startswith("pellucid.kernels"):
                assert path.parent.name == "optimizers", path
