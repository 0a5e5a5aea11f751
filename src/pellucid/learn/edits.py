"""Small changes of a program, each with the name of the fault that it makes, and of the fault that it mends.

Applied to correct programs they are the library of faults; applied to a learner's they are tried out as repairs:
one after which the function is right names the line and the cause, in any style.
"""

import ast
import copy
import itertools
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np

Node = TypeVar("Node", bound=ast.AST)
Replacement: TypeAlias = tuple[str, str, ast.expr]  # what it breaks, what it repairs, the other node
COUNTS = {"m", "n", "k", "N", "M", "n_examples", "num_examples", "batch_size", "__m__"}
COPY = "__copy__"  # deepcopy, for repairs
M = "__m__"  # the number of examples of the case that is run, for repairs

MISSING, EXTRA = "1/m missing", "divided by m too often"
TURNED, THRESHOLD = "inequality turned round", "inequality at the threshold"
SIGN, ORDER, PRODUCT = "sign", "order of factors", "* for a product"
WRONG_NAME, CONSTANT = "wrong variable", "wrong constant"
TRANSPOSED, SWAPPED = "transpose", "rows and columns swapped"
LOOP = "a loop too long or too short"
UNPACKED, RETURNED = "unpacked in the wrong order", "returned in the wrong order"
MEAN, FACTOR = (MISSING, EXTRA), ("factor missing", "factor too many")
TERM = "term missing"
SUM = (
    (TERM, "term too many", "a"),
    (TERM, "term too many", "b"),
    ("multiplied for added", "added for multiplied", "a * b"),
)

