"""ES modules as one: what a page carries inline, since browsers refuse module files from ``file://``."""

import re
from collections.abc import Mapping

IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=const |let |function |async function |class )", re.MULTILINE)
NAME = re.compile(r"^(?:export )?(?:const|let|(?:async )?function|class) (\w+)", re.MULTILINE)


def join_modules(modules: Mapping[str, str], entry: str) -> str:
    """Return a module and those that it imports as one text without imports or exports, each once, lowest first.

    Parameters
    ----------
    modules : mapping of str to str
        The text of each, by its file name. They import by ``import { name } from "./file.js";``, export
        declarations in place (``export function ...``), and share one namespace: no two declare the same name.
    entry : str

    Raises
    ------
    ValueError
        If modules import one another in a circle, or declare a name twice: a fault of ours.

    Examples
    --------
    >>> low, high = "export const one = 1;\\n", 'import { one } from "./low.js";\\nexport const two = one + one;\\n'
    >>> print(join_modules({"low.js": low, "high.js": high}, "high.js"), end="")
    const one = 1;
    const two = one + one;
    """
    found: dict[str, str] = {}
    _add(modules, entry, found, ())
    text = "".join(found.values())
    names = NAME.findall(text)
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{entry}: declared twice in its modules: {sorted(twice)}")
    return text


def _add(modules: Mapping[str, str], name: str, found: dict[str, str], above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"modules import one another: {' -> '.join([*above, name])}")
    if name in found:
        return
    for lower in IMPORT.findall(modules[name]):
        _add(modules, lower, found, (*above, name))
    found[name] = EXPORT.sub("", IMPORT.sub("", modules[name]))
