"""Expressions of correct programs instead of a learner's: repairs that need more than a small change.

The variables of a correct program stand for those of the learner that take the same values, whatever their names;
a variable that the learner has not, is written out. Nearest to what stands there, by tokens, comes first.
"""

import ast
import difflib
import itertools
import re
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pellucid.learn.edits import (
    CONSTANT,
    COUNTS,
    EXTRA,
    LOOP,
    MISSING,
    PRODUCT,
    SIGN,
    SWAPS,
    THRESHOLD,
    TURNED,
    WRONG_NAME,
    Edit,
    confused,
    function_of,
    placed,
)
from pellucid.learn.exercise import Arguments
from pellucid.learn.reference import Reference
from pellucid.learn.tracing import RESULT, Change
from pellucid.learn.values import arrays_in

LONGEST = 24  # tokens that may be another
MOST_NAMES = 3  # of the learner's, for one variable of a correct program
OF_VARIABLE = 10  # tokens that a variable of the learner's counts that is written out
MOST_WRITTEN = 4  # of an expression, with other names
DEPTH = 3  # variables that are written out within one another
FORMULA, CONDITION = "another formula", "wrong condition"
WORDS = {
    "sqrt": "square root",
    "exp": "exponential",
    "log": "logarithm",
    "abs": "absolute value",
    "sum": "sum",
}
INDEX = "wrong index"


@dataclass(frozen=True)
class Site:
    """An expression and its place in a tree.

    Attributes
    ----------
    parent : ast.AST
    field : str
    index : int
        In the field's list; -1 if it is none.
    node : ast.expr
    role : {"value", "loop", "test", "index"}
    """

    parent: ast.AST
    field: str
    index: int
    node: ast.expr
    role: str


def sites(statement: ast.stmt) -> Iterator[Site]:
    """Yield the expressions of a statement that are replaced as a whole, not those of statements within it."""
    for field, value in ast.iter_fields(statement):
        for index, node in enumerate(value) if isinstance(value, list) else [(-1, value)]:
            if isinstance(node, ast.expr):
                role = {"iter": "loop", "test": "test"}.get(field, "value")
                yield from _within(Site(statement, field, index, node, role))


def _within(site: Site) -> Iterator[Site]:
    node = site.node
    is_target = not isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
    if not is_target and not isinstance(node, ast.Tuple | ast.Constant):
        yield site
    for field, value in ast.iter_fields(node):
        for index, one in enumerate(value) if isinstance(value, list) else [(-1, value)]:
            if isinstance(one, ast.keyword):
                one, place_of, field_of, at = one.value, one, "value", -1
            else:
                place_of, field_of, at = node, field, index
            if isinstance(one, ast.comprehension):
                yield Site(one, "iter", -1, one.iter, "loop")
            elif isinstance(one, ast.expr) and field != "func":
                role = "index" if field == "slice" else "test" if field == "test" else "value"
                is_part = isinstance(
                    node, ast.Tuple | ast.List | ast.Dict | ast.Call | ast.IfExp | ast.Subscript
                )
                if is_part or isinstance(one, ast.Subscript | ast.IfExp | ast.Call):
                    yield from _within(Site(place_of, field_of, at, one, role))


@dataclass(frozen=True)
class _Donor:
    role: str
    node: ast.expr
    program: int