OPPOSITES: dict[type[ast.cmpop], tuple[tuple[type[ast.cmpop], str], ...]] = {
    ast.Gt: ((ast.GtE, THRESHOLD), (ast.Lt, TURNED), (ast.LtE, TURNED)),
    ast.GtE: ((ast.Gt, THRESHOLD), (ast.LtE, TURNED), (ast.Lt, TURNED)),
    ast.Lt: ((ast.LtE, THRESHOLD), (ast.Gt, TURNED), (ast.GtE, TURNED)),
    ast.LtE: ((ast.Lt, THRESHOLD), (ast.GtE, TURNED), (ast.Gt, TURNED)),
    ast.Eq: ((ast.NotEq, "condition turned round"),),
    ast.NotEq: ((ast.Eq, "condition turned round"),),
}
SWAPS = {  # a function, what may stand in its place, the fault that the second makes
    "maximum": (("minimum", "minimum for maximum"),),
    "minimum": (("maximum", "maximum for minimum"),),
    "max": (("min", "smallest for the largest"), ("mean", "mean for the largest")),
    "min": (("max", "largest for the smallest"),),
    "sum": (("mean", "mean where the sum is meant"),),
    "mean": (("sum", MISSING), ("max", "largest for the mean")),
    "average": (("sum", MISSING),),
    "argmax": (("argmin", "smallest for the largest"),),
    "argmin": (("argmax", "largest for the smallest"),),
    "log": (
        ("log2", "logarithm to another base"),
        ("log10", "logarithm to another base"),
        ("log1p", "log1p for log"),
    ),
    "log2": (("log", "natural logarithm"),),
    "log10": (("log", "natural logarithm"),),
    "log1p": (("log", "log for log1p"),),
    "exp": (("exp2", "another base of the power"), ("expm1", "expm1 for exp")),
    "var": (("std", "standard deviation for variance"),),
    "std": (("var", "variance for standard deviation"),),
    "zeros": (("ones", "ones for zeros"),),
    "ones": (("zeros", "zeros for ones"),),
    "zeros_like": (("ones_like", "ones for zeros"),),
    "ones_like": (("zeros_like", "zeros for ones"),),
    "randn": (("rand", "uniform for normal"),),
    "rand": (("randn", "normal for uniform"),),
    "dot": (("multiply", PRODUCT),),
    "matmul": (("multiply", PRODUCT),),
    "multiply": (("matmul", "a product of matrices for *"),),
    "sqrt": (("square", "square for square root"), ("abs", "square root missing")),
    "square": (("sqrt", "square root for square"), ("abs", "square missing")),
    "sin": (("cos", "another function"),),
    "floor": (("ceil", "another function"),),
    "sigmoid": (("relu", "activation swapped"),),
    "relu": (("sigmoid", "activation swapped"),),
    "sigmoid_backward": (("relu_backward", "activation swapped"),),
    "relu_backward": (("sigmoid_backward", "activation swapped"),),
    "vstack": (("hstack", "stacked the other way"),),
    "hstack": (("vstack", "stacked the other way"),),
}
DROPPED = {  # functions of one array that may be left out
    "sqrt": "square root missing",
    "exp": "exponential missing",
    "log": "logarithm missing",
    "abs": "absolute value missing",
    "square": "square missing",
    "copy": "view for copy",
    "deepcopy": "view for copy",
    "array": "view for copy",
    "squeeze": "squeeze missing",
    "sum": "sum missing",
    "mean": "mean missing",
    "sigmoid": "sigmoid missing",
    "flip": "order of rows",
}
Rewritten: TypeAlias = tuple[
    tuple[str, str, str], ...
]  # the names of breaking and repairing it, and the other
# What may stand for a op b.
OPERATIONS: dict[type[ast.operator], Rewritten] = {
    ast.Div: (
        ("multiplied for divided", "divided for multiplied", "a * b"),
        ("fraction upside down", "fraction upside down", "b / a"),
        ("integer division", "division without remainder missing", "a // b"),
    ),
    ast.FloorDiv: (("division without remainder missing", "integer division", "a / b"),),
    ast.Mult: (
        ("divided for multiplied", "multiplied for divided", "a / b"),
        ("a product of matrices for *", PRODUCT, "a @ b"),
        ("added for multiplied", "multiplied for added", "a + b"),
    ),
    ast.MatMult: ((PRODUCT, "a product of matrices for *", "a * b"), (ORDER, ORDER, "b @ a")),
    ast.Add: ((SIGN, SIGN, "a - b"), *SUM),
    ast.Sub: ((SIGN, SIGN, "a + b"), (SIGN, SIGN, "b - a"), *SUM),
    ast.Pow: (
        ("power missing", "power too many", "a"),
        ("product for a power", "power for a product", "a * b"),
    ),
}
LEFT_OUT = (  # faults of correct programs, and the factor or the term that each leaves out
    ("learning rate left out", "learning_rate"),
    ("factor 1 - beta missing", r"1(\.0)? - beta\d?|alpha"),
    ("correction missing", r".*beta.*\bt\b.*|correction\d"),
    ("bias forgotten", r"(float\()?b(\[.*|L|\.reshape.*|\.T)?"),
    ("epsilon left out", "epsilon"),
    ("gamma left out", r"gamma(\[i\]|\.T)?"),
    ("standard deviation left out", r"std(\[i\])?|ivar"),
    ("Z_hat left out", "Z_hat|x_?hat"),
    ("dA left out", r"dA(_dropped)?(\[i, .*)?|dZ\[i.*"),
    ("scale forgotten", "keep"),
)
PLAIN = {  # names that say all there is to a small change: known faults of every exercise
    SIGN,
    MISSING,
    ORDER,
    PRODUCT,
    TURNED,
    THRESHOLD,
    UNPACKED,
    RETURNED,
    "= for +=",
    "power missing",
    "product for a power",
    "multiplied for divided",
    "mean where the sum is meant",
    "smallest for the largest",
    "mean for the largest",
    "minimum for maximum",
    "square root missing",
    "square missing",
    "logarithm missing",
    "log for log1p",
    "standard deviation for variance",
    "uniform for normal",
    "activation swapped",
    "division without remainder missing",
    "wrong m",
    "wrong axis",
    "keepdims missing",
    "keepdims extra",
    "view for copy",
    "and for or",
    LOOP,
    *(name for name, _ in LEFT_OUT),
}
WITH_MORE = (  # what an expression may lack, and the expression with it
    (MISSING, f"_ / {M}"),
    (EXTRA, f"_ * {M}"),
    (SIGN, "-_"),
    ("view for copy", f"{COPY}(_)"),
    ("square root missing", "np.sqrt(_)"),
    ("power missing", "_ ** 2"),
    ("sigmoid missing", "1 / (1 + np.exp(-_))"),
    ("relu missing", "np.maximum(0, _)"),
    ("one minus missing", "1 - _"),
    ("fraction upside down", "1 / _"),
    ("exponential missing", "np.exp(_)"),
    ("logarithm missing", "np.log(_)"),
    ("axis missing", "np.sum(_, axis=1, keepdims=True)"),
    ("sum missing", "np.sum(_)"),
    ("(m,) for (m, 1)", "_[:, None]"),
    ("(m,) for (1, m)", "_[None, :]"),
    (CONSTANT, "_ * 2"),
    (CONSTANT, "_ * 0.5"),
)
WITH_A_VARIABLE = (
    ("factor missing", "_ * v"),
    (TERM, "_ + v"),
    (TERM, "_ - v"),
    ("factor missing", "_ * (1 - v)"),
    ("factor missing", "_ / v"),
    ("mask left out", "_ * (v > 0)"),
    ("product left out", "_ @ v"),
)
REDUCTIONS = {"sum", "mean", "max", "min", "var", "std", "argmax", "average", "prod"}
WORDS = ({"relu", "sigmoid"}, {"W", "b"}, {"dW", "db"}, {"W", "dW"}, {"b", "db"})


