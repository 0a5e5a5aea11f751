"""A script reads photos as pellucid does, bit for bit, and says in a line what it cannot read."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.every import every

import pellucid as pl
from pellucid.data.readers.images import read_sample
from pellucid.errors import DataError, PellucidError
from pellucid.formats.script.photos import read_photo
from pellucid.formats.script.write import export_script

RNG = np.random.default_rng(3)


def pixels(height: int, width: int, *channels: int) -> np.ndarray:
    return RNG.integers(0, 256, (height, width, *channels), np.uint8)


def zoo(folder: Path) -> list[Path]:
    """Write pictures of every kind that reads in a way of its own."""
    found = []

    def save(name: str, image: Image.Image, **options: object) -> None:
        image.save(folder / name, **options)
        found.append(folder / name)

    for mark in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = mark
        save(f"turned-{mark}.jpg", Image.fromarray(pixels(101, 157, 3)), exif=exif)
    save("large.jpg", Image.fromarray(pixels(257, 401, 3)))
    save("progressive.jpg", Image.fromarray(pixels(130, 200, 3)), progressive=True)
    save("cmyk.jpg", Image.fromarray(pixels(40, 50, 4), "CMYK"))
    save("grey.jpg", Image.fromarray(pixels(90, 91)))
    save("alpha.png", Image.fromarray(pixels(20, 31, 4)))
    save("grey-alpha.png", Image.fromarray(pixels(20, 31, 2), "LA"))
    save("palette.png", Image.fromarray(pixels(20, 31, 3)).quantize(9))
    save("clear.png", Image.fromarray(pixels(20, 31, 3)).quantize(9), transparency=2)
    save("bits.png", Image.fromarray(pixels(20, 31) > 99))
    save("deep.png", Image.fromarray(RNG.integers(0, 65536, (20, 31), np.uint16)))
    save("float.tiff", Image.fromarray(RNG.random((20, 31), np.float32)))
    more = [Image.new("RGB", (31, 20))]
    save("moving.gif", Image.fromarray(pixels(20, 31, 3)), save_all=True, append_images=more)
    save("same.png", Image.fromarray(pixels(16, 12, 3)))
    save("web.webp", Image.fromarray(pixels(20, 31, 3)))
    return found


@every("shape", [(16, 12, 3), (16, 12, 1), (16, 12)])
def test_every_kind_of_picture(shape: tuple[int, ...], tmp_path: Path) -> None:
    for path in zoo(tmp_path):
        np.testing.assert_array_equal(read_photo(path, shape), read_sample(path, shape), err_msg=path.name)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    Image.fromarray(pixels(40, 50, 3)).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:900])
    (tmp_path / "text.jpg").write_text("no image")
    (tmp_path / "empty.jpg").touch()
    for name, words in [
        ("cut.png", "cut off"),
        ("text.jpg", "no format"),
        ("empty.jpg", "an empty file"),
        ("none.jpg", "no such file"),
        (".", "a folder"),
    ]:
        with pytest.raises(DataError, match=words):
            read_photo(tmp_path / name, (8, 8, 3))
        with pytest.raises(PellucidError):
            read_sample(tmp_path / name, (8, 8, 3))
    with pytest.raises(DataError, match="expected pixels"):
        read_photo(np.zeros((3, 3)), (8, 8, 3))


def test_damaged_files_read_alike_or_not_at_all(tmp_path: Path) -> None:
    names = ["turned-6.jpg", "palette.png", "grey-alpha.png", "moving.gif", "web.webp", "float.tiff"]
    whole = [path.read_bytes() for path in zoo(tmp_path) if path.name in names]
    rng, n_read = np.random.default_rng(1), 0
    for i in range(120):
        content = bytearray(whole[i % len(whole)])
        for place in rng.integers(0, min(len(content), 600), 3):
            content[place] = rng.integers(0, 256)
        path = tmp_path / "damaged"
        path.write_bytes(bytes(content[: rng.integers(1, len(content))] if i % 3 == 0 else content))
        try:
            expected = read_sample(path, (16, 12, 3))
        except PellucidError:
            with pytest.raises(DataError):
                read_photo(path, (16, 12, 3))
            continue
        n_read += 1
        np.testing.assert_array_equal(read_photo(path, (16, 12, 3)), expected)
    assert 20 < n_read < 110


def test_a_picture_beyond_the_limit_of_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("L", (50, 50)).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)
    with pytest.raises(DataError, match=r"larger than 2,000 pixels"):
        read_photo(tmp_path / "large.png", (8, 8, 3))


def test_the_command_of_a_script(tmp_path: Path) -> None:
    cats = pl.load_data("drawn-cats")
    model = pl.preset("logistic")
    pl.train(model, cats.train, n_epochs=5)
    script = tmp_path / "predict.py"
    assert export_script(model, script, samples=cats.test.X[:3]) <= 1e-5
    Image.fromarray(cats.test.X[0]).save(tmp_path / "cat.png")
    (tmp_path / "bad.jpg").write_text("no image")
    watched = "import sys, runpy; sys.argv = sys.argv[1:]\n"
    watched += "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
    watched += "finally: print({n.split('.')[0] for n in sys.modules} & {'pellucid', 'scipy', 'argparse'})"

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    done = run("-c", watched, "predict.py", "cat.png", "bad.jpg")
    label = model.classes[int(model.predict(cats.test.X[:1])[0])]
    share = model.predict_proba(cats.test.X[:1]).max()
    assert done.stdout.splitlines() == [f"cat.png: {label} ({100 * share:.1f} %)", "set()"]
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["bad.jpg: expected an image, found no format that Pillow reads."]
    plain = run("predict.py")
    assert plain.returncode == 2
    assert plain.stderr == "Usage: python predict.py photo.jpg [more.png ...] [--json]\n"
    assert run("predict.py", "--jsno").stderr.startswith(
        "there is no option --jsno. Usage: python predict.py"
    )
