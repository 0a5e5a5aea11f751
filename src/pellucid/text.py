"""Text helpers, one of each: lists in words, plurals, percentages, signs, and names that are safe to print."""

import math
import re
from collections.abc import Iterable, Sequence

_UNBROKEN = re.compile(
    r"(?<=[\d?]) (?=%|(?:m?s|[kMG]?B)\b)"  # 26 %, 4 ms, 2.32 MB
    r"|(?<=[<>]) (?=\d)|(?<=\bp) (?=[=<])|(?<=\bp =) "  # > 99 %, p < 0.001, p = 0.2
)


def join(words: Sequence[str], last: str = "and") -> str:
    """Return words as an English list.

    Examples
    --------
    >>> join(["red", "green", "blue"]), join(["red", "blue"], last="or"), join(["red"])
    ('red, green and blue', 'red or blue', 'red')
    """
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def plural(n: int, noun: str, many: str = "") -> str:
    """Return a number with its noun, in the plural where it is not 1.

    Examples
    --------
    >>> plural(1, "photo"), plural(1200, "photo"), plural(2, "class", "classes")
    ('1 photo', '1,200 photos', '2 classes')
    """
    return f"{n:,} {noun if n == 1 else many or noun + 's'}"


def placed(place: str, name: str = "") -> str:
    """Return where a sample is: its place, behind its name where it has one.

    Examples
    --------
    >>> placed("test photo 17", "cats/tom.jpg"), placed("test photo 17")
    ('cats/tom.jpg (test photo 17)', 'test photo 17')
    """
    return f"{printable(name)} ({place})" if name else place


def capitalized(sentence: str) -> str:
    """Return a sentence that begins with a capital, unless it begins with the name of a file.

    Examples
    --------
    >>> capitalized("test photo 17 is a 'cat'."), capitalized("cats/tom.jpg (test photo 17) is a 'cat'.")
    ("Test photo 17 is a 'cat'.", "cats/tom.jpg (test photo 17) is a 'cat'.")
    """
    first = sentence.split(" ", 1)[0]
    return sentence if not first.isalpha() else sentence[:1].upper() + sentence[1:]


def shorten(text: str, longest: int) -> str:
    """Return a text on one line of at most ``longest`` characters, cut with an ellipsis if it was longer.

    Examples
    --------
    >>> shorten("a very long name", 8)
    'a very …'
    """
    line = visible(" ".join(text.split()))
    return line if len(line) <= longest else line[: longest - 1] + "…"


def kind_of(value: object) -> str:
    """Return what a value is, for a message, without printing it: its type, and a text itself.

    Examples
    --------
    >>> kind_of("photo.jpg"), kind_of(3), kind_of([1, 2])
    ("the text 'photo.jpg'", 'an int', 'a list')
    """
    if isinstance(value, str):
        return f"the text {shorten(repr(value), 80)}"
    shape = getattr(value, "shape", None)
    name = "array" if shape is not None and hasattr(value, "__array__") else type(value).__name__
    if value is None:
        return "None"
    of_shape = f" of shape {shape}" if isinstance(shape, tuple) else ""
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}{of_shape}"


def shown(value: object, longest: int = 80) -> str:
    """Return a value for a message: its repr, shortened; of an array its shape and dtype.

    Examples
    --------
    >>> shown("relu"), shown(list(range(99)), 12)
    ("'relu'", '[0, 1, 2, 3…')
    """
    shape, dtype = getattr(value, "shape", ()), getattr(value, "dtype", None)
    if shape and dtype is not None:
        return f"an array of shape {shape}, {dtype}"
    return shorten(repr(value), longest)


def percent(fraction: float, digits: int = 0) -> str:
    """Return a fraction in percent; one that is not quite 0 or 100 % is not rounded to it.

    Examples
    --------
    >>> percent(0.973), percent(0.9999), percent(1.0), percent(0.0001)
    ('97 %', '> 99 %', '100 %', '< 1 %')
    >>> percent(0.973, 1), percent(0.9999, 1)
    ('97.3 %', '> 99.9 %')
    """
    if math.isnan(fraction):
        return "? %"
    least = 10.0**-digits
    if fraction < 1 and round(100 * fraction, digits) == 100:
        return f"> {100 - least:.{digits}f} %"
    if fraction > 0 and round(100 * fraction, digits) == 0:
        return f"< {least:.{digits}f} %"
    return f"{100 * fraction:.{digits}f} %"