class Edit(NamedTuple):
    """A changed program.

    Attributes
    ----------
    line : int
    breaks : str
        The fault that the change makes in a correct program; "" if it is a repair only.
    repairs : str
        The fault that a program had if the change makes it right; "" of a graft, which is named when it does.
    tree : ast.Module
        Valid until the next edit is asked for: one tree is changed, and changed back.
    node, other : ast.expr or None
        An expression of the program, and what stands there now; None where a statement is changed.
    role : str
        Of a graft, the other expression of a correct program: what it is there for; else "".
    """

    line: int
    breaks: str
    repairs: str
    tree: ast.Module
    node: ast.expr | None = None
    other: ast.expr | None = None
    role: str = ""


def edits(
    tree: ast.Module,
    *,
    inserts: bool = False,
    lines: set[int] | None = None,
    kinds: Mapping[str, Any] | None = None,
    with_names: bool = True,
) -> Generator[Edit, None, None]:
    """Yield the changed programs, on some lines only where ``lines`` says so.

    Parameters
    ----------
    tree : ast.Module
        Functions.
    inserts : bool, optional
        Insert what may be missing, factors, terms, functions, instead of all other changes.
    lines : set of int, optional
    kinds : mapping, optional
        Of the variables, :func:`kind_of`: only one of the same kind stands in for another.
    with_names : bool, optional
        Whether variables are inserted.
    """
    kinds = kinds or {}
    replacements = _inserted if inserts else _rules
    for blocks, variables, sites in _parts(tree):
        if not inserts:
            yield from _of_statements(tree, blocks, lines)
        names = {name: kinds.get(name) for name in variables} if with_names else {}
        for parent, field, index, node in sites:
            if lines is not None and node.lineno not in lines:
                continue
            for breaks, repairs, other in replacements(node, parent, field, names):
                with placed(parent, field, index, other, node):
                    yield Edit(node.lineno, breaks, repairs, tree, node, other)


class _Part(NamedTuple):
    """What is changed in a function: its blocks of statements, its variables, and its expressions."""

    blocks: list[Any]
    variables: list[str]
    sites: "list[tuple[ast.AST, str, int, ast.expr]]"


@lru_cache(maxsize=8)
def _parts(tree: ast.Module) -> list[_Part]:
    """Return what is changed in each function of a tree: the same while no change is in place."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return [
        _Part(
            [node for node in ast.walk(one) if isinstance(getattr(node, "body", None), list)],
            _names(one),
            [*_sites(one)],
        )
        for one in functions
    ]


def kind_of(value: Any) -> Any:
    """Return the lengths of an array's axes, sorted; () of a number, and of other things their type's name."""
    if isinstance(value, int | float | np.ndarray | np.generic):
        return tuple(sorted(np.shape(value)))
    return type(value).__name__


@contextmanager
def placed(parent: ast.AST, field: str, index: int, other: ast.expr, node: ast.expr) -> Iterator[None]:
    """Put one expression in another's place within the block; also where it is left early."""
    _put(parent, field, index, _located(other, node))
    try:
        yield
    finally:
        _put(parent, field, index, node)


def _located(new: Node, at: ast.AST) -> Node:
    """Give what is new in a tree the line of what was there; what stood in the program keeps its own."""
    if "lineno" in new._attributes:
        if hasattr(new, "lineno"):
            return new
        ast.copy_location(new, at)
    for child in ast.iter_child_nodes(new):
        _located(child, at)
    return new


