"""What people type in their first hour, and what each mistake gets: one to three lines, with what to do instead."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command

MISTAKES = {
    # commands and options by the names that other programs give them
    "trian pets": "Did you mean 'train'?",
    "fit pets": "Did you mean 'train'?",
    "test trained": "Did you mean 'evaluate'?",
    "classify trained a.jpg": "Did you mean 'predict'?",
    "lr-find pets": "Did you mean 'find-rate'?",
    "train pets --lr 0.1": "Did you mean --learning-rate?",
    "train pets --epoch 10": "Did you mean --epochs?",
    "train pets --batch 8": "Did you mean --batch-size?",
    "train pets --learning_rate 0.1": "Did you mean --learning-rate?",
    "train pets --val 0.2": "Did you mean --validation?",
    "run pets --workers 2": "Did you mean --threads?",
    "train pets --gpu": "All work is done by the processor",
    "train pets --verbose": "--quiet hides it",
    "find-rate pets --learning-rate 0.1": "--lowest and --highest bound it",
    "bench --against torch": "See pellucid bench --help.",
    # something left out
    "train": "Try pellucid train drawn-cats.",
    "predict": "Try pellucid predict runs/drawn-cats-cnn-1 photo.jpg.",
    "compare": "Try pellucid compare cnn mlp --data drawn-cats.",
    "compare mlp cnn": "such as --data drawn-cats",
    "compare mlp --data pets": "--cv or --seeds",
    "train t.csv": "(--target)",
    # data that are not there, or not as they should be
    "train pest": "Did you mean 'pets', which is here?",
    "train digit": "Did you mean 'digits'?",
    "train pets/cat": "It looks like one class of pets; try that.",
    "train flat": "Sort the images into folders such as flat/cat",
    "train notes.txt": "Convert it with numpy.savez",
    "train t.csv --target qualty": "Did you mean 'quality'?",
    # values
    "train pets --model CNN": "Did you mean 'cnn'?",
    "train pets --model resnet50": "Did you mean 'resnet-small'?",
    "train pets --model vgg": "or auto",
    "train pets --model net.toml": "Give a TOML file",
    "train pets --optimizer Adam": "Did you mean 'adam'?",
    "train pets --loss mse": "Did you mean 'mean_squared_error'?",
    "train pets --epochs ten": "a whole number of at least 1",
    "train pets --image-size 64": "such as 64x64",
    "train pets --patience 5": "set validation (--validation) too, such as 0.2",
    "train pets --augment yes": "Known: none, photo",
    "train digits --model cnn": "Try model 'cnn-small'",
    # models and runs
    "evaluate mlp digits": "mlp is a preset, not a trained model: `pellucid train DATA --model mlp` makes one.",
    "evaluate nothing": "`pellucid train` or `pellucid run` makes one",
    "predict pets/cat/0.png trained": "the model comes first",
    "predict trained nophoto.jpg": "Check the path",
    "report trained/model.safetensors": "Name the folder, trained.",
    "report pets": "`pellucid run` makes one",
    "robustness trained --only rotate": "Did you mean 'rotation'?",
    "train pets --out trained": "--resume to go on, --force to start again",
    "train pets --resume --out nothing": "Name its folder with --out",
}


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    """What somebody has who begins: two classes of pictures, a table, a run, and other things."""
    rng = np.random.default_rng(7)
    for name in ("pets/cat", "pets/dog", "flat"):
        (tmp_path / name).mkdir(parents=True)
        for i in range(4):
            pixels = rng.integers(0, 255, (10, 10, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    rows = [f"{x:.3f},{2 * x:.3f},{int(x > 0)}" for x in rng.normal(size=30)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,quality", *rows]))
    (tmp_path / "notes.txt").write_text("hello")
    return tmp_path


def test_every_mistake_gets_what_to_do_instead(pellucid: Command, folder: Path) -> None:
    for line, words in MISTAKES.items():
        done = pellucid(*line.split())
        assert done.code == 2, (line, done.out, done.err)
        assert done.err.startswith("pellucid: "), (line, done.err)
        assert 1 <= len(done.err.strip().splitlines()) <= 3, (line, done.err)
        assert words in done.err, (line, done.err)
        assert done.err.rstrip().endswith((".", "?")), (line, done.err)
    assert not (folder / "runs").exists()