class Grafts:
    """The expressions of the correct programs of an exercise, in a learner's variables.

    Parameters
    ----------
    reference : Reference
    numbers : sequence of int
        Of the cases by whose values variables are known.
    changes : sequence of (sequence of Change)
        What the learner's variables were on them.
    names : sequence of str
        The learner's names of the arguments.
    tree : ast.Module
        The learner's program; changed while an edit of it is tried, and changed back.
    wrong : set of str, optional
        Variables of the learner's that are wrong: an expression does not mend what it leaves out.
    """

    def __init__(
        self,
        reference: Reference,
        numbers: Sequence[int],
        changes: Sequence[Sequence[Change]],
        names: Sequence[str],
        tree: ast.Module,
        wrong: Set[str] = frozenset(),
    ) -> None:
        self._tree, self._wrong = tree, wrong
        self.reference, self._numbers = reference, numbers
        self._cases = [reference.cases[n] for n in numbers]
        self._values = values_of(changes, names, self._cases)
        self._local = self._values.keys() - set(names)
        self._trees = [ast.parse(one.source) for one in reference.solutions]

    @cached_property
    def _donors(self) -> list[_Donor]:
        found = []
        for number, tree in enumerate(self._trees):
            for node in ast.walk(tree):
                if isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef):
                    found += [_Donor(one.role, one.node, number) for one in sites(node)]
        return found

    @cached_property
    def _meanings(self) -> list[dict[str, list[str]]]:
        """For each correct program, what the learner writes for its variables."""
        found = []
        for solution, tree in zip(self.reference.solutions, self._trees, strict=True):
            names = [one.arg for one in ast.walk(tree) if isinstance(one, ast.arg)]
            theirs = values_of([self.reference.trace(solution, n) for n in self._numbers], names, self._cases)
            found.append({name: self._like(name, values) for name, values in theirs.items()})
        return found

    def _like(self, name: str, values: list[set[Any]]) -> list[str]:
        """Return the learner's expressions with the same values as a variable of a correct program."""
        found: list[tuple[int, bool, str]] = []
        is_whole = all(isinstance(one, int) for case in values for one in case)
        for mine, others in self._values.items():
            for step in (0, 1, -1) if is_whole else (0,):
                if all(_overlap(a, b, step, is_whole) for a, b in zip(values, others, strict=True)):
                    moved = f"({mine} {'+' if step > 0 else '-'} 1)" if step else mine
                    found.append((abs(step), mine != name, moved))
                    break
        found.sort()
        return [text for *_, text in found[:MOST_NAMES]]

    @cached_property
    def _definitions(self) -> list[dict[str, ast.expr]]:
        """For each correct program, the variables that are assigned once, and their expressions."""
        every = []
        for tree in self._trees:
            stores = Counter(
                n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            )
            every.append(
                {
                    node.targets[0].id: node.value
                    for node in ast.walk(tree)
                    if isinstance(node, ast.Assign)
                    and isinstance(node.targets[0], ast.Name)
                    and stores[node.targets[0].id] == 1
                }
            )
        return every

    @cached_property
    def _known(self) -> list[tuple[str, str]]:
        """The roles and the texts of the expressions, in the learner's variables."""
        found: dict[tuple[str, str], None] = {}
        for donor in self._donors:
            texts = self._written(donor.node, donor.program, DEPTH)
            found |= dict.fromkeys((donor.role, text) for text in texts)
        return list(found)

    def _written(self, node: ast.expr, number: int, depth: int) -> Iterator[str]:
        """Yield the text of an expression of a correct program with the learner's variables."""
        meanings, inner = self._meanings[number], _bound_in(node)
        places: dict[str, list[ast.Name]] = {}
        for one in ast.walk(node):
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load) and one.id not in inner:
                places.setdefault(one.id, []).append(one)
        choices: list[list[str]] = []
        for name in places:
            options = meanings.get(name, [])
            if not options and depth and (definition := self._definitions[number].get(name)):
                inlined = itertools.islice(self._written(definition, number, depth - 1), 2)
                options = [f"({text})" for text in inlined]
            choices.append(options or ([name] if name not in meanings else []))  # a function, a module
        for chosen in itertools.islice(itertools.product(*choices), MOST_WRITTEN):
            for text, nodes in zip(chosen, places.values(), strict=True):
                for one in nodes:
                    one.id = text
            yield ast.unparse(node)
        for name, nodes in places.items():
            for one in nodes:
                one.id = name

    def repairs(
        self, lines: Mapping[int, float], longest: float = LONGEST, shortest: float = 0
    ) -> Generator[Edit, None, None]:
        """Yield the programs with another expression on one of the lines, the nearest ones first.

        Parameters
        ----------
        lines : mapping of int to float
            By line, tokens that are added to the distance.
        longest, shortest : float, optional
            Distances: not above the one, above the other.
        """
        found = [one for one in self._pairs if shortest < one[0] <= longest and one[1] in lines]
        found.sort(key=lambda one: one[0] + lines[one[1]])
        for _, line, site, text in found:
            node: ast.expr = ast.parse(f"_[{text}]", mode="eval").body.slice  # type: ignore[attr-defined] # may be a slice
            with placed(site.parent, site.field, site.index, node, site.node):
                yield Edit(line, "", "", self._tree, site.node, node, site.role)

    @cached_property
    def _pairs(self) -> list[tuple[float, int, Site, str]]:
        """Distances, lines and places of the learner's expressions, and what may stand there.

        The distance of two expressions is the number of tokens that only one of them has, more where a variable
        is left out.
        """
        words: dict[str, int] = {}
        rows = [_tokens(text) for _, text in self._known]
        for token in itertools.chain(*rows, self._local, self._wrong):
            words.setdefault(token, len(words))
        table = np.zeros((len(rows), len(words) + 1))
        for row, tokens in enumerate(rows):
            for token in tokens:
                table[row, words[token]] += 1
        local, wrong = ([words[name] for name in names] for names in (self._local, self._wrong))
        found = []
        for statement in [node for node in ast.walk(self._tree) if isinstance(node, ast.stmt)]:
            for site in sites(statement):
                text = ast.unparse(site.node)
                mine = np.zeros(table.shape[1])
                for token in _tokens(text):
                    mine[words.get(token, -1)] += 1
                lost = mine > table
                distance = np.maximum(np.abs(table - mine).sum(axis=1), 1)  # 1: in another order
                distance += OF_VARIABLE * lost[:, local].any(axis=1) + LONGEST * lost[:, wrong].any(axis=1)
                for row in np.flatnonzero(distance <= LONGEST).tolist():
                    role, other = self._known[row]
                    if role == site.role and other != text:
                        found.append((float(distance[row]), statement.lineno, site, other))
        return found


