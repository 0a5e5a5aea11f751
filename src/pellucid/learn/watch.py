"""Check again on every save: the next hint by a key, the next exercise when one is right."""

from collections.abc import Iterator
from pathlib import Path

from pellucid.learn.coach import check_folder, file_of
from pellucid.learn.exercise import all_exercises, exercise
from pellucid.learn.verdict import Verdict
from pellucid.text import plural
from pellucid.text_blocks import Block

KEYS = "h: next hint   n: next exercise   p: the one before   q: end"


class Watch:
    """The exercise that is worked on, and what has been said of it.

    Parameters
    ----------
    folder : str or Path
        That ``pellucid learn start`` has made.

    Attributes
    ----------
    number : int
        Of the exercise, among those of the folder.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.names = [one.name for one in all_exercises() if file_of(self.folder, one) is not None]
        self.number, self.n_hints = 0, 1
        self._verdict: Verdict | None = None
        self._seen: dict[str, float] = {}

    @property
    def name(self) -> str:
        """The exercise that is worked on."""
        return self.names[self.number]

    def begin(self) -> Iterator[Block]:
        """Check everything once, and go to the first exercise that is not right."""
        yield f"Checking {plural(len(self.names), 'exercise')} ..."
        verdicts = list(check_folder(self.folder, self.names))
        wrong = [number for number, verdict in enumerate(verdicts) if not verdict.is_right]
        yield f"{len(verdicts) - len(wrong)} of {len(verdicts)} right. {KEYS}"
        self.number = wrong[0] if wrong else 0
        self._seen = {name: self._saved(name) for name in self.names}
        self._verdict = verdicts[self.number]
        yield from self._tell()

    def look(self) -> Iterator[Block]:
        """Check the file that was saved since the last look, if one was."""
        for number, name in enumerate(self.names):
            if (saved := self._saved(name)) not in (0.0, self._seen[name]):
                self._seen[name] = saved
                self.number, self.n_hints = number, 1
                yield from self._check()

    def press(self, key: str) -> Iterator[Block]:
        """Do what a key asks for."""
        if key == "h" and self._verdict is not None:
            hints = self._verdict.hints
            self.n_hints += 1
            yield hints[self.n_hints - 1] if self.n_hints <= len(hints) else "There are no more hints."
        elif key in ("n", "p"):
            self.number = (self.number + (1 if key == "n" else -1)) % len(self.names)
            self.n_hints = 1
            yield from self._check()

    def _check(self) -> Iterator[Block]:
        self._verdict = next(iter(check_folder(self.folder, [self.name])))
        yield from self._tell()
        if self._verdict.is_right and self.number + 1 < len(self.names):
            self.number += 1
            self._verdict = next(iter(check_folder(self.folder, [self.name])))
            yield from self._tell()

    def _tell(self) -> Iterator[Block]:
        verdict = self._verdict
        if verdict is None:
            return
        yield from ("", f"{verdict.file}")
        if verdict.state == "wrong":
            yield f"{verdict.exercise}: {verdict.hints[0]}"
        else:
            yield f"{verdict.exercise}: {verdict.state}." if verdict.is_right else verdict.headline
        yield from (*verdict.remarks, *verdict.printed_lines())

    def _saved(self, name: str) -> float:
        """Return when an exercise's file was saved; 0 while there is none."""
        path = file_of(self.folder, exercise(name))
        try:
            return path.stat().st_mtime if path is not None else 0.0
        except OSError:
            return 0.0
