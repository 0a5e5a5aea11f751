"""The source of functions, with that of all they need, as text that stands in a file of its own."""

import ast
import importlib
import inspect
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

_INSTEAD = {  # what a script has in the place of names of ours
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
        self.imports: set[str] = set()
        self.constants: list[str] = []
        self.functions: dict[str, list[str]] = {}  # by module
        self._found: set[str] = set()

    def add(self, names: Iterable[str], modules: Iterable[str]) -> None:
        """Add each name that one of the modules has at its top; others are builtins, or defined elsewhere."""
        for name in names:
            module = next((each for each in modules if name in _module(each).nodes), None)
            if module is not None:
                self._add(name, module)

    def add_imports(self, lines: Iterable[str]) -> None:
        """Add import lines."""
        self.imports.update(lines)

    def _add(self, name: str, module: str) -> None:
        if name in self._found:
            return
        top = _module(module)
        if name in _INSTEAD and (name in top.nodes or name in top.imports):
            self._found.add(name)
            self.constants.append(_INSTEAD[name])
            self.imports.add("import numpy as np")
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
                self.imports.add(_import_line(name, origin, there))

    @property
    def import_lines(self) -> list[str]:
        """The import lines, the standard library's first."""
        parts: dict[bool, list[str]] = {False: [], True: []}
        for origin, names in sorted(self._merged().items()):
            line = f"from {origin} import {', '.join(sorted(names))}" if names else origin
            parts[_root(origin) in ("numpy", "PIL")].append(line)
        return [*sorted(parts[False], key=_order), "", *sorted(parts[True], key=_order)]

    def _merged(self) -> dict[str, list[str]]:
        """Return what is imported from each module; whole import lines have nothing."""
        found: dict[str, list[str]] = {}
        for line in self.imports:
            if line.startswith("from "):
                _, origin, _, name = line.split(" ", 3)
                found.setdefault(origin, []).append(name)
            else:
                found[line] = []
        return found


def _root(origin: str) -> str:
    return origin.removeprefix("import ").split()[0].split(".")[0]


def _order(line: str) -> tuple[bool, str]:
    return line.startswith("from "), line


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
    for node in ast.parse(text).body:
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
    lines = module.lines[node.lineno - 1 : node.end_lineno]
    doc = node.body[0] if isinstance(node, ast.FunctionDef) else None
    if not isinstance(doc, ast.Expr) or doc.end_lineno == doc.lineno:
        return "\n".join(lines)
    start, stop = doc.lineno - node.lineno, (doc.end_lineno or 0) - node.lineno
    kept = lines[start:stop]
    sections = [i for i, line in enumerate(kept) if line.strip() and set(line.strip()) == {"-"}]
    if sections:
        kept = kept[: sections[0] - 1]
    while kept and not kept[-1].strip():
        kept.pop()
    end = lines[stop] if len(kept) > 1 else ""
    if not end:
        kept[-1] += '"""'
    return "\n".join([*lines[:start], *kept, *([end] if end else []), *lines[stop + 1 :]])


def _import_line(name: str, origin: str, there: str) -> str:
    if not there:
        return f"import {origin}" if name == origin else f"import {origin} as {name}"
    return f"from {origin} import {there}" + (f" as {name}" if name != there else "")
