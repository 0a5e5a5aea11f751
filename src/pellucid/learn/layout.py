"""A program with every statement on one line, and where each part of it stood: a line is what the coach names."""

import ast
import io
import tokenize
from bisect import bisect_right
from contextlib import suppress
from typing import NamedTuple

SKIPPED = {tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


class _Part(NamedTuple):
    """Where a part of a statement begins: joined, with columns in bytes as ``ast`` has, and in the file."""

    line: int
    column: int
    was: int


class Layout:
    """A program whose statements are joined to one line each, at their first line, so that no other line moves.

    Parameters
    ----------
    source : str
        That Python can read.

    Attributes
    ----------
    source : str
        What lines of a statement held apart is separated by one space; its comments are left out.

    Examples
    --------
    >>> layout = Layout("y = (\\n    a  # first\\n    + b\\n)\\nz = y\\n")
    >>> print(layout.source)
    y = ( a + b )
    <BLANKLINE>
    <BLANKLINE>
    <BLANKLINE>
    z = y
    <BLANKLINE>
    >>> layout.line_of(1, column=8), layout.line_of(5)
    (3, 5)
    """

    def __init__(self, source: str) -> None:
        self._parts: list[_Part] = []
        lines = [*io.StringIO(source)]  # as tokenize counts them: a form feed ends none
        statement: list[tokenize.TokenInfo] = []
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NEWLINE:
                if statement and statement[0].start[0] < statement[-1].end[0]:
                    self._join(lines, statement)
                statement = []
            elif token.type not in SKIPPED:
                statement.append(token)
        self.source = "".join(lines)

    def line_of(self, line: int, column: int = 0) -> int:
        """Return the line of the file at which a part of the joined program stands.

        Parameters
        ----------
        line : int
            Of the joined program, from 1.
        column : int, optional
            In bytes, as ``ast`` counts; default: where the statement begins.
        """
        at = bisect_right(self._parts, (line, column, 1 << 60))
        part = self._parts[at - 1] if at else None
        # A string over several lines keeps them: the part goes on there
        return part.was + line - part.line if part and part.line == line else line

    def _join(self, lines: list[str], statement: list[tokenize.TokenInfo]) -> None:
        """Put a statement on its first line, and empty lines where the rest of it was."""
        first, last = statement[0].start[0], statement[-1].end[0]
        joined = lines[first - 1][: statement[0].start[1]]
        begin = end = statement[0]
        for token in [*statement[1:], None]:
            if token is not None and token.start[0] == end.end[0]:
                end = token
                continue
            line = first + joined.count("\n")
            column = len(joined.rpartition("\n")[2].encode())
            self._parts += [
                _Part(line + n, column if n == 0 else 0, begin.start[0] + n)
                for n in range(end.end[0] - begin.start[0] + 1)
            ]
            joined += _between(lines, begin.start, end.end) + " " * (token is not None)
            begin = end = token or end
        n_empty = last - first - joined.count("\n")
        lines[first - 1 : last] = [*io.StringIO(joined + "\n" * (1 + n_empty))]


def column_of(wrong: ast.expr, right: ast.expr, line: str) -> int:
    """Return the column, in bytes, of the first part of an expression that is not as in another one.

    Parameters
    ----------
    wrong : ast.expr
        As it stands on the line.
    right : ast.expr
    line : str

    Examples
    --------
    >>> line = "a * b + np.log(c)"
    >>> read = lambda text: ast.parse(text, mode="eval").body
    >>> wrong = read(line)
    >>> [column_of(wrong, read(text), line) for text in ("a / b + np.log(c)", "a * b", "a * b + np.log(d)")]
    [2, 6, 15]
    """
    operands = _operands(wrong)
    is_short = len(operands) > 1 and _is_same(
        operands[0], right
    )  # the operator and what follows are too many
    if is_short or (len(operands) > 1 and _are_same(operands, _operands(right))):
        operators, others = getattr(wrong, "ops", []), getattr(right, "ops", [])
        at = next(
            (n for n, (a, b) in enumerate(zip(operators, others, strict=False)) if not _is_same(a, b)), 0
        )
        end, start = operands[at].end_col_offset or 0, operands[at + 1].col_offset
        between = line.encode()[end:start].decode()
        return end + len(between) - len(between.lstrip(" )"))
    parts, others = [*ast.iter_child_nodes(wrong)], [*ast.iter_child_nodes(right)]
    if type(wrong) is type(right) and len(parts) == len(others):
        for part, other in zip(parts, others, strict=True):
            if not _is_same(part, other) and hasattr(part, "col_offset"):
                return column_of(part, other, line)  # type: ignore[arg-type] # of a keyword, too
    return wrong.col_offset


def _operands(node: ast.AST) -> list[ast.expr]:
    """Return what operators stand between; nothing of other expressions."""
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    return node.values if isinstance(node, ast.BoolOp) else []


def _is_same(one: ast.AST, other: ast.AST) -> bool:
    return ast.dump(one) == ast.dump(other)


def _are_same(some: list[ast.expr], others: list[ast.expr]) -> bool:
    return len(some) == len(others) and all(map(_is_same, some, others))


def longest_statement(source: str) -> int:
    """Return the first line of the statement of the most tokens, in a program that Python may be unable to read."""
    longest, first, most, n_tokens = 1, 1, 0, 0
    with suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type not in SKIPPED:
                first = first if n_tokens else token.start[0]
                n_tokens += 1
            if n_tokens > most:
                longest, most = first, n_tokens
            if token.type == tokenize.NEWLINE:
                n_tokens = 0
    return longest


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """Return the text from one place, of a line and a column, to another."""
    (first, a), (last, b) = start, end
    if first == last:
        return lines[first - 1][a:b]
    return "".join([lines[first - 1][a:], *lines[first : last - 1], lines[last - 1][:b]])
