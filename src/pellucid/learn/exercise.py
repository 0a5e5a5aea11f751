"""An exercise: one Python file that holds its text, correct solutions, cases to try and faults.

The file's docstring is what the learner reads. Its functions:

- the one of the exercise's name, and others named ``right_...``: correct solutions in different styles;
- ``cases(rng)``: yields the arguments of calls, a tiny worked case first;
- ``measured(*arguments)``, if outputs are slopes: for an output's name, or that of its entry, the array it is the
  slope for, and the function of that array whose slope it is.

Its names: ``OUTPUTS``, what the function returns; functions that it imports from :mod:`pellucid.textbook`, which
the learner may call; ``LOOPS``, whether loops are natural; ``FAULTS``, triples (cause, text, other text): the fault
is any solution in which the text stands, with the other in its place. Small changes of plain names, such as a sign,
are known without it: :data:`pellucid.learn.edits.PLAIN`. :data:`BUILTIN` lists the exercises in their order.
"""

import ast
import importlib
import importlib.util
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from pellucid import textbook
from pellucid.errors import FormatError, OptionError, unknown_name
from pellucid.process_state import parse

Arguments: TypeAlias = tuple[Any, ...]

BUILTIN = (
    "load_and_flatten",
    "scale",
    "initialize_parameters",
    "initialize_parameters_deep",
    "sigmoid",
    "relu",
    "linear_forward",
    "linear_activation_forward",
    "L_model_forward",
    "compute_cost",
    "sigmoid_backward",
    "relu_backward",
    "linear_backward",
    "linear_activation_backward",
    "L_model_backward",
    "update_parameters",
    "two_layer_model",
    "L_layer_model",
    "predict",
    "stable_cost",
    "mini_batches",
    "momentum_step",
    "adam_step",
    "dropout_forward",
    "dropout_backward",
    "batch_norm_forward",
    "batch_norm_backward",
    "softmax",
    "conv_forward",
    "conv_backward",
    "pool_forward",
    "pool_backward",
    "gradient_check",
)
COMMON = """In every exercise: no argument is changed, nor NumPy's own stream of random numbers. Numbers are floats
where the text names no other dtype: compute in float64; a result may be rounded to float32. Copies and views,
loops, warnings, prints, functions of your own and Python's standard library are no faults."""


class Solution(NamedTuple):
    """A program: correct, or with one fault.

    Attributes
    ----------
    style : str
        The name of the correct solution that it is, or comes from.
    source : str
    cause : str
        Of the fault; "" of a correct one.
    line : int
        Of the fault, counted in ``source``; 0 of a correct one.
    """

    style: str
    source: str
    cause: str = ""
    line: int = 0