def _put(parent: ast.AST, field: str, index: int, node: Any) -> None:
    if index < 0:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _sites(function: ast.FunctionDef) -> Iterator[tuple[ast.AST, str, int, ast.expr]]:
    """Yield the expressions of a function's body that are values, each with its place in the tree."""
    for statement in function.body:
        for parent in ast.walk(statement):
            for field, value in ast.iter_fields(parent):
                for index, node in enumerate(value) if isinstance(value, list) else [(-1, value)]:
                    is_value = isinstance(node, ast.expr) and isinstance(
                        getattr(node, "ctx", ast.Load()), ast.Load
                    )
                    if (
                        is_value
                        and not isinstance(parent, ast.arg | ast.FormattedValue)
                        and field != "annotation"
                    ):
                        yield parent, field, index, node


def _names(function: ast.FunctionDef) -> list[str]:
    """Return the names of a function's variables: its arguments, and what it assigns."""
    stored = [
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    given = [node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)]
    return [name for name in dict.fromkeys([*given, *stored]) if name != "_"]


def function_of(node: ast.AST) -> str:
    """Return the name of the function that a call is of."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def is_count(node: ast.AST) -> bool:
    """Return whether an expression is a number of examples: ``m``, or ``X.shape[1]``."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Attribute) and node.value.attr == "shape"
    return (isinstance(node, ast.Name) and node.id in COUNTS) or function_of(node) == "len"


def _load(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def filled(text: str, **parts: ast.expr) -> Any:
    """Return the tree of an expression, with others for its names."""
    return _filled(_expression(text), parts)


@cache
def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _filled(node: Any, parts: Mapping[str, ast.expr]) -> Any:
    if isinstance(node, list):
        return [_filled(one, parts) for one in node]
    if isinstance(node, ast.Name) and node.id in parts:
        return parts[node.id]
    if isinstance(node, ast.AST):  # without a line, which is that of what it replaces
        return type(node)(**{field: _filled(one, parts) for field, one in ast.iter_fields(node)})
    return node


def _rules(node: ast.expr, parent: ast.AST, field: str, names: Mapping[str, Any]) -> Iterator[Replacement]:
    """Yield what may stand in an expression's place."""
    if isinstance(node, ast.BinOp):
        yield from _of_operation(node)
    elif isinstance(node, ast.UnaryOp):
        yield ("condition turned round" if isinstance(node.op, ast.Not | ast.Invert) else SIGN,) * 2 + (
            node.operand,
        )
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other, cause in OPPOSITES.get(type(node.ops[0]), ()):
            yield cause, cause, ast.Compare(node.left, [other()], node.comparators)
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield TRANSPOSED, TRANSPOSED, node.value
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.Subscript):
        yield from _of_index(node)
    elif isinstance(node, ast.Name) and node.id in names and field != "func":
        for name in names:
            if name != node.id and (names[name] == names[node.id] or None in (names[name], names[node.id])):
                cause = confused(node.id, name)
                yield cause, cause, _load(name)
    elif isinstance(node, ast.Constant):
        yield from _of_constant(node, parent)
    elif isinstance(node, ast.IfExp):
        yield "condition turned round", "condition turned round", ast.IfExp(node.test, node.orelse, node.body)
    elif isinstance(node, ast.BoolOp):
        op: ast.boolop = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "and for or", "and for or", ast.BoolOp(op, node.values)
        for value in node.values:
            yield "a condition missing", "a condition too many", value
    elif isinstance(node, ast.Tuple) and isinstance(parent, ast.Return):
        for order in [*itertools.permutations(node.elts)][1:] if len(node.elts) < 4 else ():
            yield RETURNED, RETURNED, ast.Tuple([*order], ast.Load())
    is_factor = function_of(parent) in ("dot", "matmul") or (
        isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.MatMult)
    )
    is_place = (is_factor and field in ("left", "right", "args")) or isinstance(
        parent, ast.Return | ast.Assign
    )
    is_turned = isinstance(node, ast.Attribute) and node.attr == "T"
    if is_place and not is_turned and not isinstance(node, ast.Constant | ast.Tuple | ast.Dict | ast.List):
        yield TRANSPOSED, TRANSPOSED, ast.Attribute(node, "T", ast.Load())


