"""Pages: what stands in them, their scripts without spaces, and what is refused."""

import json
import re
from pathlib import Path

import pytest
from tests.every import every
from tests.formats.networks import shaken, two_inputs

import pellucid as pl
from pellucid.data.readers.table import split_table
from pellucid.data.readers.table_text import table_of
from pellucid.errors import OptionError, PellucidError
from pellucid.formats.html import trial
from pellucid.formats.html.compact import compact_script, compact_style
from pellucid.formats.html.export import export_html, html_page
from pellucid.types import Array

HOSTILE = ('</script><img src="x" onerror="alert(1)">', "<b>&amp;'\"\u2028")


def small() -> pl.Model:
    return shaken(pl.Sequential([pl.Flatten(), pl.Dense(2)]), (3, 4, 3))


def test_names_of_classes_are_never_markup() -> None:
    model = small()
    model.classes = HOSTILE
    page = html_page(model)
    assert "<img" not in page
    assert "<b>" not in page
    (data,) = re.findall(r'<script type="application/json" id="network">(.*?)</script>', page, re.DOTALL)
    assert tuple(json.loads(data)["classes"]) == HOSTILE
    assert page.count("<script") == page.count("</script") == 3


def test_nothing_is_fetched() -> None:
    page = html_page(small())
    assert "default-src 'none'" in page
    assert not re.findall(r"""https?:|//[a-z]+\.|\bfetch\(|XMLHttpRequest|@import|<link|src=""", page)


def test_what_cannot_be(tmp_path: Path) -> None:
    joint = shaken(two_inputs(), {"photo": (4, 4, 3), "facts": (2,)})
    joint.set_loss({"kind": "categorical_cross_entropy", "size": "poisson"})
    rows = shaken(pl.Sequential([pl.Dense(2)]), (4,))
    maps = shaken(pl.Sequential([pl.Conv2D(2)]), (4, 4, 3))
    for model, words in [
        (joint, "several inputs or outputs"),
        (rows, "neither photos nor columns"),
        (maps, "End it with Flatten and Dense"),
    ]:
        with pytest.raises(OptionError, match=words):
            export_html(model, tmp_path / "a.html")
    with pytest.raises(OptionError, match="title"):
        export_html(small(), tmp_path / "b.html", title=3)  # type: ignore[arg-type]


def test_the_heading_of_a_table_has_its_target() -> None:
    rows = [{"kg": 4.5 + i, "pet": ("cat", "dog")[i % 2], "years": 1.5 * i} for i in range(20)]
    for target, words in (("pet", "pet: cat or dog?"), ("years", "years")):
        split = split_table(table_of(rows), target=target, name="pets", seed=1, test_fraction=0.2)
        model = pl.preset("logistic" if target == "pet" else "linear")
        pl.train(model, split, n_epochs=1, progress=False)
        assert f"<h1>{words}</h1>" in html_page(model)


def test_without_a_browser_it_is_written_unchecked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "find_browser", lambda: None)
    assert export_html(small(), tmp_path / "a.html", title="Cats & dogs") is None
    assert "<title>Cats &amp; dogs</title>" in (tmp_path / "a.html").read_text()
    monkeypatch.setattr(trial, "find_browser", lambda: "/bin/false")
    assert export_html(small(), tmp_path / "b.html") is None


def test_a_page_that_is_wrong_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = small()
    _, X = trial._photos(model, ())

    def said(X: Array, more: float) -> str:
        P = model.predict_proba(X) + more
        pairs = zip(P, X, strict=True)
        return json.dumps([{"outputs": p.tolist(), "sample": x.ravel().tolist()} for p, x in pairs])

    monkeypatch.setattr(trial, "find_browser", lambda: "browser")
    for answer, words in [
        ("", "no answer"),
        ('{"error": "TypeError: no"}', "fails in the browser"),
        ("[]", "0 answers for 5 samples"),
        (said(X, 1e-3), "differ"),
        (said(X[:, ::-1], 0), "takes in differs"),
    ]:
        monkeypatch.setattr(trial, "said_by", lambda *arguments, answer=answer: answer)
        with pytest.raises(PellucidError, match=words):
            export_html(model, tmp_path / "a.html")
        assert not list(tmp_path.iterdir())
    monkeypatch.setattr(trial, "said_by", lambda *arguments: said(X, 0))
    assert export_html(model, tmp_path / "a.html") == 0


@every(
    ("given", "expected"),
    [
        ("const a = \"b // c\" + '/* d */'; // e\n", "let a=\"b // c\"+'/* d */';"),
        ("f(`a ${b + `c ${d} }`} // e`);\n", "f(`a ${b + `c ${d} }`} // e`);"),
        ("x = y.replace(/\\s+ \\/[/ ]/g, 1) / 2 / z;", "x=y.replace(/\\s+ \\/[/ ]/g,1)/2/z;"),
        ("return /a b/.test(c);\n", "return/a b/.test(c);"),
        ("a = b + +c - -d;\na = b - c++ + d;", "a=b+ +c- -d;a=b-c++ +d;"),
        ("const a = 1\nconst b = a\n", "let a=1\nlet b=a"),
        ("async function f() {\n  await g();\n}\n/* h\n */\nclass A extends B {}", None),
        (
            "if (a) return (b) => true;\nc(async (d) => f(d) + g(...e), (...h) => h);",
            "if(a)return b=>!0;c(async d=>f(d)+g(...e),(...h)=>h);",
        ),
        ("x = a in b ? typeof c : d;", "x=a in b?typeof c:d;"),
    ],
)
def test_only_what_means_nothing_goes(given: str, expected: str | None) -> None:
    expected = expected or "async function f(){await g()}\nclass A extends B{}"
    assert compact_script(given) == expected
    assert compact_script(expected) == expected


@every(
    ("given", "expected"),
    [
        (
            "a {\n  & .b, & p { margin: 0; }\n  &.c, & > .d { top: 0; }\n}\n",
            "a{.b,& p{margin:0}&.c,& > .d{top:0}}",
        ),
        ("a b, c > d:hover {\n  margin: 0 -1px;\n}\n/* e */\n", "a b,c > d:hover{margin:0 -1px}"),
    ],
)
def test_nested_rules_and_spaces_between_selectors(given: str, expected: str) -> None:
    assert compact_style(given) == expected
