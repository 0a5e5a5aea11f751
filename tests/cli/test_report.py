"""`pellucid report`: what it finds in a run folder, what it writes there, and what bad input gets."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.commands import Command, assert_refused, files_of, words_of
from tests.conftest import save_folder
from tests.every import every

from pellucid.formats.safetensors import load
from pellucid.reporting.findings import chosen_samples
from pellucid.runs.data import find_training_photos
from pellucid.runs.run import read_run

PAGE = Path("out/report.html")
OF_PHOTOS = {"Mistakes and hits", "Where does it look?", "Which changes does it withstand?"}
OF_FULL = ["Is the data sound?", "Every score and its interval", "Why did it predict that?"]


def titles_of(report: Path) -> list[str]:
    return re.findall(r"<h2 id=\"title-\d+\">\d+\. ([^<]+)</h2>", report.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_short_report_comes_back_as_run_wrote_it(pellucid: Command, trained: Path) -> None:
    before = files_of(trained)
    done = pellucid.ok("report", trained)
    assert done.out.startswith(f"Report: {trained / 'report.html'}\nToo few test samples to tell: 4 of 8 ")
    assert re.search(r"^in all +\d+\.\d\d s$", done.err, flags=re.MULTILINE)
    assert files_of(trained) == before  # nothing got lost on the way to disk
    out = trained.parent / "elsewhere"
    assert pellucid.ok("report", trained, "-o", out, "--quiet").out == f"{out / 'report.html'}\n"
    assert files_of(trained) == before
    assert_refused(pellucid("report", trained, "-o", out), "--overwrite")
    said = pellucid.json("report", trained, "-o", out, "--overwrite")
    assert (said["report"], said["n_bytes"]) == (str(out / PAGE.name), (out / PAGE.name).stat().st_size)
    assert said["seconds"]["page"] >= 0


@pytest.mark.slow
def test_the_full_report_adds_its_sections(trained_once: Path, full_report: tuple[Path, str]) -> None:
    folder, said = full_report
    report = folder / "report.html"
    short, titles = titles_of(trained_once / "report.html"), titles_of(report)
    assert [title for title in titles if title in short] == short
    assert {*OF_FULL, *OF_PHOTOS} <= {*titles}
    page = report.read_text(encoding="utf-8")
    assert len(re.findall(r"<figcaption><b>Figure \d+\.</b> [^<]{10,}", page)) == page.count("<img ")
    assert page.count("<img ") == len(re.findall(r'<img [^>]*alt="[^"]{10,}"', page))
    assert page.count("data:image/") == page.count("<img ") + 1  # and the sheet of photos, once
    assert "untrained network" in words_of(report)  # the check that saliency maps need
    strips = [path.stat().st_size for path in (folder / "figures").glob("saliency-*.png")]
    assert len(strips) == 2  # the first photo's maps are in a figure of their own
    captions = re.findall(r"<figcaption><b>Figure \d+\.</b> (.*?)</figcaption>", page)
    assert len({*captions}) == len(captions)
    # The maps of 7 more photos, and words
    for_ten = report.stat().st_size + 7 * (4 / 3 * max(strips) + 20_000)
    assert for_ten < 5_000_000
    for section in ("robustness", "saliency", "page"):
        assert re.search(rf"^{section} +\d+\.\d\d s$", said, flags=re.MULTILINE)


def test_the_page_shows_every_test_photo_behind_its_cell(pellucid: Command, trained: Path) -> None:
    run = read_run(trained)
    page, y, found = (trained / "report.html").read_text(), run.split.test.y, run.test_predictions.y_pred
    assert not {"http://", "https://"} & {*re.findall(r"https?://", page)}
    assert "was trained on 32 photos to tell" in page
    for i, row in enumerate(run.test_confusion.counts):
        for j, n in enumerate(row):
            inside = re.search(rf'id="cell-{i}-{j}" .*?</ul>', page, flags=re.DOTALL)
            assert (inside is None) == (n == 0)
            if inside is not None:
                shown = {int(at) for at in re.findall(r'aria-label="test photo (\d+),', inside[0])}
                assert shown == set(np.flatnonzero((y == i) & (found == j)).tolist())
                assert f'href="#cell-{i}-{j}"' in page
    rows = chosen_samples(run.test_predictions, 5)  # that --full explains: the surest mistakes first
    wrong = ~run.test_predictions.is_correct
    assert [*wrong[rows]] == sorted(wrong, reverse=True)[:5]
    assert len({*rows}) == 5


@pytest.mark.slow
def test_many_classes_and_grey_pictures_without_a_channel(pellucid: Command) -> None:
    X = np.random.default_rng(1).integers(0, 256, (300, 5, 7), dtype=np.uint8)
    np.savez("many.npz", X=X, y=np.arange(300) % 30, classes=[f"kind {i}" for i in range(30)])
    pellucid.ok("run many.npz --epochs 3 --out out --quiet")
    page = PAGE.read_text(encoding="utf-8")
    assert "Mistakes and hits" in titles_of(PAGE)
    assert 'class="pairs"' in page  # too many for a matrix: the commonest mistakes instead
    assert 'class="matrix' not in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


@pytest.mark.slow
def test_tables_get_a_report_without_what_needs_photos(pellucid: Command, rng: np.random.Generator) -> None:
    rows = [f"{a:.3f},{b:.3f},{'up' if a > b else 'down'}" for a, b in rng.standard_normal((60, 2))]
    Path("t.csv").write_text("\n".join(["a,b,kind", *rows]) + "\n")
    done = pellucid.ok("run t.csv --target kind --epochs 20 --out out")
    assert "48 training rows and 12 for the test, of 2 numbers" in done.out
    assert "image" not in done.out
    for is_full in (False, True):  # first, what run wrote
        if is_full:
            pellucid.ok("report out --full")
        titles = titles_of(PAGE)
        assert {"Which class is taken for which?", "The columns"} <= {*titles}
        assert not OF_PHOTOS & {*titles}
        assert "photo" not in words_of(PAGE).replace("photos, ", "").lower()
    assert OF_FULL[0] in titles


@pytest.mark.slow
def test_a_regression_is_run_and_reported_from_end_to_end(
    pellucid: Command, rng: np.random.Generator
) -> None:
    a, b, sort = rng.standard_normal(120), rng.standard_normal(120), rng.choice(["red", "white"], 120)
    quality = 500 + 100 * (2 * a - b + 3 * (sort == "red") + 0.1 * rng.standard_normal(120))  # far from 0
    lines = [f"{x:.3f},{y:.3f},{z},{q:.3f}" for x, y, z, q in zip(a, b, sort, quality, strict=True)]
    Path("wine.csv").write_text("\n".join(["acid,sugar,sort,quality", *lines]) + "\n")
    options = "--model mlp-wide --epochs 30 --loss mean_squared_error --validation 0.2 --out out"
    done = pellucid.ok(f"run wine.csv --target quality {options}")
    assert re.search(r"^Test: mean absolute error \d+\.\d+, root mean squared error", done.out, re.MULTILINE)
    assert "The target: numbers from" in done.out
    scores = json.loads(Path("out/metrics.json").read_text())["test"]
    assert scores["r_squared"] > 0.7
    told = ("R²", "Root mean squared error", "Baseline", "Residuals", "predictions furthest off")
    told += ("Baseline (root mean squared error of the mean)", "True minus predicted")
    told += ("below the baseline (the mean)", "3 columns to predict from")
    for is_full in (False, True):  # first, what run wrote
        if is_full:
            pellucid.ok("report out --full --quiet")
        words = words_of(PAGE)
        assert f"Mean absolute error {scores['mean_absolute_error']:.0f} (" in words
        assert not [term for term in told if term.lower() not in words.lower()]
        strays = ("photo", "class", "accuracy", "guessing")
        assert not [stray for stray in strays if stray in words.replace("classified", "").lower()]
    figures = {path.stem for path in Path("out/figures").glob("*.png")}
    assert {"residuals", "columns", "targets", "cost"} <= figures


@pytest.mark.slow
def test_data_are_loaded_as_they_were_and_found_again_where_they_went(
    pellucid: Command, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = rng.integers(0, 256, (30, 4, 4, 3), dtype=np.uint8), np.arange(30) % 2
    np.savez("odd.npz", things=X, kinds=y)
    pellucid.ok("train odd.npz --x-key things --y-key kinds --epochs 2 --out out --quiet")
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")  # the place is kept whole, not as it was typed
    out, odd = Path("../out"), Path("../odd.npz").resolve()
    pellucid.ok("report", out)
    assert "Figure 1." in words_of(out / "report.html")  # though it was trained alone
    metrics = json.loads((out / "metrics.json").read_text())
    for said in ([1], {"path": 7, "reading": [1]}, {"reading": {"image_size": 5, "skip_bad": "yes"}}):
        (out / "metrics.json").write_text(json.dumps({**metrics, "data": said}))  # believed where it can be
        assert len(read_run(out, data=str(odd)).split.train) == 24
    shutil.move(odd, "moved.npz")
    before = files_of(out)
    assert_refused(pellucid("report", out), str(odd), "--data")
    assert files_of(out) == before
    pellucid.ok("report", out, "--data", "moved.npz")
    np.savez("moved.npz", things=X // 2, kinds=y)
    words = "is not what this run saw"
    assert_refused(pellucid("report", out, "--data", "moved.npz"), words, "--other-data")
    pellucid.ok("report", out, "--data", "moved.npz", "--other-data")
    assert "Mind that the" in words_of(out / "report.html")


@every(
    ("name", "content", "told"),
    [
        ("model.safetensors", b"no model", "not a whole"),
        ("history.jsonl", b'{"epoch": 0, "loss": 0.5}\n{"epoch": 1, "lo', "history.jsonl, line 2: not a rec"),
        ("history.jsonl", b"[1, 2]\n", "line 1: not a record of a training (expected a JSON object, got ["),
        ("history.jsonl", b'{"epoch": 0, "loss": 0.5}\n', "ends with a cost of 0.5, metrics.json says"),
        ("config.toml", b"model = \n", "config.toml: not the configuration of a run"),
        ("config.toml", b"\xff\xfe", "config.toml: not the configuration of a run"),
        ("config.toml", b'epochs = "many"\n', "config.toml: not the configuration of a run"),
        ("config.toml", b"model = 3", "config.toml: not the configuration of a run"),
        ("config.toml", b'model = "mlp"', "config.toml: not the configuration of a run"),
        ("config.toml", b'model = "mlp"\n[data]\nname = "digits"\n[training]', "config.toml: not the config"),
        ("config.toml", b"x = " + b"[" * 9999, "config.toml: not the configuration of a run"),
        ("metrics.json", b"{", "metrics.json: not JSON"),
        ("metrics.json", b"[]", "metrics.json: expected one JSON object, got list"),
        ("metrics.json", b'{"n_steps": "x"}', "metrics.json: not the metrics of a run"),
    ],
)
def test_a_damaged_file_is_named_and_nothing_is_written(
    pellucid: Command, trained: Path, name: str, content: bytes, told: str
) -> None:
    whole = (trained / name).read_bytes()
    (trained / name).write_bytes(content)
    before = files_of(trained)
    for extra in ((), ("--full",)):
        done = pellucid("report", trained, *extra)
        assert_refused(done, told)
        assert (done.out, len(done.err.splitlines())) == ("", 1)
    assert files_of(trained) == before
    (trained / name).write_bytes(whole)


@pytest.mark.slow
def test_what_a_training_left_out_every_later_command_leaves_out(pellucid: Command) -> None:
    save_folder(Path("bad"), {"dark": 12, "bright": 12})
    pellucid.ok("train bad --epochs 3 --out whole --quiet")
    Path("bad/dark/broken.jpg").write_bytes(b"no picture")
    pellucid.ok("train bad --skip-bad --epochs 3 --out part --quiet")
    for folder in ("whole", "part"):
        pellucid.ok("report", folder, "--quiet")
        photos, note = find_training_photos(load(folder), Path(folder))  # as explain does
        assert photos is not None, note
