"""The edge: help, usage errors, and that every bad input is at most three clear lines and exit 2."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from tests.commands import Command, Done

import pellucid as pl
from pellucid import progress
from pellucid.cli.command import DECLARED, build


def assert_clear(done: Done, *words: str) -> None:
    assert done.code == 2, (done.out, done.err)
    assert 1 <= len(done.err.strip().splitlines()) <= 3
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.err, done.err


def test_help_version_and_no_arguments(pellucid: Command) -> None:
    done = pellucid("--help")
    assert done.code == 0
    for name in ("run", "reproduce", "predict", "bench", "data"):
        assert name in done.out
    first, kernels, *_, blas = pellucid("--version").out.splitlines()
    assert first == f"pellucid {pl.__version__}"
    assert kernels.startswith("kernels: num")
    assert blas.startswith("BLAS: ")


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"]])
def test_the_help_lists_every_command(pellucid: Command, arguments: list[str]) -> None:
    done = pellucid(*arguments)
    assert (done.code, done.err) == (0, "")
    for name in ("run", "find-rate", "data", "model", "--install-completion"):
        assert name in done.out


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_every_command_has_help_that_fits_a_terminal(pellucid: Command, name: str) -> None:
    done = pellucid(*name.split(), "-h")
    assert (done.code, done.err) == (0, "")
    assert DECLARED[name].short_help in pellucid(*name.split()[:-1], "-h").out


SHOWS_ONLY = {"predict", "reproduce", "bench", "data list", "data info", "data fetch"}
SHOWS_ONLY |= {"model list", "model show", "model check"}


@pytest.mark.parametrize("name", sorted(name for name, each in DECLARED.items() if each.function))
def test_every_command_takes_the_common_options(name: str) -> None:
    made = build(DECLARED[name])
    flags = {flag for parameter in made.params for flag in parameter.opts}
    expected = {"--json", "--quiet"} | (set() if name in SHOWS_ONLY else {"-o", "--out", "--force"})
    if name == "serve":  # which writes nothing but its log, in JSON
        expected = {"--quiet"}
    assert expected <= flags
    for parameter in made.params:
        assert "{" not in (parameter.help or ""), parameter.help  # tables of names are filled in
        if parameter.param_type_name == "argument":
            assert parameter.metavar == parameter.metavar.upper()


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("influence", ("tracin-plain", "leave-one-out")),
        ("explain", ("smoothgrad", "grad_cam")),
        ("robustness", ("rotation", "upside-down")),
        ("train", ("mlp", "two-layer", "cnn")),
    ],
)
def test_help_names_the_choices(pellucid: Command, command: str, names: tuple[str, ...]) -> None:
    words = pellucid(command, "-h").out
    for name in names:
        assert name in words


def test_compare_shows_switches_as_other_commands(pellucid: Command) -> None:
    assert "--no-skip-bad" not in pellucid("compare", "-h").out


def test_a_question_ends_with_its_mark(pellucid: Command) -> None:
    assert "See pellucid --help" in pellucid("explian").err
    assert "?. See" not in pellucid("explian").err  # older versions of typer suggest nothing


@pytest.mark.parametrize(
    ("arguments", "line"), [(["data", "list"], "drawn-cats"), (["model", "list"], "two-layer")]
)
def test_quiet_lists_are_names_alone(pellucid: Command, arguments: list[str], line: str) -> None:
    lines = pellucid(*arguments, "--quiet").out.splitlines()
    assert line in lines
    assert all(" " not in each for each in lines)


def test_quiet_and_json_print_nothing_else(pellucid: Command, photos: Path) -> None:
    done = pellucid("data", "check", photos, "--quiet")
    assert (done.code, done.err) == (0, "")
    assert "majority-class baseline" in done.out
    assert "--json" not in done.out
    assert (
        len(pellucid("model", "check", "two-layer", "--input-shape", "2x2x3", "--quiet").out.splitlines())
        == 1
    )
    done = pellucid("data", "info", photos, "--quiet")
    assert (done.code, done.err) == (0, "")
    assert "Note:" not in done.out


@pytest.mark.parametrize(("option", "is_shown"), [("--json", False), ("--quiet", False), ("--strict", True)])
def test_quiet_and_json_show_no_bar(
    pellucid: Command, photos: Path, monkeypatch: pytest.MonkeyPatch, option: str, is_shown: bool
) -> None:
    seen = []
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress.ProgressBar, "__call__", lambda bar, *_: seen.append(bar.is_shown))
    pellucid("data", "check", photos, option)
    assert set(seen) == {is_shown}


def test_files_of_commands_import_nothing_large() -> None:
    light = {"typer", "pellucid", *sys.stdlib_module_names}
    ours = ("cli", "errors", "registry", "text", "progress", "files")
    for path in Path(pl.__file__).parent.joinpath("cli").glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for parts in (name.split(".") for name in names):
                assert parts[0] in light, path
                assert parts[0] != "pellucid" or parts[1] in ours, path


@pytest.mark.parametrize("module", ["pellucid", "pellucid.cli.main"])
def test_the_module_runs_as_a_command(module: str) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert "drawn-cats" in run("data", "list").stdout
    assert run("data", "lits").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rnu"], ["rnu"]),
        (["run", "--epoch", "3"], ["--epoch", "--epochs"]),
        (["run", "--epochs", "three"], ["--epochs", "whole number", "'three'"]),
        (["run", "--epochs", "0"], ["--epochs", "got 0"]),
        (["run", "--learning-rate", "-1"], ["--learning-rate"]),
        (["run", "--learning-rate", "nan"], ["--learning-rate"]),
        (["run", "--seed", "-1"], ["--seed"]),
        (["run", "--dtype", "float16"], ["--dtype", "float32"]),
        (["run", "--form", "duel"], ["--form", "dual"]),
        (["run", "--model", "mpl"], ["Did you mean 'mlp'"]),
        (["run", "--optimizer", "sgdd"], ["Did you mean 'sgd'"]),
        (["run", "--loss", "binary"], ["binary_cross_entropy"]),
        (["run", "--loss", "hinge"], ["--loss", "hinge", "probabilities", "pellucid train"]),
        (["run", "drawncats"], ["Did you mean 'drawn-cats'"]),
        (["run", "--image-size", "64"], ["HEIGHTxWIDTH"]),
        (["run", "--batch-size", "100000"], ["batch_size"]),
        (["run", "--photo", "nothing.jpg"], ["nothing.jpg"]),
        (["data", "fetch", "--mirror", "nonsense"], ["mirror"]),
        (["data", "info", "missing.h5"], ["missing.h5"]),
        (["predict"], ["Missing argument", "See pellucid predict --help"]),
        (["data", "info", "--nothing"], ["No such option", "See pellucid data info --help"]),
    ],
)
def test_bad_use(pellucid: Command, tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    done = pellucid(*arguments)
    assert_clear(done, *words)
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_the_traceback(pellucid: Command) -> None:
    with pytest.raises(pl.PellucidError):
        pellucid("--debug", "data", "info", "missing.h5")


def test_bad_data_of_every_kind(pellucid: Command, tmp_path: Path, rng: np.random.Generator) -> None:
    X, y = rng.integers(0, 256, (6, 4, 4, 3), dtype=np.uint8), np.arange(6) % 2
    (tmp_path / "empty.h5").write_bytes(b"")
    (tmp_path / "foreign.h5").write_text("not an h5 file")
    with h5py.File(tmp_path / "keys.h5", "w") as file:
        file["pictures"], file["names"] = X, y
    np.savez(tmp_path / "lengths.npz", X=X, y=y[:-1])
    np.savez(tmp_path / "objects.npz", X=np.array([{}, {}], dtype=object), y=np.arange(2), allow_pickle=True)
    np.savez(tmp_path / "three.npz", X=np.repeat(X, 2, axis=0), y=np.arange(12) % 3)
    np.savez(tmp_path / "nan.npz", X=np.full((6, 3), np.nan), y=y)
    (tmp_path / "no-class").mkdir()
    (tmp_path / "one-class" / "cat").mkdir(parents=True)
    Image.fromarray(X[0]).save(tmp_path / "one-class" / "cat" / "a.png")
    for name, words in (
        ("empty.h5", ["empty.h5"]),
        ("foreign.h5", ["foreign.h5"]),
        ("keys.h5", ["pictures", "names"]),
        ("lengths.npz", ["6", "5"]),
        ("objects.npz", ["object"]),
        ("nan.npz", ["NaN"]),
        ("no-class", ["no-class"]),
        ("one-class", ["one-class"]),
    ):
        assert_clear(pellucid("run", tmp_path / name, "--out", "out"), *words)
        assert not (tmp_path / "out").exists()


def test_unreadable_images_are_named_and_skipped_only_when_asked(
    pellucid: Command, tmp_path: Path, rng: np.random.Generator
) -> None:
    for label in ("cat", "dog"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for i in range(10):
            image = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
            image.save(tmp_path / "pets" / label / f"{i}.png")
    (tmp_path / "pets" / "cat" / "bad.jpg").write_text("text")
    assert_clear(pellucid("data", "info", "pets"), "bad.jpg", "--skip-bad")
    done = pellucid("data", "info", "pets", "--skip-bad", "--json")
    assert done.code == 0
    info = json.loads(done.out)
    assert info["train"]["counts"] == {"cat": 8, "dog": 8}
    assert any("bad.jpg" in note and "1 of 21" in note for note in info["notes"]), info["notes"]


def test_data_list_and_info(pellucid: Command, photos: Path) -> None:
    assert "catvnoncat" in pellucid("data", "list").out
    assert set(json.loads(pellucid("data", "list", "--json").out)) >= {"drawn-cats", "catvnoncat"}
    text = pellucid("data", "info", photos).out
    assert "dark" in text
    assert "50 %" in text
    info = json.loads(pellucid("data", "info", photos, "--json").out)
    assert info["train"] == {"shape": [32, 6, 6, 3], "dtype": "uint8", "counts": {"dark": 16, "bright": 16}}
    assert info["test"]["counts"] == {"dark": 4, "bright": 4}


def test_keys_of_an_h5_can_be_named(pellucid: Command, tmp_path: Path, rng: np.random.Generator) -> None:
    with h5py.File(tmp_path / "keys.h5", "w") as file:
        file["pictures"] = rng.integers(0, 256, (10, 4, 4, 3), dtype=np.uint8)
        file["names"] = np.arange(10) % 2
    done = pellucid("data", "info", "keys.h5", "--x-key", "pictures", "--y-key", "names", "--json")
    assert json.loads(done.out)["train"]["shape"] == [8, 4, 4, 3]


def test_predict_in_words_and_json(pellucid: Command, trained: Path, tmp_path: Path) -> None:
    Image.new("L", (20, 10), 255).save(tmp_path / "grey.png")
    Image.new("RGBA", (9, 9), (0, 0, 0, 255)).save(tmp_path / "black.png")
    done = pellucid("predict", trained, "grey.png", "black.png")
    assert done.code == 0
    first, second = done.out.splitlines()
    assert first.startswith("grey.png: bright (")
    assert second.startswith("black.png: dark (")
    verdicts = json.loads(pellucid("predict", trained, "grey.png", "black.png", "--json").out)["predictions"]
    assert [verdict["image"] for verdict in verdicts] == ["grey.png", "black.png"]
    assert [verdict["label"] for verdict in verdicts] == ["bright", "dark"]
    for verdict in verdicts:
        assert sum(verdict["classes"].values()) == pytest.approx(1)
        assert (
            verdict["probability"] == verdict["classes"][verdict["label"]] == max(verdict["classes"].values())
        )
    lines = pellucid("predict", trained, "grey.png", "black.png", "--jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == verdicts


def test_predict_refuses_bad_images_and_models(pellucid: Command, trained: Path, tmp_path: Path) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "whole.jpg")
    content = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.jpg").write_text("hello")
    for image in ("missing.png", "cut.jpg", "text.jpg"):
        assert_clear(pellucid("predict", trained, image), image)
        done = pellucid("predict", trained, "whole.jpg", image)
        assert (done.code, done.out[:10], done.err.count("\n")) == (1, "whole.jpg:", 1)
        assert done.err.startswith(f"{image}: ")
    assert_clear(pellucid("predict", trained, "cut.jpg", "text.jpg"), "none of 2 images can be read; cut.jpg")
    assert_clear(pellucid("predict", "nowhere", "whole.jpg"), "nowhere")
    assert_clear(pellucid("predict", "text.jpg", "whole.jpg"), "text.jpg")


def test_a_model_of_tables_takes_no_images(
    pellucid: Command, tmp_path: Path, rng: np.random.Generator
) -> None:
    np.savez(tmp_path / "table.npz", X=rng.standard_normal((30, 4)), y=np.arange(30) % 2)
    assert pellucid("run", "table.npz", "--epochs", 2, "--out", "out", "--quiet").code == 0
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    assert_clear(pellucid("predict", "out", "a.png"), "(4,)")


def test_fetch_offline_names_the_built_in_set(
    pellucid: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PELLUCID_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    done = pellucid("data", "fetch", "--mirror", "http://127.0.0.1:9/nothing")
    assert_clear(done, "drawn-cats")
    assert len(done.err.strip().splitlines()) == 1


def test_fetch_prints_the_folder(pellucid: Command, published_dir: Path) -> None:
    for name in ((), ("catvnoncat",)):
        assert pellucid("data", "fetch", *name).out.strip() == str(published_dir)
