"""Many cases in one test, all failing ones reported."""

import copy
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pytest

# ``pytest.raises`` that sees no error fails with no Exception, and so does an ``every`` below another.
FAILURES = (Exception, pytest.fail.Exception, BaseExceptionGroup)


def every(names: str | tuple[str, ...], cases: Iterable[Any], *, ids: Any = None) -> Callable[[Any], Any]:
    """Do what ``pytest.mark.parametrize`` does, in one test: thousands of small cases cost no set-up each.

    Each case has the generator ``rng`` as the fixture gives it, and patches (``monkeypatch``) and a folder
    (``tmp_path``) of its own; other fixtures are shared, those with a folder too. Several stand above one another
    as ``parametrize`` does. Cases that skip are passed over; where all do, so does the test. ``ids`` names a case
    that fails: a function of a value, or a list of names.
    """
    keys = tuple(name.strip() for name in names.split(",")) if isinstance(names, str) else tuple(names)
    values = [case if len(keys) > 1 else (case,) for case in cases]
    labels = list(ids) if isinstance(ids, list | tuple) else [", ".join(map(ids or repr, v)) for v in values]

    def decorate(test: Any) -> Any:
        wanted = inspect.signature(test)

        @functools.wraps(test)
        def loop(*own: Any, **fixtures: Any) -> None:
            failures: dict[str, BaseException] = {}
            n_skipped = 0
            for number, (value, label) in enumerate(zip(values, labels, strict=True)):
                given = {**fixtures, **dict(zip(keys, value, strict=True))}
                with pytest.MonkeyPatch.context() as patch:
                    given |= {"monkeypatch": patch} if "monkeypatch" in fixtures else {}
                    given |= {"rng": copy.deepcopy(fixtures["rng"])} if "rng" in fixtures else {}
                    if "tmp_path" in fixtures:
                        given["tmp_path"] = fixtures["tmp_path"] / str(number)
                        given["tmp_path"].mkdir()
                    try:
                        test(*own, **given)
                    except pytest.skip.Exception as reason:
                        n_skipped += 1
                        if n_skipped == len(values):
                            raise reason
                    except FAILURES as error:
                        error.add_note(f"{', '.join(keys)} = {label}")
                        failures[f"{number + 1}. {label:.60}"] = error
            if failures:  # named in the message: a group that is printed leaves out some
                message = f"{len(failures)} of {len(values)} cases fail: {'; '.join(failures)}"
                raise BaseExceptionGroup(message, [*failures.values()])

        left = [parameter for name, parameter in wanted.parameters.items() if name not in keys]
        loop.__signature__ = wanted.replace(parameters=left)  # type: ignore[attr-defined]
        return loop

    return decorate
