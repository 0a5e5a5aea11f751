"""JavaScript and CSS without comments and without the spaces that mean nothing: what is sent with every page."""

import re
from collections.abc import Iterator

_STRING = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[\w$.]+")
_SHORTER = {"true": "!0", "false": "!1", "undefined": "void 0", "const": "let"}
_BEFORE_REGEX = set("(,=:[!&|?{};+-*%<>~^\n")  # after these a slash begins a regular expression


def compact_script(text: str) -> str:
    """Return JavaScript without comments, indentation, or spaces around signs; line breaks stay where needed.

    Examples
    --------
    >>> compact_script("const a = (b) => {\\n  return b + 1; // more\\n};\\n")
    'let a=b=>{return b+1};'
    """
    made: list[str] = []
    gap = ""
    for kind, token in _tokens(text):
        if kind == "gap":
            gap = "\n" if "\n" in gap + token else " "
            continue
        if gap == "\n" and made and not (made[-1][-1] in "{;,(" or token == "}"):
            made.append("\n")
        elif gap and made and _needs_space(made[-1][-1], token[0]):
            made.append(" ")
        gap = ""
        if token == "}" and made and made[-1] == ";":  # no statement of ours is empty
            made.pop()
        made.append(_SHORTER.get(token, token))
        if token == ">" and made[-5:-4] == ["("] and made[-3:-1] == [")", "="] and made[-4].isidentifier():
            made[-5:-2] = (
                [" ", made[-4]] if made[:-5] and _needs_space(made[-6][-1], made[-4][0]) else [made[-4]]
            )
    return "".join(made)


def compact_style(text: str) -> str:
    """Return CSS without comments, line breaks, and spaces, last semicolons and & of descendants that mean nothing.

    Examples
    --------
    >>> compact_style("a:hover, b > c {\\n  margin: 0 1px; /* none */\\n}\\n")
    'a:hover,b > c{margin:0 1px}'
    """
    text = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
    text = re.sub(r" ?([{};,]) ?", r"\1", text)
    text = re.sub(r"(?<=[{;},])& (?=[.\[:#])|;(?=\})", "", text)
    return re.sub(r"(?<=[\w-]): ", ":", text).strip()


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Yield the parts of a program: gaps (spaces and comments), and all else as it is."""
    i, last = 0, "\n"
    while i < len(text):
        if found := _SPACE.match(text, i):
            yield "gap", found[0]
        elif found := _COMMENT.match(text, i):
            yield "gap", "\n" if "\n" in found[0] else " "
        elif text[i] == "`":
            token = text[i : _end_of_template(text, i)]
            yield "code", token
            i, last = i + len(token), "`"
            continue
        elif (
            found := _STRING.match(text, i)
            or (last in _BEFORE_REGEX and _REGEX.match(text, i))
            or _WORD.match(text, i)
        ):
            yield "code", found[0]
            last = ";" if found[0] in ("return", "typeof", "case") else found[0][-1]
        else:
            yield "code", text[i]
            last = text[i]
        i = found.end() if found else i + 1


def _end_of_template(text: str, start: int) -> int:
    """Return where a template literal ends, with those inside its ``${...}``."""
    i = start + 1
    while text[i] != "`":
        if text[i] == "\\":
            i += 1
        elif text.startswith("${", i):
            i, depth = i + 2, 1
            while depth:
                if text[i] == "`":
                    i = _end_of_template(text, i)
                    continue
                if found := _STRING.match(text, i):
                    i = found.end()
                    continue
                depth += (text[i] == "{") - (text[i] == "}")
                i += 1
            continue
        i += 1
    return i + 1


def _needs_space(left: str, right: str) -> bool:
    is_name = (left.isalnum() or left in "_$.") and (right.isalnum() or right in "_$.")
    return is_name or (left == right and left in "+-/") or (left in "+-" and right in "+-")
