"""A learner's code: its tree, its function, and what its variables are on a case."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from pellucid.learn.reference import Reference
from pellucid.learn.tracing import Called, call


@dataclass(eq=False)
class Program:
    """A learner's code, which ran already.

    Attributes
    ----------
    source : str
        With every statement on one line (:mod:`pellucid.learn.layout`): a line is what is found wrong.
    file : str
        The name that it was compiled with.
    names : mapping
        The globals that it made.
    function : str
        The exercise's function.
    """

    source: str
    file: str
    names: Mapping[str, Any]
    function: str

    @cached_property
    def lines(self) -> list[str]:
        """Its lines, as Python counts them."""
        return self.source.split("\n")

    @cached_property
    def tree(self) -> ast.Module:
        """Its functions, imports and constants."""
        kept = (ast.FunctionDef, ast.Import, ast.ImportFrom, ast.Assign)
        body = [node for node in ast.parse(self.source).body if isinstance(node, kept)]
        return ast.Module(
            [node for node in body if not isinstance(node, ast.Assign) or _is_plain(node.value)], []
        )

    @cached_property
    def main(self) -> ast.FunctionDef | None:
        """The exercise's function."""
        found = [n for n in self.tree.body if isinstance(n, ast.FunctionDef) and n.name == self.function]
        return found[-1] if found else None

    @cache  # noqa: B019 - both end with the process
    def traced(self, reference: Reference, number: int, watch: bool) -> Called:
        """Return what it does on a case, with its variables line by line."""
        function, case = self.names[self.function], reference.cases[number]
        return call(function, case, self.file, reference.exercise.arguments, watch=watch)

    def compile(self, tree: ast.Module, names: Mapping[str, Any]) -> Callable[..., Any]:
        """Return the function of a changed tree."""
        made = {**self.names, **names}
        exec(compile(tree, "<repair>", "exec"), made)
        function: Callable[..., Any] = made[self.function]
        return function


def _is_plain(value: ast.expr) -> bool:
    return not any(isinstance(node, ast.Call) for node in ast.walk(value))