def values_of(
    changes: Sequence[Sequence[Change]], names: Sequence[str], cases: Sequence[Arguments]
) -> dict[str, list[set[Any]]]:
    """Return the values that each variable has taken on each case, as marks of numbers rounded."""
    found: dict[str, list[set[Any]]] = {}
    for number, (arguments, of_case) in enumerate(zip(cases, changes, strict=True)):
        for name, value in [
            *zip(names, arguments, strict=False),
            *((one.name, one.value) for one in of_case if one.name != RESULT),
        ]:
            found.setdefault(name, [set() for _ in cases])[number].add(_mark(value))
    return found


def _overlap(values: set[Any], others: set[Any], step: int, is_whole: bool) -> bool:
    """Return whether two variables take the same values; of whole numbers, all but one, moved by a step."""
    if not is_whole:
        return bool(values & others) or not values
    mine = {one + step for one in others if isinstance(one, int)}
    return len(values - mine) + len(mine - values) <= (len(values) > 2)


def _mark(value: Any) -> Any:
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, str) or callable(value):
        return value
    arrays = list(itertools.islice(arrays_in(value), 20))
    if not arrays:
        return type(value).__name__, repr(value)[:40]
    return tuple((one.shape, _digits(one)) for one in arrays)


def _digits(array: Any) -> bytes:
    number = np.asarray(array, dtype=float).ravel()[:400]
    with np.errstate(all="ignore"):
        scale = 10.0 ** np.floor(np.log10(np.abs(np.where(number == 0, 1, number))))
        return (np.round(number / scale, 7) * scale).astype(np.float32).tobytes()


def unshared(one: str, other: str) -> tuple[list[str], list[str]]:
    """Return the tokens of one expression that are not in another, and those of the other that are not in it."""
    a, b = _tokens(one), _tokens(other)
    removed, added = list[str](), list[str]()
    for _, i, j, k, n in (
        op for op in difflib.SequenceMatcher(None, a, b, False).get_opcodes() if op[0] != "equal"
    ):
        removed += a[i:j]
        added += b[k:n]
    return removed, added


def _tokens(text: str) -> list[str]:
    return re.findall(r"\w+|\S", text)


def _bound_in(node: ast.expr) -> set[str]:
    """Return the names that an expression makes for itself."""
    stored = {
        one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    return stored | {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)}


def mends(edit: Edit) -> str:
    """Return the name of the fault that an edit mends."""
    if edit.node is None or edit.other is None or not edit.role:
        return edit.repairs
    return difference(edit.node, edit.other, edit.role)


