"""Scripts and styles without what means nothing: strings, templates and regular expressions stay as they are."""

from tests.every import every

from pellucid.formats.html.compact import compact_script, compact_style


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


def test_nested_rules_need_no_sign_before_a_class() -> None:
    given = "a {\n  & .b, & p { margin: 0; }\n  &.c, & > .d { top: 0; }\n}\n"
    assert compact_style(given) == "a{.b,& p{margin:0}&.c,& > .d{top:0}}"


def test_spaces_between_selectors_stay() -> None:
    assert (
        compact_style("a b, c > d:hover {\n  margin: 0 -1px;\n}\n/* e */\n")
        == "a b,c > d:hover{margin:0 -1px}"
    )
