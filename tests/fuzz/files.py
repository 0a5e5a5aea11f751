"""Damaged and forged files: commands do their work or say in three lines what is wrong, in little memory."""

import atexit
import contextlib
import functools
import io
import json
import re
import resource
import shutil
import signal
import struct
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from PIL import Image
from tests.fuzz.damage import (
    ARRAYS,
    BYTES,
    LINES,
    SCRAPS,
    TREES,
    VALUES,
    Damage,
    damage_bytes,
    damage_tree,
    of,
)
from tests.fuzz.search import Subject

from pellucid.cli.main import main

MOST_MEMORY = 300_000_000  # bytes that reading one small file may take at a time
MOST_SECONDS = 60

to_bytes = of(BYTES, st.sampled_from(SCRAPS))
to_lines = of(LINES, st.sampled_from(VALUES))
to_trees = of(TREES, st.sampled_from(VALUES))
to_arrays = of(ARRAYS, st.none())


@dataclass
class Damaged:
    """A file of a folder, what is done to it, and a command that reads it."""

    file: str
    damages: list[Damage]
    command: tuple[str, ...]


@functools.cache
def template() -> Path:
    """Return a folder with a whole file of each kind, made once for a process."""
    folder = Path(tempfile.mkdtemp(prefix="pellucid-fuzz-"))
    atexit.register(shutil.rmtree, folder)
    rng = np.random.default_rng(1)
    y = np.arange(24) % 2
    X = rng.integers(0, 120, (24, 16, 16, 3), dtype=np.uint8)
    X[y == 1] += 120
    names = np.array(["dark", "bright"])
    np.savez(folder / "photos.npz", X=X, y=y, classes=names)
    with h5py.File(folder / "photos.h5", "w") as file:
        file["train_set_x"], file["train_set_y"] = X, y
        file["list_classes"] = names.astype("S")
    for i, photo in enumerate(X[:12]):
        at = folder / "photos" / names[y[i]] / f"{i}.{KINDS[i % len(KINDS)]}"
        at.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo).save(at)
    cells = zip(rng.random(24), "uvw" * 8, np.where(y, "yes", "no"), strict=True)
    rows = [f"{a:.3f},{kind},{label}" for a, kind, label in cells]
    (folder / "rows.csv").write_text("\n".join(["size,kind,label", *rows]))
    for name in ("net.toml", "graph.toml"):
        shutil.copy(Path(__file__).parents[1] / "formats" / name, folder)
    with contextlib.chdir(folder):
        for command in (TRAIN, TRAIN_TABLE):
            assert run(*command.split()) == (0, "")
    return folder


def run(*arguments: str) -> tuple[int, str]:
    """Return the exit code of a command line, and what it printed on stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(arguments))
    return code, err.getvalue()


def check_file(case: Damaged) -> None:
    """Damage a file in a copy of the folder, and run the command there."""
    with tempfile.TemporaryDirectory() as copy, contextlib.chdir(copy):
        shutil.copytree(template(), copy, dirs_exist_ok=True)
        path = Path(copy, case.file)
        for damage in case.damages:
            apply(path, damage)
        with bounded() as taken:
            code, err = run(*case.command)
        assert taken() < MOST_MEMORY, f"it took {taken():,} bytes"
    assert code in (0, 1, 2), err
    assert (code == 2) == err.startswith("pellucid: "), err
    assert len(err.splitlines()) <= 3, err
    assert "Traceback" not in err
    assert all(letter.isprintable() or letter == "\n" for letter in err), repr(err)


@contextlib.contextmanager
def bounded() -> Iterator[Callable[[], int]]:
    """End the block where it takes too long or too much; yield what returns the bytes that it took at its peak."""

    def late(*_: Any) -> None:
        raise AssertionError(f"it took more than {MOST_SECONDS} s")

    before, peak = _memory("VmRSS"), 0
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins again
    limits = resource.getrlimit(resource.RLIMIT_AS)
    previous = signal.signal(signal.SIGALRM, late)
    signal.alarm(MOST_SECONDS)
    if before:
        resource.setrlimit(resource.RLIMIT_AS, (_memory("VmSize") + 3_000_000_000, limits[1]))
    try:
        yield lambda: peak
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
        resource.setrlimit(resource.RLIMIT_AS, limits)
        peak = _memory("VmHWM") - before


def _memory(name: str) -> int:
    """Return an entry of this process's status in bytes; 0 where the system has none."""
    try:
        found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        return 0
    return 1024 * int(found[1]) if found else 0


def apply(path: Path, damage: Damage) -> None:
    """Damage a file in place."""
    if damage.how in BYTES or damage.how in LINES:
        path.write_bytes(damage_bytes(path.read_bytes(), damage))
    elif damage.how in TREES:
        _damage_header(path, damage)
    elif path.suffix == ".npz":
        _damage_npz(path, damage)
    else:
        _damage_h5(path, damage)


