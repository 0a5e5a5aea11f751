"""What the reader of foreign files makes of every failure."""

import warnings

import pytest
from tests.every import every

from pellucid.data.readers.reading import reading
from pellucid.errors import DataError, OptionError


@every("failure", [KeyError("x"), RuntimeError("x"), SyntaxError("x"), RecursionError("x")])
def test_any_exception_becomes_one_of_ours(failure: Exception) -> None:
    message = r"^a\.bin: expected a widget, but cannot read it \(.*x.*\)\. Try b\.$"
    with pytest.raises(DataError, match=message) as caught, reading("a.bin", "a widget", "Try b."):
        raise failure
    assert caught.value.__cause__ is failure


@every("failure", [OptionError("x"), KeyboardInterrupt()])
def test_our_own_errors_and_interrupts_pass(failure: BaseException) -> None:
    with pytest.raises(type(failure)) as caught, reading("a.bin", "a widget", "Try b."):
        raise failure
    assert caught.value is failure


def test_the_memory_running_out_says_so() -> None:
    with pytest.raises(DataError, match="does not fit in memory"), reading("a.bin", "a widget", "Try b."):
        raise MemoryError


def test_warnings_are_silent_inside_and_as_before_outside() -> None:
    before = list(warnings.filters)
    with reading("a.bin", "a widget", "Try b."):
        warnings.warn("an error in this test suite, unless ignored", stacklevel=1)
    assert list(warnings.filters) == before