def _of_operation(node: ast.BinOp) -> Iterator[Replacement]:
    left, right, op = node.left, node.right, node.op
    if isinstance(op, ast.Div):
        yield *(MEAN if is_count(right) else (left_out(right, FACTOR[0]), FACTOR[1])), left
    elif isinstance(op, ast.Mult):
        for kept, lost in ((left, right), (right, left)):
            is_mean = isinstance(lost, ast.BinOp) and isinstance(lost.op, ast.Div) and is_count(lost.right)
            yield *(MEAN if is_mean else (left_out(lost, FACTOR[0]), FACTOR[1])), kept
    for breaks, repairs, other in OPERATIONS.get(type(op), ()):
        cause = left_out(right if other == "a" else left, breaks) if breaks == TERM else breaks
        yield cause, repairs, filled(other, a=left, b=right)
    if isinstance(op, ast.Div) and is_count(right):
        yield EXTRA, MISSING, ast.BinOp(node, ast.Div(), right)


def left_out(lost: ast.expr, cause: str) -> str:
    """Return the name of the fault of leaving out a factor or a term: its own one, or that of any.

    Examples
    --------
    >>> left_out(filled("1 - beta2"), "factor missing"), left_out(filled("W @ A"), "factor missing")
    ('factor 1 - beta missing', 'factor missing')
    """
    text = ast.unparse(lost)
    return next((name for name, pattern in LEFT_OUT if re.fullmatch(pattern, text)), cause)


def _of_call(node: ast.Call) -> Iterator[Replacement]:
    name, arguments = function_of(node), node.args

    def called(other: str) -> ast.expr:
        if isinstance(node.func, ast.Attribute):
            return ast.Attribute(node.func.value, other, ast.Load())
        return _load(other)

    for other, cause in SWAPS.get(name, ()):
        back = next((c for o, c in SWAPS.get(other, ()) if o == name), cause)
        yield cause, back, ast.Call(called(other), arguments, node.keywords)
    if name in DROPPED and (len(arguments) == 1 or isinstance(node.func, ast.Attribute)):
        is_method = isinstance(node.func, ast.Attribute) and not (
            isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy", "copy", "math")
        )
        inner = node.func.value if is_method and isinstance(node.func, ast.Attribute) else arguments[0]
        yield DROPPED[name], DROPPED[name].replace("missing", "too many"), inner
    if name in ("dot", "matmul") and len(arguments) == 2:
        yield ORDER, ORDER, ast.Call(node.func, arguments[::-1], node.keywords)
    elif (
        name in ("where", "clip", "divide", "subtract", "power", "logaddexp", "randn", "heaviside")
        and len(arguments) >= 2
    ):
        for i in range(len(arguments) - 1):
            swapped = [*arguments[:i], arguments[i + 1], arguments[i], *arguments[i + 2 :]]
            yield "order of arguments", "order of arguments", ast.Call(node.func, swapped, node.keywords)
    if name == "range":
        for i in range(len(arguments[:2])):
            for sign in (ast.Add(), ast.Sub()):
                moved: list[ast.expr] = list(arguments)
                moved[i] = ast.BinOp(arguments[i], sign, ast.Constant(1))
                yield LOOP, LOOP, ast.Call(node.func, moved, [])
        if len(arguments) < 3:
            other_start = [ast.Constant(1), *arguments] if len(arguments) == 1 else arguments[1:]
            yield LOOP, LOOP, ast.Call(node.func, other_start, [])
    if name in ("reversed", "sorted", "enumerate") and arguments:
        yield "order of the loop", "order of the loop", arguments[0]
    if name in ("RandomState", "default_rng", "seed") and not (arguments or node.keywords):
        yield "seed missing", "seed missing", ast.Call(node.func, [ast.Constant(1)], [])
    if name in REDUCTIONS:
        yield from _of_reduction(node)