def _damage_header(path: Path, damage: Damage) -> None:
    """Change an entry of a JSON file, or of the JSON in the header of a safetensors file."""
    data = path.read_bytes()
    if path.suffix == ".json":
        path.write_text(json.dumps(damage_tree(json.loads(data), damage)))
        return
    try:
        (size,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + size])
        inner = {key: json.loads(text) for key, text in header["__metadata__"].items()}
        inner = damage_tree(inner, damage)
        whole = {**header, "__metadata__": {key: json.dumps(value) for key, value in inner.items()}}
    except Exception:  # another damage has been here
        return
    text = json.dumps(whole).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size :])


def _damage_npz(path: Path, damage: Damage) -> None:
    """Put another array instead of one."""
    try:
        with open(path, "rb") as stream, np.load(stream) as file:
            arrays = dict(file)
    except Exception:  # another damage has been here
        return
    name = sorted(arrays)[int(len(arrays) * damage.place)]
    arrays[name] = _other(arrays[name], damage)
    np.savez(path, **arrays)


def _damage_h5(path: Path, damage: Damage) -> None:
    try:
        with h5py.File(path, "a") as file:
            name = sorted(file)[int(len(file) * damage.place)]
            other = _other(file[name][...], damage)
            del file[name]
            file[name] = other.astype("S") if other.dtype.kind == "U" else other
    except Exception:  # another damage has been here, or HDF5 has no such arrays
        return


def _other(array: Any, damage: Damage) -> Any:
    if array.dtype.kind not in "biuf" or not array.size or array.ndim == 0:
        array = np.arange(12)
    with np.errstate(all="ignore"):
        return ARRAYS[damage.how](array)


def damaged(damages: SearchStrategy[Damage], readers: dict[str, list[str]]) -> SearchStrategy[Damaged]:
    """Return a strategy for one of these files, damaged once or twice, and one of the commands that read it."""
    some = st.lists(damages, min_size=1, max_size=2)
    pairs = [(file, tuple(command.split())) for file, commands in readers.items() for command in commands]
    return st.builds(lambda pair, damages: Damaged(pair[0], damages, pair[1]), st.sampled_from(pairs), some)


BRIEF = "--epochs 2 --checkpoint-steps 1 --quiet"
TRAIN = f"train photos.npz --model mlp-wide --out run {BRIEF}"
TRAIN_TABLE = f"train rows.csv --target label --model mlp-wide --out table {BRIEF}"
KINDS = ("png", "jpg", "gif", "tif", "bmp")
PHOTOS = [f"photos/{('dark', 'bright')[i % 2]}/{i}.{kind}" for i, kind in enumerate(KINDS)]


def data_commands(source: str, *more: str) -> list[str]:
    """Return the commands that read a data set."""
    return [
        f"data info {source}",
        f"data check {source}",
        f"train {source} --model logistic --out new {BRIEF}",
        *more,
    ]


READERS: dict[str, tuple[int, SearchStrategy[Damage], dict[str, list[str]]]] = {
    "damaged models": (
        72,
        to_bytes | to_trees | to_trees,
        {
            "run/model.safetensors": [f"predict run {PHOTOS[0]}", "model show run/model.safetensors"],
            "table/model.safetensors": ["predict table rows.csv", "evaluate table rows.csv --json"],
        },
    ),
    "damaged checkpoints": (
        48,
        to_bytes | to_trees | to_trees,
        {"run/checkpoints/step-00000002.checkpoint": [f"{TRAIN} --resume"]},
    ),
    "damaged run folders": (
        48,
        to_bytes | to_lines,
        {
            f"run/{name}": [f"{TRAIN} --resume", "evaluate run photos.npz", f"predict run {PHOTOS[0]}"]
            for name in ("config.toml", "metrics.json", "history.csv", "history.jsonl")
        },
    ),
    "damaged networks": (
        72,
        to_bytes | to_lines | to_lines,
        {name: [f"model show {name}", f"model show {name} --json"] for name in ("net.toml", "graph.toml")},
    ),
    "damaged tables": (
        48,
        to_bytes | to_lines,
        {"rows.csv": [*data_commands("rows.csv --target label"), "predict table rows.csv"]},
    ),
    "damaged arrays": (
        48,
        to_bytes | to_arrays | to_arrays,
        {"photos.npz": data_commands("photos.npz", "evaluate run photos.npz")},
    ),
    "damaged HDF5 files": (60, to_bytes | to_arrays | to_arrays, {"photos.h5": data_commands("photos.h5")}),
    "damaged photos": (
        36,
        to_bytes,
        {photo: data_commands("photos", f"predict run {photo}") for photo in PHOTOS},
    ),
}
SUBJECTS = {
    name: Subject(damaged(damages, readers), check_file, n_cases)
    for name, (n_cases, damages, readers) in READERS.items()
}