@dataclass(frozen=True)
class Exercise:
    """What a file of an exercise says.

    Attributes
    ----------
    name : str
    number : int
        Its place among the built-in ones; 0 of one's own.
    module : ModuleType
    source : str
        Of the file.
    """

    name: str
    number: int
    module: ModuleType = field(repr=False)
    source: str = field(repr=False)

    @property
    def text(self) -> str:
        """What the learner reads."""
        return inspect.cleandoc(self.module.__doc__ or "")

    @property
    def title(self) -> str:
        """The first line of the text."""
        return self.text.partition("\n")[0].rstrip(".")

    @property
    def file_name(self) -> str:
        """The name of the learner's file."""
        return f"{self.number:02d}_{self.name}.py" if self.number else f"{self.name}.py"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of what the function returns."""
        return tuple(self.module.OUTPUTS)

    @property
    def given(self) -> tuple[str, ...]:
        """The functions of the textbook that the learner may call."""
        return tuple(
            name
            for name, one in vars(self.module).items()
            if callable(one) and getattr(textbook, name, None) is one
        )

    @property
    def has_loops(self) -> bool:
        """Whether a loop is natural."""
        return bool(getattr(self.module, "LOOPS", False))

    @cached_property
    def solutions(self) -> tuple[Solution, ...]:
        """The correct ones, the plainest first."""
        found = []
        for node in parse(self.source).body:
            if isinstance(node, ast.FunctionDef) and (
                node.name == self.name or node.name.startswith("right_")
            ):
                text = "\n".join(self.source.splitlines()[node.lineno - 1 : node.end_lineno]) + "\n"
                found.append(Solution(node.name, text.replace(f"def {node.name}(", f"def {self.name}(", 1)))
        return tuple(sorted(found, key=lambda one: one.style != self.name))

    @cached_property
    def faults(self) -> tuple[Solution, ...]:
        """The faulty programs that ``FAULTS`` makes of the correct ones."""
        return tuple(self._faults())

    def _faults(self) -> Iterator[Solution]:
        for cause, old, new in self.module.FAULTS:
            found = [one for one in self.solutions if old in one.source]
            if not found:
                raise FormatError(
                    f"{self.name}: no correct solution contains {old!r}, which a fault replaces."
                )
            for one in found:
                source = one.source.replace(old, new)
                pairs = enumerate(zip(one.source.splitlines(), source.splitlines(), strict=False), start=1)
                yield Solution(one.style, source, cause, next(n for n, (a, b) in pairs if a != b))

    @cached_property
    def signature(self) -> str:
        """The function's first line, ``def name(arguments):``."""
        node = next(n for n in parse(self.solutions[0].source).body if isinstance(n, ast.FunctionDef))
        return f"def {self.name}({ast.unparse(node.args)}):"

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """The names of the function's arguments."""
        return tuple(inspect.signature(getattr(self.module, self.name)).parameters)

    @property
    def start(self) -> str:
        """The file that the learner gets."""
        given = f"\nfrom pellucid.textbook import {', '.join(self.given)}\n" if self.given else ""
        words = f'"""{self.text}\n\n{COMMON}\n"""'
        return f"{words}\n\nimport numpy as np\n{given}\n\n{self.signature}\n    ...  # your lines\n"

    def cases(self) -> list[Arguments]:
        """Return the arguments of the calls that are tried, always the same."""
        return list(self.module.cases(np.random.default_rng(2026)))

    def compile(self, source: str) -> Callable[..., Any]:
        """Return the function of a solution's source, with what the file imports around it."""
        names = dict(vars(self.module))
        exec(compile(source, f"<{self.name}>", "exec"), names)
        function: Callable[..., Any] = names[self.name]
        return function


def name_in(file: str) -> str:
    """Return what a file is named after: ``linear_backward`` of ``13_linear_backward.py``."""
    return re.sub(r"^\d+_|\.(py|ipynb)$", "", file)


@cache
def exercise(name: str) -> Exercise:
    """Return an exercise by its name or that of its file, or of a file of one's own.

    Examples
    --------
    >>> exercise("sigmoid").signature, exercise("05_sigmoid.py").name
    ('def sigmoid(Z):', 'sigmoid')
    """
    if (known := name_in(name)) in BUILTIN and not Path(name).is_absolute():
        module = importlib.import_module(f"pellucid.learn.exercises.{known}")
        number = BUILTIN.index(known) + 1
    elif name.endswith(".py") and Path(name).is_file():
        spec = importlib.util.spec_from_file_location(Path(name).stem, name)
        assert spec is not None
        assert spec.loader is not None
        module, number = importlib.util.module_from_spec(spec), 0
        spec.loader.exec_module(module)
    else:
        raise OptionError(f"learn: {unknown_name('exercise', name, BUILTIN)}")
    made = Exercise(
        Path(str(module.__file__)).stem, number, module, Path(str(module.__file__)).read_text("utf-8")
    )
    _check(made)
    return made


def _check(made: Exercise) -> None:
    """Raise FormatError for a file that lacks what an exercise needs."""
    if hasattr(made.module, "GIVEN"):
        raise FormatError(f"{made.name}: import the functions of GIVEN from pellucid.textbook instead.")
    needed = ("OUTPUTS", "FAULTS", "cases", made.name)
    missing = [name for name in needed if not hasattr(made.module, name)]
    if missing or not made.text:
        lacks = ", ".join(missing) or "a docstring"
        raise FormatError(f"{made.name}: an exercise's file needs {lacks}. docs/learn.md has an example.")


def all_exercises(names: Sequence[str] = ()) -> list[Exercise]:
    """Return exercises by name; all built-in ones where none is named."""
    return [exercise(name) for name in names or BUILTIN]
