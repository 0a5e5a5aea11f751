"""The floors of the house: a total order, each module importing only from earlier ones."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "pellucid"

ORDER = (Path(__file__).parent.parent / "docs" / "floors.txt").read_text().split()


def _name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path) -> set[str]:
    """Every pellucid module that a file imports, at its top or inside a function, as names below the package."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or ""}
    ours = {name.removeprefix("pellucid.") for name in found if name.startswith("pellucid.")}
    return {name for name in ours if name in MODULES}


MODULES = {_name(path): path for path in SOURCE.rglob("*.py")}


def test_every_module_has_its_place_and_no_place_is_empty() -> None:
    listed = [name for name in ORDER if not name.startswith("F")]
    assert sorted(listed) == sorted(name for name in MODULES if name)
    assert len(set(listed)) == len(listed)


def test_modules_import_only_from_earlier_ones() -> None:
    place = {name: i for i, name in enumerate(ORDER)}
    wrong = [
        f"{name} imports {other}"
        for name, path in MODULES.items()
        if name  # the package itself hands on names of every floor, lazily
        for other in _imports(path)
        if other and place[other] >= place[name] and other != name
    ]
    assert not wrong, wrong


def test_the_textbook_steps_import_numpy_and_errors_alone() -> None:
    for node in ast.walk(ast.parse((SOURCE / "textbook" / "steps.py").read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.module in ("collections.abc", "typing", "pellucid.errors")
        elif isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= {"numpy", "numpy.typing"}


def test_no_deep_learning_framework_is_imported_outside_the_contest() -> None:
    frameworks = {"torch", "jax", "keras", "tensorflow"}
    for name, path in MODULES.items():
        if name == "app.contest":  # where the rivals run, each in a process of its own
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not {n.partition(".")[0] for n in names} & frameworks, name
