"""`pellucid report`: what it finds in a run folder, what it writes there, and what bad input gets."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command, words_of

from pellucid.formats.safetensors import load, save
from pellucid.reporting.findings import chosen_samples
from pellucid.runs.data import find_training_photos
from pellucid.runs.record import read_run


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def titles_of(report: Path) -> list[str]:
    return re.findall(r"<h2 id=\"title-\d+\">\d+\. ([^<]+)</h2>", report.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_short_report_comes_back_as_run_wrote_it(pellucid: Command, trained: Path) -> None:
    before = files_of(trained)
    done = pellucid("report", trained)
    assert done.code == 0, done.err
    assert done.out.startswith(f"Report: {trained / 'report.html'}\nTest accuracy ")
    after = files_of(trained)
    assert after.keys() == before.keys()
    assert [
        name for name in before if before[name] != after[name]
    ] == []  # nothing got lost on the way to disk
    assert re.search(r"^in all +\d+\.\d\d s$", done.err, flags=re.MULTILINE)


@pytest.mark.slow
def test_the_full_report_adds_its_sections(pellucid: Command, trained: Path) -> None:
    short = titles_of(trained / "report.html")
    done = pellucid("report", trained, "--full", "--photos", 3)
    assert done.code == 0, done.err
    titles = titles_of(trained / "report.html")
    assert [title for title in titles if title in short] == short
    for title in (
        "Is the data sound?",
        "Every score and its interval",
        "Which changes does it withstand?",
        "Where does it look?",
        "Why did it predict that?",
    ):
        assert title in titles
    page = (trained / "report.html").read_text(encoding="utf-8")
    assert len(re.findall(r"<figcaption><b>Figure \d+\.</b> [^<]{10,}", page)) == page.count("<img ")
    assert page.count("<img ") == len(re.findall(r'<img [^>]*alt="[^"]{10,}"', page))
    assert page.count("data:image/") == page.count("<img ") + 1  # and the sheet of photos, once
    words = words_of(trained / "report.html")
    assert "untrained network" in words  # the check that saliency maps need
    assert len(list((trained / "figures").glob("saliency-*.png"))) == 3
    for section in ("robustness", "saliency", "page"):
        assert re.search(rf"^{section} +\d+\.\d\d s$", done.err, flags=re.MULTILINE)
    assert not list(trained.parent.glob(".trained.*"))


def test_json_is_one_object_and_nothing_else(pellucid: Command, trained: Path) -> None:
    done = pellucid("report", trained, "--json")
    said = json.loads(done.out)
    assert done.err == ""
    assert said["report"] == str(trained / "report.html")
    assert said["n_bytes"] == (trained / "report.html").stat().st_size
    assert said["seconds"]["page"] >= 0


def test_the_page_shows_every_test_photo_behind_its_cell(pellucid: Command, trained: Path) -> None:
    run = read_run(trained)
    page = (trained / "report.html").read_text(encoding="utf-8")
    for i, row in enumerate(run.test_confusion.counts):
        for j, n in enumerate(row):
            inside = re.search(rf'id="cell-{i}-{j}" .*?</ul>', page, flags=re.DOTALL)
            assert (inside is None) == (n == 0)
            if inside is not None:
                shown = {int(at) for at in re.findall(r'aria-label="test photo (\d+),', inside[0])}
                split = run.split.test.y
                assert shown == set(
                    np.flatnonzero((split == i) & (run.test_predictions.y_pred == j)).tolist()
                )
                assert f'href="#cell-{i}-{j}"' in page


@pytest.mark.slow
def test_grey_pictures_without_a_channel_are_photos_too(pellucid: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    y = np.arange(40) % 2
    X = (rng.integers(0, 120, (40, 7, 5)) + 120 * y[:, None, None]).astype(np.uint8)
    np.savez("grey.npz", X=X, y=y)
    assert pellucid("run", "grey.npz", "--epochs", 30, "--out", "out", "--quiet").code == 0
    done = pellucid("report", "out", "--full", "--photos", 2)
    assert done.code == 0, done.err
    words = words_of(Path("out/report.html"))
    assert "Left out: hue, since the pictures are grey." in words
    assert {"Mistakes and hits", "Where does it look?"} <= set(titles_of(Path("out/report.html")))


@pytest.mark.slow
def test_many_classes_and_grey_pictures(pellucid: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    y = np.arange(300) % 30
    X = rng.integers(0, 256, (300, 5, 7, 1), dtype=np.uint8)
    np.savez("many.npz", X=X, y=y, classes=np.array([f"kind {i}" for i in range(30)]))
    assert pellucid("run", "many.npz", "--epochs", 3, "--out", "out", "--quiet").code == 0
    page = Path("out/report.html").read_text(encoding="utf-8")
    assert 'class="pairs"' in page  # too many for a matrix: the commonest mistakes instead
    assert 'class="matrix' not in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    links = re.findall(r'href="#([^"]+)"', page)
    assert set(links) <= set(ids)


@pytest.mark.slow
def test_tables_get_a_report_without_what_needs_photos(
    pellucid: Command, tmp_path: Path, rng: np.random.Generator
) -> None:
    lines = ["a,b,kind"] + [
        f"{a:.3f},{b:.3f},{'up' if a > b else 'down'}" for a, b in rng.standard_normal((60, 2))
    ]
    Path("t.csv").write_text("\n".join(lines) + "\n")
    done = pellucid("run", "t.csv", "--target", "kind", "--epochs", 20, "--out", "out", "--quiet")
    assert done.code == 0, done.err
    for extra in ((), ("--full",)):
        done = pellucid("report", "out", *extra)
        assert done.code == 0, done.err
        titles = titles_of(Path("out/report.html"))
        assert "Which class is taken for which?" in titles
        assert "The columns" in titles
        assert not {"Mistakes and hits", "Where does it look?", "Which changes does it withstand?"} & set(
            titles
        )
        assert "photo" not in words_of(Path("out/report.html")).replace("photos, ", "").lower()
    assert "Is the data sound?" in titles


@pytest.mark.slow
def test_data_are_loaded_as_they_were_and_found_again_where_they_went(
    pellucid: Command, tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez("odd.npz", things=rng.integers(0, 256, (30, 4, 4, 3), dtype=np.uint8), kinds=np.arange(30) % 2)
    done = pellucid(
        "run", "odd.npz", "--x-key", "things", "--y-key", "kinds", "--epochs", 2, "--out", "out", "--quiet"
    )
    assert done.code == 0, done.err
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # the place is kept whole, not as it was typed
    assert pellucid("report", tmp_path / "out").code == 0

    shutil.move(tmp_path / "odd.npz", tmp_path / "moved.npz")
    before = files_of(tmp_path / "out")
    done = pellucid("report", tmp_path / "out")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert str(tmp_path / "odd.npz") in done.err
    assert "--data" in done.err
    assert files_of(tmp_path / "out") == before
    assert pellucid("report", tmp_path / "out", "--data", tmp_path / "moved.npz").code == 0


@pytest.mark.slow
def test_changed_data_are_refused_unless_forced_and_then_told(
    pellucid: Command, trained: Path, photos: Path
) -> None:
    values = dict(np.load(photos))
    values["X"][3] //= 2
    np.savez(photos, **values)
    before = files_of(trained)
    done = pellucid("report", trained)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert re.search(
        r"the (training|test) part of .* is not what this run saw.*--data.*--other-data", done.err
    )
    assert files_of(trained) == before
    assert pellucid("report", trained, "--other-data").code == 0
    assert "Mind that the" in words_of(trained / "report.html")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("model.safetensors", b"no model", "not a whole"),
        (
            "history.jsonl",
            b'{"epoch": 0, "loss": 0.5}\n{"epoch": 1, "lo',
            "history.jsonl, line 2: not a record",
        ),
        (
            "history.jsonl",
            b"[1, 2]\n",
            "line 1: not a record of a training (expected a JSON object, got [1, 2])",
        ),
        ("config.toml", b"model = \n", "config.toml: not the configuration of a run"),
        ("config.toml", b"\xff\xfe", "config.toml: not the configuration of a run"),
        ("config.toml", b'epochs = "many"\n', "config.toml: not the configuration of a run"),
        ("metrics.json", b"{", "metrics.json: not JSON"),
        ("metrics.json", b"[]", "metrics.json: expected one JSON object, got list"),
        ("metrics.json", b'{"n_steps": "x"}', "metrics.json: not the metrics of a run"),
        ("history.jsonl", b'{"epoch": 0, "loss": 0.5}\n', "it ends with a cost of 0.5, metrics.json says"),
    ],
)
def test_a_damaged_file_is_named_and_nothing_is_written(
    pellucid: Command, trained: Path, name: str, content: bytes, told: str
) -> None:
    (trained / name).write_bytes(content)
    before = files_of(trained)
    for extra in ((), ("--full",)):
        done = pellucid("report", trained, *extra)
        assert done.code == 2
        assert told in done.err
        assert len(done.err.splitlines()) == 1
        assert done.out == ""
    assert files_of(trained) == before
    assert [path.name for path in trained.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.slow
def test_what_a_run_says_of_its_data_is_believed_only_where_it_can_be(
    pellucid: Command, trained: Path, photos: Path
) -> None:
    metrics = json.loads((trained / "metrics.json").read_text())
    for said in (
        [1],
        {"path": 7, "reading": [1]},
        {"reading": {"image_size": 5, "skip_bad": "yes"}, "photo": 1},
    ):
        metrics["data"] = said
        (trained / "metrics.json").write_text(json.dumps(metrics))
        done = pellucid("report", trained, "--data", photos)
        assert done.code == 0, done.err


def test_what_is_no_run_folder_is_said(
    pellucid: Command, tmp_path: Path, photos: Path, trained: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for folder, told in (
        ("nowhere", "there is no such folder"),
        ("empty", "it lacks model.safetensors, history.jsonl, config.toml, metrics.json"),
        ("photos.npz", "it is a file"),
    ):
        done = pellucid("report", folder)
        assert done.code == 2
        assert done.err == f"pellucid: {folder}: not a run folder: {told}. `pellucid run` makes one.\n"
    done = pellucid("report", trained, "--full", "--photos", "-1")
    assert done.code == 2
    assert "--photos to be a whole number of at least 0, got -1" in done.err


def test_a_training_folder_gets_a_report_too(pellucid: Command, photos: Path, tmp_path: Path) -> None:
    assert pellucid("train", photos, "--out", "t", "--epochs", 3, "--quiet").code == 0
    done = pellucid("report", "t")
    assert done.code == 0, done.err
    assert "Figure 1." in words_of(tmp_path / "t" / "report.html")


@pytest.mark.slow
def test_a_regression_is_run_and_reported_from_end_to_end(
    pellucid: Command, tmp_path: Path, rng: np.random.Generator
) -> None:
    a, b, sort = rng.standard_normal(120), rng.standard_normal(120), rng.choice(["red", "white"], 120)
    quality = 500 + 100 * (
        2 * a - b + 3 * (sort == "red") + 0.1 * rng.standard_normal(120)
    )  # far from where weights begin
    lines = [f"{x:.3f},{y:.3f},{z},{q:.3f}" for x, y, z, q in zip(a, b, sort, quality, strict=True)]
    Path("wine.csv").write_text("\n".join(["acid,sugar,sort,quality", *lines]) + "\n")
    command = ("run", "wine.csv", "--target", "quality", "--model", "mlp-wide", "--epochs", 30)
    done = pellucid(*command, "--loss", "mean_squared_error", "--validation", 0.2, "--out", "out")
    assert done.code == 0, done.err
    assert re.search(r"^Test: mean absolute error \d+\.\d+, root mean squared error", done.out, re.MULTILINE)
    assert "The target: numbers from" in done.out
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["test"]["r_squared"] > 0.7
    for extra in ((), ("--full",)):
        done = pellucid("report", "out", *extra, "--quiet")
        assert done.code == 0, done.err
        words = words_of(Path("out/report.html"))
        error = metrics["test"]["mean_absolute_error"]
        assert f"Mean absolute error {error:.0f} (" in words
        assert "below the baseline (the mean)" in words
        assert "3 columns to predict from" in words
        for term in (
            "R²",
            "Root mean squared error",
            "Baseline",
            "Residuals",
            "predictions furthest off",
        ):
            assert term.lower() in words.lower(), term
        for stray in ("photo", "class", "accuracy", "guessing"):
            assert stray not in words.replace("classified", "").lower(), stray
    for figure in ("residuals", "columns", "targets", "cost"):
        assert (tmp_path / "out" / "figures" / f"{figure}.png").is_file()


def test_a_run_of_several_labels_is_refused_in_one_line(pellucid: Command, rng: np.random.Generator) -> None:
    rows = [f"{a:.3f},{int(a > 0)},{int(a > 1)}" for a in rng.standard_normal(40)]
    Path("q.csv").write_text("\n".join(["a,warm,hot", *rows]) + "\n")
    done = pellucid("run", "q.csv", "--target", "warm,hot", "--out", "out")
    assert done.code == 2
    assert "for several labels use `pellucid train`" in done.err
    assert (
        pellucid("train", "q.csv", "--target", "warm,hot", "--out", "q", "--epochs", 3, "--quiet").code == 0
    )
    done = pellucid("report", "q")
    assert done.code == 2
    assert (
        "the report is of one class a sample or of numbers to predict, this model is of multi-label"
        in done.err
    )


def test_a_loss_without_probabilities_is_refused(pellucid: Command, photos: Path) -> None:
    assert pellucid("train", photos, "--loss", "hinge", "--epochs", 3, "--out", "t", "--quiet").code == 0
    done = pellucid("report", "t")
    assert done.code == 2
    assert "hinge gives none" in done.err


def test_the_photos_explained_are_the_surest_mistakes_first(trained: Path, tmp_path: Path) -> None:
    run = read_run(trained)
    rows = chosen_samples(run.test_predictions, 5)
    wrong = ~run.test_predictions.is_correct[rows]
    assert len(set(rows)) == 5
    assert (np.diff(wrong.astype(int)) <= 0).all()  # mistakes, then the rest
    assert wrong.sum() == min(5, int((~run.test_predictions.is_correct).sum()))


@pytest.mark.slow
def test_the_published_run_in_full(pellucid: Command, published_dir: Path, tmp_path: Path) -> None:
    assert pellucid("run", "catvnoncat", "--out", "out", "--quiet").code == 0
    done = pellucid("report", "out", "--full", "--photos", 2)
    assert done.code == 0, done.err
    report = tmp_path / "out" / "report.html"
    strips = [path.stat().st_size for path in (tmp_path / "out" / "figures").glob("saliency-*.png")]
    assert len(strips) == 2
    for_ten = report.stat().st_size + 8 * (
        4 / 3 * max(strips) + 20_000
    )  # its maps, and 8 more photos and words
    assert for_ten < 5_000_000
    words = words_of(report)
    assert "Test accuracy 80 % (40/50, 95 % interval 67 to 89 %). Training 99 %. Baseline (always" in words
    assert "Not shown to be better" not in words
    assert "test photo 17 is training photo 146 (same class in 1 of 1)" in words
    assert "Accuracy without: 80 % (39/49)." in words
    assert "Most common mistake: 'non-cat' taken for 'cat' (7 of 17 photos)." in words


def test_data_of_another_size_are_refused_even_if_forced(
    pellucid: Command, trained: Path, photos: Path, tmp_path: Path
) -> None:
    values = dict(np.load(photos))
    np.savez(tmp_path / "small.npz", **{**values, "X": values["X"][:, :4]})
    before = files_of(trained)
    done = pellucid("report", trained, "--data", tmp_path / "small.npz", "--other-data", "--full")
    assert done.code == 2
    assert "the model takes samples of shape (6, 6, 3)" in done.err
    assert "has (4, 6, 3)" in done.err
    assert files_of(trained) == before


def test_weights_that_are_no_numbers_are_refused_wherever_a_verdict_is_asked_for(
    pellucid: Command, trained: Path, tmp_path: Path
) -> None:
    model = load(trained)
    model.theta[:] = np.nan
    save(model, trained / "model.safetensors")
    Image.new("RGB", (9, 9)).save("photo.png")
    before = files_of(trained)
    for arguments in (
        ("report", trained),
        ("influence", trained),
        ("explain", trained, "photo.png", "-o", "why"),
        ("predict", trained, "photo.png"),
    ):
        done = pellucid(*arguments)
        assert done.code == 2, arguments
        assert "'dense_1.W' holds" in done.err
        assert done.out == ""
    assert files_of(trained) == before
    assert not (tmp_path / "why").exists()


@pytest.mark.slow
def test_the_new_photo_of_a_full_report_says_what_its_colours_and_the_check_mean(
    pellucid: Command, photos: Path
) -> None:
    Image.new("RGB", (9, 9), (200, 10, 10)).save("photo.png")
    assert (
        pellucid("run", photos, "--photo", "photo.png", "--epochs", 20, "--out", "out", "--quiet").code == 0
    )
    assert pellucid("report", "out", "--full", "--photos", 0, "--quiet").code == 0
    words = words_of(Path("out") / "report.html")
    assert re.search(r"as \d+ of 1[34] variants", words)
    assert "green of the predicted class, red of another" in words


@pytest.mark.slow
def test_the_report_can_be_written_elsewhere(pellucid: Command, trained: Path, tmp_path: Path) -> None:
    before = files_of(trained)
    out = tmp_path / "elsewhere"
    done = pellucid("report", trained, "-o", out, "--quiet")
    assert (done.code, done.out) == (0, f"{out / 'report.html'}\n"), done.err
    assert files_of(trained) == before
    done = pellucid("report", trained, "-o", out)
    assert done.code == 2
    assert "--overwrite" in done.err
    assert pellucid("report", trained, "-o", out, "--overwrite", "--quiet").code == 0


@pytest.mark.slow
def test_what_a_training_left_out_every_later_command_leaves_out(pellucid: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for name, base in (("bright", 120), ("dark", 0)):
        (tmp_path / "bad" / name).mkdir(parents=True)
        for i in range(12):
            pixels = (rng.integers(0, 120, (8, 8, 3)) + base).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "bad" / name / f"{i}.png")
    assert pellucid("train", "bad", "--epochs", 3, "--out", "whole", "--quiet").code == 0
    (tmp_path / "bad" / "dark" / "broken.jpg").write_bytes(b"no picture")
    assert pellucid("train", "bad", "--skip-bad", "--epochs", 3, "--out", "part", "--quiet").code == 0
    for folder in ("whole", "part"):
        done = pellucid("report", folder, "--quiet")
        assert done.code == 0, done.err
        photos, note = find_training_photos(load(tmp_path / folder), tmp_path / folder)  # as explain does
        assert photos is not None, note
