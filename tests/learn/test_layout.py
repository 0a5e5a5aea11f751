"""Statements over several lines: the line that the coach names is that of the part that is wrong."""

import ast
from pathlib import Path

import pytest
from tests.every import every

from pellucid.learn.examine import Examination
from pellucid.learn.exercise import BUILTIN, exercise
from pellucid.learn.layout import Layout, column_of, longest_statement

SUBTLE = """\
# a comment
def f(a, b=(
        1, 2
)):  # of the head
    '''A text
    over lines.'''
    c = a + \\
        b[0]; d = [
        c,  # first
        "é", '''two
    lines''',
        (
            a
            - c
        ),
    ]
\x0c
    if (a
            and b):
        return {
            "d": d,
            "é": c,
        }
    return d
"""


def test_a_joined_program_is_the_same_program_with_every_statement_on_one_line() -> None:
    layout = Layout(SUBTLE)
    joined, was = ast.parse(layout.source), ast.parse(SUBTLE)
    assert ast.dump(joined) == ast.dump(was)
    assert layout.source.count("\n") == SUBTLE.count("\n")
    n_moved = 0
    for one, before in zip(ast.walk(joined), ast.walk(was), strict=True):
        if isinstance(one, ast.stmt | ast.expr):  # every part is found again, in the file's own lines
            assert layout.line_of(one.lineno, one.col_offset) == before.lineno  # type: ignore[attr-defined]
            n_moved += one.lineno != before.lineno  # type: ignore[attr-defined]
    assert n_moved > 10


@every(
    ("wrong", "right", "part"),
    [
        ("a + b", "a - b", "+ b"),
        ("(a) * (b + c)", "(a) / (b + c)", "* (b + c)"),
        ("a + b * c", "a + b / c", "* c"),
        ("a + b", "a", "+ b"),
        ("a + b", "b", "a + b"),
        ("a < b < c", "a < b <= c", "< c"),
        ("a and b", "a or b", "and b"),
        ("f(a, axis=0)", "f(a, axis=1)", "0)"),
        ("f(a, b)", "f(a, c)", "b)"),
        ("é + f(a)", "é + f(b)", "a)"),
        ("a - f(b)", "a - f(1 - b)", "b)"),
        ("[a, b, c]", "[a, c, b]", "b, c]"),
        ("-a", "a", "-a"),
        ("a", "b", "a"),
    ],
)
def test_the_first_part_that_is_another_is_pointed_at(wrong: str, right: str, part: str) -> None:
    a, b = (ast.parse(text, mode="eval").body for text in (wrong, right))
    assert wrong.encode()[column_of(a, b, wrong) :].decode() == part


def test_the_longest_statement_is_found_in_what_python_cannot_read() -> None:
    assert longest_statement("a = 1\nb = (2 +\n  3 + 4)\nc = 5\n") == 2
    assert longest_statement("a = 1\nb = c + (2 +\n  3 + 4\nc = 5\n") == 2  # the bracket stays open


PROGRAMS = {  # what is wrong is on the line that is marked
    "a sign": (
        "compute_cost",
        """def compute_cost(AL, Y):
    m = Y.shape[1]
    cost = -(
        Y * np.log(AL)
        - (1 - Y) * np.log(1 - AL)  # here
    ).sum() / m
    return cost
""",
    ),
    "a part that is missing": (
        "compute_cost",
        """def compute_cost(AL, Y):
    m = Y.shape[1]
    cost = -(
        Y * np.log(AL)
        + (1 - Y) * np.log(AL)  # here
    ).sum() / m
    return cost
""",
    ),
    "another program's expression": (
        "compute_cost",
        """def compute_cost(probabilities, labels):
    return np.mean(
        -labels * np.log(probabilities)
        - (1 - labels)
        * np.log1p(probabilities)  # here
    )
""",
    ),
    "a count": (
        "compute_cost",
        """def compute_cost(AL, Y):
    losses = (
        Y * np.log(AL)
        + (1 - Y) * np.log(1 - AL)
    )
    return -losses.sum() / (
        Y
        .shape[0]  # here
    )
""",
    ),
    "the third of three outputs": (
        "linear_backward",
        """def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    return (
        W.T @ dZ,
        dZ @ A_prev.T / m,
        dZ.sum(axis=1, keepdims=True),  # here
    )
""",
    ),
    "the second of three outputs": (
        "linear_backward",
        """def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    return (
        np.dot(W.T, dZ),
        np.dot(
            dZ,
            A_prev.T,
        ) * m,  # here
        np.sum(dZ, axis=1, keepdims=True) / m,
    )
""",
    ),
    "an error": (
        "linear_backward",
        """def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    return (
        W.T @ dZ,
        dZ @ A_prev / m,  # here
        dZ.sum(axis=1, keepdims=True) / m,
    )
""",
    ),
    "after a backslash": (
        "linear_forward",
        """def linear_forward(A, W, b):
    Z = W @ A \\
        - b  # here
    return Z, (A, W, b)
""",
    ),
    "after a form feed": (
        "relu",
        """def relu(Z):
    cache = Z
\x0c
    A = np.maximum(
        1,  # here
        Z,
    )
    return A, cache
""",
    ),
    "no repair is near": (
        "linear_backward",
        """def linear_backward(dZ, cache):
    A_prev, W, b = cache
    return (
        W.T @ dZ,
        dZ @ A_prev.T / dZ.shape[1],
        np.cbrt(np.sinh(dZ)).max(axis=1, keepdims=True) ** 3 - 7,  # here
    )
""",
    ),
}


@every("name", PROGRAMS)
def test_the_line_is_that_of_the_part_that_is_wrong(name: str) -> None:
    of, source = PROGRAMS[name]
    found = Examination(exercise(of), "import numpy as np\n\n\n" + source, 3.0).run()
    line = 4 + source[: source.index("# here")].count("\n")
    assert (found["state"], found["line"]) == ("wrong", line), found
    assert found["line_text"].endswith("# here")


def test_where_a_file_stops_the_line_is_the_parts() -> None:
    source = "import numpy as np\nx = (\n    1\n    + 2\n    + [\n        undefined\n    ]\n)\n"
    found = Examination(exercise("relu"), source, 3.0).run()
    assert (found["state"], found["line"]) == ("cannot run", 6)
    assert "(line 6)" in found["headline"]


def test_magic_and_line_ends_of_other_systems_move_no_line() -> None:
    lines = [
        "%matplotlib inline",
        "import numpy as np",
        "def relu(Z):",
        "    return (",
        "        np.maximum(1, Z),",
    ]
    found = Examination(exercise("relu"), "\r\n".join([*lines, "        Z)", ""]), 3.0).run()
    assert (found["state"], found["line"], found["line_text"]) == ("wrong", 5, "np.maximum(1, Z),")
    assert found["remarks"] == ["Passed over: line 1, which only a notebook understands."]


@pytest.mark.slow
@every("width", [0, 60])
def test_most_lines_and_causes_are_right_on_files_that_others_wrote(width: int) -> None:
    """Programs by authors who saw the exercises alone, as they are and as a formatter lays them out."""
    from benchmarks.coach import unseen

    folder = Path(__file__).parents[2] / "benchmarks" / "unseen" / "second"
    count = unseen(folder, list(BUILTIN), False, width)
    assert count["right"] == count["right passed"] > 50, "a false alarm"
    assert count["wrong line"] >= 0.94 * count["wrong"] > 100
    assert count["cause"] >= 0.86 * count["named"] > 100
