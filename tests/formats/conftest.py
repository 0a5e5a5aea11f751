"""Fixtures for files that describe networks."""

import re
from pathlib import Path
from typing import Any

import pytest

from pellucid.errors import FormatError
from pellucid.formats.architecture import Architecture, load_architecture


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """A function from text to Architecture."""

    def read(text: str | bytes) -> Architecture:
        path = tmp_path / "net.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_architecture(path)

    return read


@pytest.fixture
def fault(load: Any) -> Any:
    """A function from text to the number of the line and the message; both are in one line, after the file."""

    def complaint(text: str | bytes) -> tuple[int, str]:
        with pytest.raises(FormatError) as error:
            load(text)
        message = str(error.value)
        assert "\n" not in message
        match = re.fullmatch(r".*net\.toml, line (\d+)(?:, column \d+)?: (.*)", message)
        assert match is not None, message
        return int(match[1]), match[2]

    return complaint
