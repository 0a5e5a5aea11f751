"""An exercise as a notebook: its text, its start, and a cell that asks the coach."""

import json
from pathlib import Path
from typing import Any

from pellucid.errors import DataError
from pellucid.learn.exercise import COMMON, Exercise

ASKS = "learn.check"  # stands in the cell that asks the coach, which is no part of the learner's code


def notebook(of: Exercise) -> str:
    """Return the text of a notebook's file.

    Examples
    --------
    >>> from pellucid.learn.exercise import exercise
    >>> [cell["cell_type"] for cell in json.loads(notebook(exercise("relu")))["cells"]]
    ['markdown', 'code', 'code']
    """
    code = of.start.partition('"""\n\n')[2]
    title, _, rest = of.text.partition("\n")
    text, _, example = rest.partition(">>>")
    words = f"# {of.number}. {of.name}\n\n**{title}**\n{text.rstrip()}\n"
    words += f"\n```python\n>>>{example.rstrip()}\n```\n" if example else ""
    words += f"\n{COMMON}\n"
    asks = f"import pellucid as pl\n\npl.{ASKS}({of.name})"
    cells = [
        {"cell_type": "markdown", "id": "text", "metadata": {}, "source": words},
        _code("mine", code.rstrip()),
        _code("coach", asks),
    ]
    about = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return (
        json.dumps({"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"
    )


def _code(name: str, source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {},
        "outputs": [],
        "source": source,
    }


def code_of(path: Path, text: str) -> str:
    """Return the learner's code of a notebook; a cell that asks the coach is left out."""
    try:
        cells = json.loads(text)["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        raise DataError(f"learn: {path} is no notebook. Save it again, or write a .py file.") from None
    return "\n\n".join(source for source in sources if ASKS not in source) + "\n"