def _of_reduction(node: ast.Call) -> Iterator[Replacement]:
    others = [word for word in node.keywords if word.arg not in ("axis", "keepdims")]
    axis = next((word.value for word in node.keywords if word.arg == "axis"), None)
    keepdims = [word for word in node.keywords if word.arg == "keepdims"]
    is_function = (
        isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "np"
    )
    given = node.args if axis is not None or not is_function else node.args[:1]
    if axis is None and len(node.args) > is_function:
        return

    def made(new_axis: int | None, keeps: bool) -> ast.Call:
        words = [] if new_axis is None else [ast.keyword("axis", ast.Constant(new_axis))]
        words += [ast.keyword("keepdims", ast.Constant(True))] if keeps else []
        return ast.Call(node.func, given, [*others, *words])

    now = axis.value if isinstance(axis, ast.Constant) else None
    if axis is None:
        for new in (0, 1):
            for keeps in (bool(keepdims), True):
                yield "sum over one axis only", "axis missing", made(new, keeps)
    elif isinstance(now, int):
        yield "wrong axis", "wrong axis", made(1 - now if now >= 0 else 0, bool(keepdims))
        yield "axis missing", "sum over one axis only", made(None, bool(keepdims))
        if not keepdims:
            yield "wrong axis", "wrong axis", made(1 - now if now >= 0 else 0, True)
    if keepdims:
        yield (
            "keepdims missing",
            "keepdims extra",
            ast.Call(node.func, node.args, [w for w in node.keywords if w not in keepdims]),
        )
    else:
        words = [*node.keywords, ast.keyword("keepdims", ast.Constant(True))]
        yield "keepdims extra", "keepdims missing", ast.Call(node.func, node.args, words)


def _of_index(node: ast.Subscript) -> Iterator[Replacement]:
    index = node.slice
    is_shape = isinstance(node.value, ast.Attribute) and node.value.attr == "shape"
    cause = "wrong m" if is_shape else "wrong index"
    if isinstance(index, ast.Constant) and isinstance(index.value, int):
        others = (
            (1 - index.value,) if is_shape and index.value in (0, 1) else (index.value + 1, index.value - 1)
        )
        for other in others:
            yield cause, cause, ast.Subscript(node.value, ast.Constant(other), ast.Load())
    elif not isinstance(index, ast.Slice | ast.Tuple | ast.Constant | ast.JoinedStr):
        for sign in (ast.Add(), ast.Sub()):
            yield cause, cause, ast.Subscript(node.value, ast.BinOp(index, sign, ast.Constant(1)), ast.Load())
    elif isinstance(index, ast.Tuple):
        for i in range(len(index.elts)):
            for j in range(i):
                swapped = list(index.elts)
                swapped[i], swapped[j] = swapped[j], swapped[i]
                turned = ast.Tuple(swapped, ast.Load())
                yield SWAPPED, SWAPPED, ast.Subscript(node.value, turned, ast.Load())


def _of_constant(node: ast.Constant, parent: ast.AST) -> Iterator[Replacement]:
    value = node.value
    if isinstance(value, str):
        for words in WORDS:
            if value in words:
                cause = "activation swapped" if "relu" in words else "wrong name"
                yield cause, cause, ast.Constant(next(iter(words - {value})))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        others = {0, 1, 2, 0.5, 255, value + 1, value - 1, value * 2, value / 2, -value} - {value}
        cause = "wrong index" if isinstance(parent, ast.Slice) else CONSTANT
        for other in sorted(others):
            whole = int(other) if isinstance(value, int) and other == int(other) else other
            yield cause, cause, ast.Constant(whole)
    elif isinstance(value, bool):
        yield "True for False", "True for False", ast.Constant(not value)


def confused(one: str, other: str) -> str:
    """Return the name of the fault of taking one variable for another."""
    pair = {one.rstrip("0123456789").removesuffix("_prev"), other.rstrip("0123456789").removesuffix("_prev")}
    if any(f"d{name}" in pair for name in pair):
        return "a value and its slope confused"
    if pair == {"A", "Z"}:
        return "A and Z confused"
    return WRONG_NAME


def _inserted(node: ast.expr, parent: ast.AST, field: str, names: Mapping[str, Any]) -> Iterator[Replacement]:
    """Yield what an expression becomes with something that it may lack: repairs only."""
    is_place = isinstance(parent, ast.Assign | ast.Return | ast.AugAssign | ast.keyword) or (
        isinstance(parent, ast.Tuple | ast.Call | ast.BinOp | ast.Dict) and not isinstance(node, ast.Constant)
    )
    if (
        not is_place
        or isinstance(node, ast.Tuple | ast.Dict | ast.List)
        or function_of(parent) in ("range", "zeros", "print")
    ):
        return
    for repairs, other in WITH_MORE:
        yield "", repairs, filled(other, _=node)
    for name, kind in names.items():
        if isinstance(kind, str):
            continue  # no number
        for repairs, other in WITH_A_VARIABLE:
            is_mean = other == "_ / v" and name in COUNTS
            yield "", MISSING if is_mean else repairs, filled(other, _=node, v=_load(name))


