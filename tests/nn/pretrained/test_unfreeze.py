"""The last blocks of a body are trained on: which layers, by which recipe, and whether it helped."""

from pathlib import Path

import numpy as np
import pytest
from tests.commands import Command, assert_refused
from tests.every import every

import pellucid as pl
from pellucid.errors import OptionError
from pellucid.evaluation.comparison.unfreezing import Unfreezing
from pellucid.nn.pretrained.body import unfreeze_last, with_new_head
from pellucid.runs.build import make_model, plan
from pellucid.runs.run import read_run
from pellucid.workflows.checkpoints import Checkpoints
from pellucid.workflows.train import plan_to_resume, train_into

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two plain convolutions and three residual ones, trained for a moment."""
    inner = [[pl.Conv2D(6, use_bias=False), pl.BatchNorm(), pl.Activation("relu")] for _ in range(3)]
    blocks = [pl.Residual(pl.Sequential(layers)) for layers in inner]
    model = pl.Sequential(
        pl.Conv2D(6, stride=2), pl.BatchNorm(), *blocks, pl.Conv2D(8, 1), pl.GlobalAvgPool2D(), pl.Dense(3)
    )
    X = RNG.integers(0, 256, (30, 16, 16, 3), dtype=np.uint8)
    pl.train(model, (X, np.arange(30) % 3), n_epochs=2, batch_size=10, progress=False)
    path = tmp_path_factory.mktemp("body") / "body.safetensors"
    model.save(path)
    return path


def _trained_names(model: pl.Model) -> list[str]:
    return [leaf.name for leaf in model._leaves() if leaf.params and not leaf._is_frozen]


@every(
    "n, names",
    [
        (1, ["conv2d_4", "conv2d_5", "dense_1"]),
        (3, ["conv2d_2", "conv2d_3", "conv2d_4", "conv2d_5", "dense_1"]),
        (4, ["conv2d_1", "conv2d_2", "conv2d_3", "conv2d_4", "conv2d_5", "dense_1"]),
    ],
)
def test_the_last_blocks_without_their_batch_norms(n: int, names: list[str], body: Path) -> None:
    model = with_new_head(str(body), 1)
    model.initialize((16, 16, 3))
    unfreeze_last(model, n)
    assert _trained_names(model) == names


def test_photos_of_another_size_and_without_colour_add_no_block(body: Path) -> None:
    model = with_new_head(str(body), 1)
    model.initialize((24, 24, 1))
    unfreeze_last(model, 4)
    assert _trained_names(model)[0] == "conv2d_2"  # the first makes three channels of one


def test_blocks_of_the_published_ones() -> None:
    for name, n in (("efficientnet-lite0", 17), ("efficientnet-lite2", 22)):
        with pytest.raises(
            OptionError, match=f"expected 1 to {n}, as many blocks as the body has, got {n + 1}"
        ):
            plan("auto", "drawn-cats", body=name, unfreeze=n + 1)


@every("n", [0, -1, 5])
def test_refused_before_data_are_read(n: int, body: Path) -> None:
    with pytest.raises(OptionError, match="--unfreeze: expected 1 to 4"):
        plan("auto", "none/at/all", body=body, unfreeze=n)
    with pytest.raises(OptionError, match="--unfreeze: it is of the model 'pretrained'"):
        plan("cnn", "none/at/all", unfreeze=1)


def test_it_begins_with_the_recipe_s_last_layer(body: Path) -> None:
    config = plan("auto", "drawn-cats", body=body, unfreeze=2, seed=3).config
    split = config.source.load()
    plain = pl.preset("pretrained", body=body)
    pl.train(plain, split, seed=3, progress=False)
    model = make_model(config, None, split)
    np.testing.assert_array_equal(model.layers[-1].params["W"], plain.layers[-1].params["W"])


def test_a_run_says_whether_it_helped_and_goes_on(body: Path, tmp_path: Path) -> None:
    said: list[str] = []
    asked = plan("auto", "drawn-cats", body=body, unfreeze=2, n_epochs=2)
    before = make_model(asked.config, None, asked.load())
    train_into(asked, tmp_path / "run", say=said.append)
    (found,) = [line for line in said if line.startswith("--unfreeze 2, by 3 folds")]
    assert "leave out --unfreeze" in found or "It helped" in found
    assert any(line.startswith("An epoch took") for line in said)
    run = read_run(tmp_path / "run")
    about = run.model._summary_of_training["body"]
    assert (about["n_unfrozen"], about["unfreezing"]["headline"]) == (2, found)
    for own, its in zip(run.model._leaves(), before._leaves(), strict=True):
        assert all((own.state[key] == its.state[key]).all() for key in own.state)
        if own.params:
            is_same = all((own.params[key] == its.params[key]).all() for key in own.params)
            assert is_same == its._is_frozen
    # With more epochs it goes on as if it had been so long from the start.
    longer = plan_to_resume(
        tmp_path / "run", None, asked.config.source, n_epochs=3, schedule="constant", learning_rate=1e-4
    )
    assert (longer.config.unfreeze, longer.config.body) == (2, str(body.resolve()))
    outcome = train_into(longer, tmp_path / "run", checkpoints=Checkpoints(resume=True), say=said.append)
    assert len(outcome.run.history.losses) == 3


@pytest.mark.slow
def test_it_is_compared_and_its_rate_is_searched(pellucid: Command, body: Path, photos: Path) -> None:
    given = ("--body", body, "--unfreeze", 2, "--epochs", 2)
    found = pellucid.json("compare pretrained --data photos.npz --seeds 2", *given)
    without = pellucid.json("compare pretrained --data photos.npz --seeds 2", "--body", body)
    assert found != without
    assert_refused(
        pellucid("compare cnn mlp --data photos.npz --seeds 2", *given[2:]), "--unfreeze: it is of the"
    )
    done = pellucid.ok("find-lr photos.npz --rates 3 --min-lr 0.001 --max-lr 0.1 -o rates.png", *given)
    assert f"--model pretrained --body {body} --unfreeze 2" in done.out
    assert Path("rates.png").is_file()
    last = ("--body", body, "--optimizer", "adamw", "--epochs", 2, "-o", "last.png")
    assert "--optimizer adamw" in pellucid.ok("find-lr photos.npz --rates 3", *last).out


def test_what_folds_say() -> None:
    scores, losses = [[0.9, 0.8, 0.9], [0.8, 0.7, 0.9]], [[0.3, 0.4, 0.3], [0.5, 0.4, 0.4]]
    worse = Unfreezing(1, np.array(scores), np.array(losses))
    assert worse.headline.endswith("It did not help: leave out --unfreeze.")
    rng = np.array([0.01, 0.02, 0.015])
    better = Unfreezing(1, np.array([rng, rng + 0.5]), np.array([rng + 0.5, 1.1 * rng]))
    assert better.headline.endswith("It helped.")
    assert "balanced accuracy 0.515, without it 0.015 (+0.500)" in better.headline
    assert better.difference("log_loss").high < 0


def test_a_class_too_small_for_folds_is_said(body: Path, tmp_path: Path) -> None:
    X = RNG.integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
    np.savez(tmp_path / "few.npz", X_train=X, y_train=[0] * 10 + [1] * 2, X_test=X[:4], y_test=[0, 1, 0, 1])
    said: list[str] = []
    asked = plan("auto", str(tmp_path / "few.npz"), body=body, unfreeze=1, n_epochs=1)
    train_into(asked, tmp_path / "run", say=said.append)
    assert any(line.startswith("Whether --unfreeze helped is not known: ") for line in said)
    assert not any("are enlarged to" in line for line in said)
