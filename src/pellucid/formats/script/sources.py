"""The source of functions, with that of all they need, as text that stands in a file of its own."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from pellucid.process_state import parse

_INSTEAD = {  # what a script has instead of names of ours
    "Array": "Array = np.ndarray",
    "DataError": 'class DataError(ValueError):\n    """What is wrong with a file or a sample, in one line."""',
    "Decimal": "Decimal = str",
    "Shape": "Shape = tuple",
}
_OURS = "pellucid."


class _Module(NamedTuple):
    """What stands at the top of a module."""

    lines: list[str]
    imports: dict[str, tuple[str, str]]  # the module of a name, and its name there; "" of a module itself
    nodes: dict[str, ast.stmt]


class Sources:
    """Collects functions with what they need: import lines, constants and other functions, each once."""

    def __init__(self) -> None:
        self.imports: dict[str, set[str]] = {}  # how a line begins, and the names that follow, if any
        self.constants: list[str] = []
        self.functions: dict[str, list[str]] = {}  # by module
        self._found: set[str] = set()

    def add(self, names: Iterable[str], modules: Iterable[str]) -> None:
        """Add each name that one of the modules has at its top; others are builtins, or defined elsewhere."""
        for name in names:
            module = next((each for each in modules if name in _module(each).nodes), None)
            if module is not None:
                self._add(name, module)

    def add_import(self, name: str, origin: str, there: str = "") -> None:
        """Add the import of a module under a name, or of what it has there."""
        known = there or origin
        text = known if name == known else f"{known} as {name}"
        if there:
            self.imports.setdefault(f"from {origin} import ", set()).add(text)
        else:
            self.imports.setdefault(f"import {text}", set())

    def _add(self, name: str, module: str) -> None:
        if name in self._found:
            return
        top = _module(module)
        if name in _INSTEAD and (name in top.nodes or name in top.imports):
            self._found.add(name)
            self.constants.append(_INSTEAD[name])
            self.add_import("np", "numpy")
        elif name in top.nodes:
            self._found.add(name)
            node = top.nodes[name]
            for used in names_in(node):
                self._add(used, module)
            if isinstance(node, ast.FunctionDef):
                self.functions.setdefault(module, []).append(_text(top, node))
            else:
                self.constants.append(_text(top, node))
        elif name in top.imports:
            origin, there = top.imports[name]
            if origin.startswith(_OURS) and there:
                self._add(there, origin)
            else:
                self.add_import(name, origin, there)

    @property
    def import_lines(self) -> list[str]:
        """The import lines, the standard library's first."""
        lines = [start + ", ".join(sorted(names)) for start, names in self.imports.items()]
        lines.sort(key=lambda line: (line.startswith("from "), line))
        others = [line for line in lines if line.split()[1].split(".")[0] in ("numpy", "PIL")]
        return [*(line for line in lines if line not in others), "", *others]


def names_in(node: ast.AST) -> list[str]:
    """Return the names that code reads, in the order in which they occur first.

    Examples
    --------
    >>> names_in(ast.parse("def f(x): return g(x) + h.i"))
    ['g', 'x', 'h']
    """
    names = [
        part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)
    ]
    return list(dict.fromkeys(names))


@cache
def _module(name: str) -> _Module:
    text = inspect.getsource(importlib.import_module(name))
    imports: dict[str, tuple[str, str]] = {}
    nodes: dict[str, ast.stmt] = {}
    for node in parse(text).body:
        if isinstance(node, ast.ImportFrom):
            imports |= {alias.asname or alias.name: (node.module or "", alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            imports |= {alias.asname or alias.name: (alias.name, "") for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            nodes[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            nodes |= {target.id: node for target in targets if isinstance(target, ast.Name)}
    return _Module(text.splitlines(), imports, nodes)


def _text(module: _Module, node: ast.stmt) -> str:
    """Return a definition as it was written, its docstring without sections: the summary alone."""
    text = "\n".join(module.lines[node.lineno - 1 : node.end_lineno])
    doc = ast.get_docstring(node, clean=False) if isinstance(node, ast.FunctionDef) else None
    if not doc:
        return text
    kept = re.split(r"\n\n +\w+\n +---", doc)[0].rstrip()
    return text.replace(doc, f"{kept}\n    " if "\n" in kept else kept, 1)