def unbroken(words: str) -> str:
    """Return a text whose numbers stay on one line with their signs and units, by no-break spaces.

    Examples
    --------
    >>> unbroken("Over 9 % in 26.40 s, p < 0.01; > 4 of 5 samples.")
    'Over 9\\xa0% in 26.40\\xa0s, p\\xa0<\\xa00.01; >\\xa04 of 5 samples.'
    """
    return _UNBROKEN.sub("\u00a0", words)


def signed(value: float, digits: int = 2) -> str:
    """Return a number with a minus sign as long as a plus, and none before zeros.

    Examples
    --------
    >>> signed(-0.123), signed(-0.001)
    ('−0.12', '0.00')
    """
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def in_seconds(seconds: float) -> str:
    """Return how long something took: in milliseconds where it is less than a tenth of a second.

    Examples
    --------
    >>> in_seconds(4.75), in_seconds(0.0042), in_seconds(0.0)
    ('4.75 s', '4 ms', '< 1 ms')
    """
    if seconds >= 0.1:
        return f"{seconds:.2f} s"
    return f"{1000 * seconds:.0f} ms" if seconds >= 0.0005 else "< 1 ms"


def in_minutes(seconds: float) -> str:
    """Return a duration as it is estimated.

    Examples
    --------
    >>> in_minutes(40), in_minutes(62), in_minutes(150), in_minutes(9000), in_minutes(36000)
    ('40 seconds', '1 minute', '2.5 minutes', '2.5 hours', '10 hours')
    """
    n, unit = next(
        (seconds / size, name)
        for size, name in ((3600, "hour"), (60, "minute"), (1, "second"))
        if seconds >= size or size == 1
    )
    words = f"{n:.0f}" if n >= 10 or abs(n - round(n)) < 0.1 else f"{n:.1f}"
    return f"{words} {unit}{'' if words == '1' else 's'}"


def scaled(n: int, unit: str = "") -> str:
    """Return a number in three digits with the prefix of its thousands.

    Examples
    --------
    >>> scaled(59_107_008), scaled(2_316_676, "B"), scaled(388, "B"), scaled(97)
    ('59.1 M', '2.32 MB', '388 B', '97')
    """
    value, prefix = float(n), ""
    for larger in ("k", "M", "G", "T"):
        if abs(value) < 999.5:
            break
        value, prefix = value / 1000, larger
    digits = f"{value:.{max(0, 3 - len(str(int(abs(value)))))}f}" if prefix else str(n)
    return f"{digits} {prefix}{unit}".rstrip()


def by(shape: Sequence[int]) -> str:
    """Return a shape in words, ``64 × 64 × 3``."""
    return " × ".join(str(n) for n in shape)


def first_line(error: Exception) -> str:
    """Return what an exception says, in one short line.

    Examples
    --------
    >>> first_line(ValueError("bad magic number\\nand a long story"))
    'bad magic number'
    >>> first_line(EOFError())
    'EOFError'
    """
    if isinstance(error, OSError) and error.strerror:
        return printable(error.strerror).lower()
    lines = str(error).strip().splitlines()
    return printable(lines[0]) if lines else type(error).__name__


def visible(text: str) -> str:
    """Return a text without what a terminal obeys instead of showing: every control character but the line break.

    Names of files and classes come from outside: the escape that begins a colour, or one that writes another text
    over this one, becomes "?", and so does a letter that no encoding has. Other spaces become plain ones.

    Examples
    --------
    >>> visible("cat\\x1b[2J\\tand\\u202edog")
    'cat?[2J and?dog'
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter == "\n" else " " if letter.isspace() else "?"
        for letter in text
    )


def one_line(text: str) -> str:
    """Return a text as :func:`visible` does, and on one line."""
    return visible(text).replace("\n", "?")


def printable(text: str) -> str:
    """Return a name or message from outside as safe to print on one line: visible, and not long.

    Examples
    --------
    >>> printable("train\\nset")
    'train?set'
    """
    text = one_line(text)
    return text if len(text) <= 120 else text[:117] + "..."


def join_some(items: Iterable[object], most: int = 6) -> str:
    """Return the items joined by commas, with the number of those left out of a long list.

    Examples
    --------
    >>> join_some(range(9), most=3)
    '0, 1, 2 and 6 more'
    >>> join_some([])
    'none'
    """
    words = [printable(str(item)) for item in items]
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more if words else "none"


def p_in_words(p_value: float) -> str:
    """Return a p-value with as many digits as a reader needs.

    Examples
    --------
    >>> p_in_words(0.0004), p_in_words(0.0213), p_in_words(0.55)
    ('p < 0.001', 'p = 0.021', 'p = 0.55')
    """
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}" if p_value < 0.2 else f"p = {p_value:.2f}"
