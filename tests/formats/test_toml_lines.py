"""The lines of keys in a TOML text: every shape that TOML has, and texts made at random."""

import tomllib
from typing import Any

import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.every import every

from pellucid.formats.toml.lines import toml_lines


def paths(value: Any, at: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """Every path in what tomllib read."""
    entries: Any = (
        enumerate(value)
        if isinstance(value, list)
        else dict(value if isinstance(value, dict) else ()).items()
    )
    inside = (paths(inner, (*at, key)) for key, inner in entries)
    return ({at} if at else set()).union(*inside)


TEXT = '''\
# [not] a = table
top = 1                       # "quote

[model]
"quoted key" = [1, 2]         # ]
'literal.key'.inner = "a # [b] \\" c"

[[layers]]
type = """
three [[lines]]
x = 1 \\" end"""
units = 3

[[layers]]
type = \'\'\'
no = "thing"
\'\'\'
body = [
    { type = "a", n = [
        1,
        # between
        2,
    ] },
    { type = "b" },
]
[[layers.inner]]
deep.er = 1979-05-27 07:32:00
[[layers.inner]]
x = -1e3
[layers.table]
y = true

[[layers]]

[a.b.c]
z = {}
'''


PLACES: list[tuple[tuple[str | int, ...], str]] = [  # and how their lines begin
    (("top",), "top = 1"),
    (("model",), "[model]"),
    (("model", "quoted key"), '"quoted key"'),
    (("model", "literal.key", "inner"), "'literal.key'.inner"),
    (("layers", 0), "[[layers]]"),
    (("layers", 0, "units"), "units = 3"),
    (("layers", 1, "body", 0, "n", 1), "2,"),
    (("layers", 1, "body", 1, "type"), '{ type = "b" },'),
    (("layers", 1, "inner", 0, "deep", "er"), "deep.er"),
    (("layers", 1, "inner", 1, "x"), "x = -1e3"),
    (("layers", 1, "table", "y"), "y = true"),
    (("layers", 2), "[[layers]]"),
    *((("a", "b", "c")[:n], "[a.b.c]") for n in (1, 2, 3)),
]


def test_every_kind_of_key_has_its_line() -> None:
    lines, text = toml_lines(TEXT), TEXT.splitlines()
    for path, begins in PLACES:
        assert text[lines[path] - 1].strip().startswith(begins), path
    assert lines["layers", 1] == lines["layers", 0] + 6
    assert set(lines) == paths(tomllib.loads(TEXT))


@every(
    "text",
    [
        *("", "a=1", "a = [[1, 2], []]\nb = 2", '"\\u00e4" = 1', "a.b = 1\na.c = 2", "a = 1\r\nb = 2\r\n"),
        'a = """x"""""\nb = 1',  # quotes of its own before the three that close
        *("a = '''x'''''\nb = 1", "a = ''\nb = \"\"\nc = 1", 'a = """\\\n   x"""\nb = 1', "[ a . b ]\nc = 1"),
        "[[ a . 'b' ]]\nc = 1\n[[a.b]]\n[a.b.c]\nd = 1",
        *("a = { b.c = 1, d = [{ e = 1 }] }", "a = inf\nb = 0xff # x\nc = 07:32:00"),
    ],
)
def test_it_finds_what_tomllib_finds(text: str) -> None:
    lines = toml_lines(text)
    assert set(lines) == paths(tomllib.loads(text))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


TEXTS = st.text(st.characters(codec="utf-8"))
KEYS = st.text(st.characters(codec="utf-8"), max_size=6)
VALUES = st.recursive(
    st.integers() | st.booleans() | TEXTS | st.floats() | st.datetimes() | st.times(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(data=st.dictionaries(KEYS, VALUES, max_size=5), is_multiline=st.booleans())
@settings(max_examples=100, deadline=None)
def test_any_data_that_is_written_as_toml_has_a_line_for_each_path(data: Any, is_multiline: bool) -> None:
    text = tomli_w.dumps(data, multiline_strings=is_multiline)
    lines = toml_lines(text)
    assert set(lines) == paths(tomllib.loads(text))
    for path, line in lines.items():
        if isinstance(path[-1], str) and path[-1].isascii() and path[-1].isalnum():
            assert path[-1] in text.split("\n")[line - 1]