def _of_statements(tree: ast.Module, blocks: list[Any], lines: set[int] | None) -> Iterator[Edit]:
    """Yield programs with a statement less, in another order, or in another form."""
    for block in blocks:
        for field in ("body", "orelse"):
            body: list[ast.stmt] = getattr(block, field, None) or []
            for i, one in enumerate(body):
                for breaks, repairs, others, line in _statement(one, body, i):
                    if lines is not None and line not in lines:
                        continue
                    kept, body[:] = list(body), others
                    try:
                        yield Edit(line, breaks, repairs, tree)
                    finally:
                        body[:] = kept


def _statement(one: ast.stmt, body: list[ast.stmt], i: int) -> Iterator[tuple[str, str, list[ast.stmt], int]]:
    """Yield what a change of a statement breaks and repairs, the block that it makes, and its line."""
    before, after, line = body[:i], body[i + 1 :], one.lineno

    def like(node: ast.stmt) -> ast.stmt:
        return _located(node, one)

    if isinstance(one, ast.AugAssign):
        target = one.target
        load = copy.copy(target)
        load.ctx = ast.Load()
        plain = like(ast.Assign([target], one.value))
        whole = like(ast.Assign([target], ast.BinOp(load, one.op, one.value)))
        yield "= for +=", "+= for =", [*before, plain, *after], line
        yield "", "update in place", [*before, whole, *after], line
        if isinstance(one.op, ast.Add | ast.Sub):
            op = ast.Sub() if isinstance(one.op, ast.Add) else ast.Add()
            yield SIGN, SIGN, [*before, like(ast.AugAssign(target, op, one.value)), *after], line
    if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name | ast.Subscript):
        added = like(ast.AugAssign(one.targets[0], ast.Add(), one.value))
        yield "", "= for +=", [*before, added, *after], line
    if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Tuple):
        for targets in _permuted(one.targets[0]):
            yield UNPACKED, UNPACKED, [*before, like(ast.Assign([targets], one.value)), *after], line
    if isinstance(one, ast.Expr):
        arguments = one.value.args if isinstance(one.value, ast.Call) else [*ast.walk(one.value)]
        for name in dict.fromkeys(node.id for node in arguments if isinstance(node, ast.Name)):
            kept = like(ast.Assign([ast.Name(name, ast.Store())], one.value))
            yield "", "not updated", [*before, kept, *after], line
    if len(body) > 1 and not isinstance(one, ast.Return | ast.FunctionDef):
        yield "line missing", "line too many", [*before, *after], line
        for j in range(i + 1, min(i + 4, len(body))):
            if isinstance(body[j], ast.Return):
                break
            moved = [*before, *body[i + 1 : j + 1], one, *body[j + 1 :]]
            yield "line too early", "line too early", moved, line
        for j in range(max(i - 3, 0), i):
            yield "", "line too late", [*body[:j], one, *body[j:i], *after], line
    if isinstance(one, ast.For | ast.While):
        fields = dict(ast.iter_fields(one))
        first, last = one.body[0], one.body[-1]
        if len(one.body) > 1:
            out = like(type(one)(**{**fields, "body": one.body[:-1]}))
            yield "line outside the loop", "line inside the loop", [*before, out, last, *after], last.lineno
            out = like(type(one)(**{**fields, "body": one.body[1:]}))
            yield "", "line inside the loop", [*before, first, out, *after], first.lineno
        if after and not isinstance(after[0], ast.Return):
            into = like(type(one)(**{**fields, "body": [*one.body, after[0]]}))
            moved = [*before, into, *after[1:]]
            yield "line inside the loop", "line outside the loop", moved, after[0].lineno
    if isinstance(one, ast.If):
        other = like(ast.If(ast.UnaryOp(ast.Not(), one.test), one.body, one.orelse))
        yield "condition turned round", "condition turned round", [*before, other, *after], line


def _permuted(targets: ast.Tuple) -> Iterator[ast.Tuple]:
    """Yield the targets of an assignment in other orders, also those of a part."""
    if len(targets.elts) < 4:
        for order in [*itertools.permutations(targets.elts)][1:]:
            yield ast.Tuple([*order], ast.Store())
    for i, one in enumerate(targets.elts):
        if isinstance(one, ast.Tuple):
            for other in _permuted(one):
                yield ast.Tuple([*targets.elts[:i], other, *targets.elts[i + 1 :]], ast.Store())