def difference(wrong: ast.expr, right: ast.expr, role: str) -> str:
    """Return the name of the fault of an expression that stands where another belongs.

    Examples
    --------
    >>> read = lambda text: ast.parse(text, mode="eval").body
    >>> difference(read("dZ @ A.T"), read("dZ @ A.T / m"), "value"), difference(read("A"), read("Z"), "value")
    ('1/m missing', 'A and Z confused')
    """
    if role == "loop":
        return LOOP
    removed, added = unshared(ast.unparse(wrong), ast.unparse(right))
    if len(removed) == len(added) == 1:
        x, y = removed[0], added[0]
        if {x, y} == {"+", "-"}:
            return SIGN
        if x.isdigit() and y.isdigit():
            is_axis = {x, y} == {"0", "1"} and "axis" in ast.unparse(right)
            return "wrong axis" if is_axis else INDEX if role == "index" else CONSTANT
        if name := dict(SWAPS.get(y, ())).get(x):
            return name
        if {x, y} == {"*", "@"}:
            return PRODUCT
        if x.isidentifier() and y.isidentifier():
            return confused(x, y)
    if set(removed + added) <= {"<", ">", "="}:
        return TURNED if "<" in removed + added else THRESHOLD
    for tokens, is_less in ((added, not removed), (removed, not added)):
        if is_less and (name := _of_tokens(tokens)):
            return (
                name if tokens is added else {MISSING: EXTRA}.get(name, name.replace("missing", "too many"))
            )
    return {"test": CONDITION, "index": INDEX}.get(role) or _of_shape(wrong, right, removed, added) or FORMULA


def _of_shape(wrong: ast.expr, right: ast.expr, removed: list[str], added: list[str]) -> str:
    """Return the name of the fault of an expression that is built in another way than the right one."""
    text, other = ast.unparse(wrong), ast.unparse(right)
    if re.sub("[() ]", "", text) == re.sub("[() ]", "", other):
        return "brackets"
    if {"dot", "matmul", "@"} & set(removed) and "*" in added:
        return "a product of matrices for *"
    wrong, right = _apart(wrong, right)
    if isinstance(wrong, ast.Call) and isinstance(right, ast.Call):
        mine, theirs = (sorted(map(ast.unparse, one.args)) for one in (wrong, right))
        if ast.unparse(wrong.func) == ast.unparse(right.func) and mine == theirs and len(mine) > 1:
            return "order of arguments"
    if isinstance(wrong, ast.BinOp) and isinstance(wrong.op, ast.Pow) and function_of(right) == "exp":
        return "another base of the power"
    here, there = _variables(wrong), _variables(right)
    if isinstance(wrong, ast.Constant) and there:
        return CONSTANT
    if len(here - there) == len(there - here) == 1:
        return WRONG_NAME
    is_called = isinstance(wrong, ast.Call) and function_of(wrong) not in _tokens(other)
    return "another function" if is_called and here == there else ""


def _variables(node: ast.expr) -> set[str]:
    called = {id(one.func) for one in ast.walk(node) if isinstance(one, ast.Call)}
    called |= {id(one.value) for one in ast.walk(node) if isinstance(one, ast.Attribute)}
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and id(one) not in called}


def _apart(one: ast.expr, other: ast.expr) -> tuple[ast.expr, ast.expr]:
    """Return the smallest parts of two expressions that hold all that is not the same."""
    while type(one) is type(other):
        mine, theirs = [*ast.iter_child_nodes(one)], [*ast.iter_child_nodes(other)]
        unlike = [(a, b) for a, b in zip(mine, theirs, strict=False) if ast.dump(a) != ast.dump(b)]
        is_one = len(unlike) == 1 and len(mine) == len(theirs)
        is_named_alike = getattr(one, "attr", "") == getattr(other, "attr", "")
        if not (is_one and is_named_alike and isinstance(unlike[0][0], ast.expr)):
            break
        one, other = unlike[0]  # type: ignore[assignment] # expressions both: they stand in the same place
    return one, other


def _of_tokens(tokens: list[str]) -> str:
    """Return the name of what an expression lacks, of which these are the tokens."""
    bare = [one for one in tokens if one not in "()"]
    if bare == ["-"]:
        return SIGN
    for name, word in WORDS.items():
        if name in bare:
            return f"{word} missing"
    ends = {*bare[:1], *bare[-1:]}
    if bare[:1] == ["/"] and (bare[-1] in COUNTS or "shape" in bare):
        return MISSING
    return "factor missing" if ends & {"*", "/", "@"} else "term missing" if ends & {"+", "-"} else ""
