"""What is mistyped, left out or cannot be, by command: exit 2, up to three lines with what to try, no file."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command, assert_refused
from tests.conftest import save_photos
from tests.every import every
from tests.formats.onnx.graphs import Net
from tests.ops.cases import HAS_NUMBA

import pellucid as pl
from pellucid.cli.main import main

SOURCELESS = """
[graph]
inputs = ["photo"]
outputs = ["a"]
[[nodes]]
name = "a"
from = []
type = "Dense"
units = 2
"""
LAYERS = '[[layers]]\ntype = "Flatten"\n[[layers]]\ntype = "Dense"\nunits = {}\n'
ENLARGE = '[[layers]]\ntype = "UpSample2D"\nfactor = 100000\n[[layers]]\ntype = "GlobalAvgPool2D"\n'
FILES = {
    "net.toml": LAYERS.format(1) + '[training]\nepochs = 3\noptimizer = "adam"\n',
    "space.toml": 'learning_rate = { log = [1e-3, 1e-1] }\noptimizer = ["adam", "sgd"]',
    "old-sweep/results.jsonl": "{}\n",
    "sources.toml": SOURCELESS,
    "units.toml": LAYERS.format(10**12),
    "factor.toml": ENLARGE + LAYERS.format(2) * 2,
    "notes.txt": "hello",
    "torn/cat/1.png": "no image",
    "torn/dog/2.png": "no image",
    "text.jpg": "no image",
    "mine.csv": "mine",
    "no.onnx": "no",
    "broken.safetensors": "hello",
    "used/mine.txt": "mine",
}
ONNX, SIZED = "import net.onnx", "import net.onnx --input-shape 16x16x3"
COMPARE, EXPLAIN = "compare mlp --data photos.npz", "explain m.safetensors"
ROBUST = "robustness m.safetensors photos.npz"
SWEEP, TRAIN = "sweep photos.npz --model net.toml", "train photos.npz --epochs 1 --model"

MISTAKES: dict[str, str | tuple[str, ...]] = {
    # commands and options by the names that other programs give them
    "trian pets": "Did you mean 'train'?",
    "fit pets": "Did you mean 'train'?",
    "test trained": "Did you mean 'evaluate'?",
    "train pets --lr 0.1": "Did you mean --learning-rate?",
    "train pets --epoch 10": "Did you mean --epochs?",
    "train pets --val 0.2": "Did you mean --validation?",
    "find-lr pets --workers 2": "Did you mean --threads?",
    "train pets --gpu": "All work is done by the processor",
    "train pets --verbose": "--quiet hides it",
    "find-lr pets --learning-rate 0.1": "--min-lr and --max-lr bound it",
    "reproduce --against torch": "See pellucid reproduce --help.",
    "bench": "python -m benchmarks.published",
    "data info --nothing": ("unknown option --nothing", "See pellucid data info --help"),
    "explain out a.png --positive cat": ("unknown option --positive. The class to explain is --target.",),
    # something left out
    "train": "Try pellucid train drawn-cats.",
    "predict": ("MODEL is missing", "Try pellucid predict runs/drawn-cats-cnn-1 photo.jpg."),
    "compare": "Try pellucid compare cnn mlp --data drawn-cats.",
    "compare mlp cnn": ("--data is missing", "mlp --data drawn-cats"),
    "report trained --out": ("report: --out takes a value: PATH.", "See pellucid report --help."),
    "export trained --to": "--to takes a value: [onnx|script|html].",
    "data info digits --json=1": "--json takes no value",
    "data info digits pets": "data info: unexpected argument 'pets'",
    "compare mlp --data pets": ("expected a second model, B", "--cv or --seeds"),
    "train t.csv": "Try --target ",
    "export trained": "Try pellucid export runs/drawn-cats-cnn-1 --to html.",
    "sweep pets": "Try pellucid sweep drawn-cats --space space.toml.",
    # flags that another one needs
    "report trained --photos 3": "--photos is for --full",
    "report trained --cluster tcp://127.0.0.1:9": "--cluster is for --full",
    "data check pets --workers 2": "--workers is for --labels",
    "predict m.safetensors photo.jpg --workers 2": "--workers is for --out",
    "evaluate trained pets --overwrite": "evaluate: --overwrite is for --out. Add --out, or leave --overwrite out.",
    # data that are not there, or not as they should be
    "train pest": "Did you mean 'pets', which is here?",
    "train digit": "Did you mean 'digits'?",
    "train pets/cat": "It looks like one class of pets: name that folder.",
    "train flat": "Sort the images into folders such as flat/cat",
    "train notes.txt": "Convert it with numpy.savez",
    "train torn": ("2 of 2 images cannot be read. cat/1.png", "dog/2.png", "--skip-bad"),
    "train t.csv --target qualty": "Did you mean 'quality'?",
    "data info missing.h5": "missing.h5",
    "data fetch --mirror nonsense": "mirror",
    "data check nothing": "expected at least two sub-folders",
    "data check photos.npz --target pet": "target does not apply",
    "train digits --on-disk --model mlp": "does not apply here",
    # values
    "train pets --model CNN": "Did you mean 'cnn'?",
    "train pets --model gone.toml": "Give a TOML file",
    "train pets --optimizer Adam": "Did you mean 'adam'?",
    "train pets --loss mse": "Did you mean 'mean_squared_error'?",
    "run pets --loss hinge": ("--loss", "probabilities", "pellucid train"),
    "run pets --photo nothing.jpg": "nothing.jpg",
    "run moons --photo nothing.jpg": "--photo: the samples of moons are not photos. Leave it out.",
    "train photos.npz --form dual --optimizer adam --out new --quiet": "dual",
    "train photos.npz --loss hinge --label-smoothing 0.1 --out new --quiet": "label_smoothing",
    "run t.csv --target quality,big": "for several labels use `pellucid train`",
    "train pets --out notes.txt/below": "notes.txt/below",
    "train pets --epochs ten": "a whole number of at least 1",
    "train pets --image-size 64,64": "such as 64x64",
    "train pets --patience 5": "set validation (--validation) too, such as 0.2",
    "train pets --augment yes": "Known: none, photo",
    "train digits --model cnn": "Try model 'cnn-small'",
    "find-lr digits --min-lr 1 --max-lr 0.1": "--max-lr",
    "find-lr digits --model logistic --optimizer lbfgs --batch-size 0": "no learning rate to find",
    # networks that cannot be trained
    f"{TRAIN} sources.toml": "line 5: Graph: node 'a': expected a source",
    f"{TRAIN} units.toml": "do not fit in memory",
    # compiling finds it before the folder is begun
    **({f"{TRAIN} factor.toml": "Try a smaller batch, a smaller image size"} if HAS_NUMBA else {}),
    # models and runs
    "evaluate mlp digits": "mlp is a preset, not a trained model: `pellucid train DATA --model mlp` makes one.",
    "evaluate nowhere": "`pellucid train` or `pellucid run` makes one",
    "evaluate m.safetensors names.npz": ("names.npz", "dark, bright", "green"),
    "evaluate m.safetensors size.npz": ("size.npz", "(6, 6, 3)", "(5, 6, 3)"),
    "evaluate nan.safetensors photos.npz": "NaN",
    "evaluate m.safetensors photos.npz -o used": "not empty",
    "predict pets/cat/0.png trained": "the model comes first",
    "predict trained nophoto.jpg": "Check the path",
    "predict trained text.jpg cut.jpg": "none of 2 images can be read",
    "predict broken.safetensors photo.jpg": "broken.safetensors",
    "predict m.safetensors photo.jpg --resume": "--resume is for --out",
    "predict m.safetensors photo.jpg --overwrite": "--overwrite is for --out",
    "predict m.safetensors photo.jpg --out r.csv --json": "Leave --json and --jsonl out",
    "predict m.safetensors photo.jpg --out r.csv --resume --overwrite": "Leave one out",
    "predict m.safetensors photo.jpg --out r.txt": "ends in .csv or .jsonl",
    "predict m.safetensors photo.jpg --out mine.csv": "is there already",
    "predict m.safetensors photo.jpg -0": "Add - for them",
    "report trained/model.safetensors": "Name the folder, trained.",
    "report nowhere": "nowhere: not a run folder: there is no such folder. `pellucid run` makes one.",
    "report nothing": "it lacks model.safetensors, history.jsonl, config.toml, metrics.json. `pellucid run`",
    "report photos.npz": "photos.npz: not a run folder: it is a file. `pellucid run` makes one.",
    "report labels": "the report is of one class a sample or of numbers to predict, this model is of multi-",
    "report hinge": "hinge gives none",
    "report trained --data size.npz --other-data --full": (
        "takes samples of shape (6, 6, 3)",
        "has (5, 6, 3)",
    ),
    **dict.fromkeys(
        ("report nan", "influence nan", "explain nan photo.jpg", "predict nan photo.jpg"), "'dense_1.W' holds"
    ),
    "train pets --out trained": "--resume to go on, --overwrite to start again",
    "train pets --resume --out nowhere": "Name its folder with --out",
    # robustness
    "robustness trained --perturbations rotate": "Did you mean 'rotation'?",
    f"{ROBUST} --perturbations blur,hue --strengths 3": "--strengths: expected one perturbation in --perturbations",
    f"{ROBUST} --perturbations blur --strengths 3,x": "to be FLOAT,... such as 5,10,15, got '3,x'",
    f"{ROBUST} --sample 99 -o new": "expected sample to be the number of a test photo, 0 to 7, got 99",
    f"{ROBUST} --perturbations blur -o used": "not empty",
    "robustness m.safetensors size.npz": ("size.npz", "photos of shape (6, 6, 3)", "got (5, 6, 3)"),
    # influence
    "influence trained --samples 0,99": "from 0 to 7, got 99.",
    "influence trained --samples three": "numbers of test samples such as 3,17,20, got 'three'",
    "influence trained --data gone.npz": "gone.npz",
    "influence trained --data changed.npz": "not what this run saw",
    "influence trained --samples 0 -o used": "the folder is not empty",
    "influence trained --samples 0 -o notes.txt": "expected a folder, found a file",
    "influence nowhere": "there is no such folder",
    "influence size": "one class a sample",
    # explain
    f"{EXPLAIN} text.jpg": ("text.jpg", "not in an image format"),
    f"{EXPLAIN} photo.jpg --data drawn-cats": ("--data", "(6, 6, 3)"),
    f"{EXPLAIN} photo.jpg --data nowhere.npz": "nowhere.npz",
    f"{EXPLAIN} photo.jpg -o used": ("not empty", "--overwrite"),
    # compare
    f"{COMPARE} gone.safetensors": "there is no such model file",
    f"{COMPARE} mlp --jobs 2": "--jobs is for --cv or --seeds. Add --cv or --seeds",
    f"{COMPARE} mlp --workers 2": "--workers is for --cv or --seeds",
    f"{COMPARE} --seeds 5 --jobs 2 --workers 2": "--jobs: it counts processes",
    f"{COMPARE} --seeds 2 --cluster tcp://127.0.0.1:9 --workers 2": "one of both",
    f"{COMPARE} --cv five": "--cv: expected FOLDSxREPEATS",
    f"{COMPARE} --cv 5x3 --seeds 5": "choose one",
    f"{COMPARE} --cv 21x1": "has 20 of 'dark'. Take 20 folds or fewer",
    f"{COMPARE} --cv 3x1 --on-disk": "stay in their file (on_disk), and this needs all of them in memory",
    f"{COMPARE} m.safetensors --seeds 5": "B (",
    f"{COMPARE} nan.safetensors": "nan.safetensors: 'dense_1.W' holds",
    f"{COMPARE} other.safetensors": "the model knows the classes left, right",
    f"{COMPARE} mlp -o notes.txt": "expected a folder, found a file",
    f"{COMPARE} mlp --learning-rate 1e200 -o new": "the loss became",
    "compare m.safetensors --data photos.npz --cv 5x3": "this model has seen most of them",
    "compare m.safetensors m.safetensors --data photos.npz --epochs 5": "are trained already. Leave it out",
    "compare cnn mlp --data t.csv --target quality": "A (cnn)",
    # sweep
    f"{SWEEP} --space nowhere.toml": "nowhere.toml: cannot be read",
    f"{SWEEP} --space space.toml --metric roc": "unknown --metric 'roc'",
    f"{SWEEP} --space space.toml --cv 1x1": "--cv: expected FOLDSxREPEATS",
    f"{SWEEP} --space space.toml --resume": "--resume is for --out",
    f"{SWEEP} --space space.toml --resume -o nowhere": "--resume: nowhere holds no sweep",
    f"{SWEEP} --space space.toml -o old-sweep": "of an older version (results.jsonl)",
    # pictures and other files
    "data augment photo.jpg --augment photo-cut": "Did you mean 'photo-cutmix'",
    "data augment none.png": "no such file",
    "data augment photo.jpg -o sheet.jpg": ("a PNG picture is written", "sheet.png"),
    "find-lr digits -o a.jpg": ("a PNG picture is written", "a.png"),
    "data check photos.npz -o sheet.jpg": ("a PNG picture is written", "sheet.png"),
    "data check photos.npz -o photos.npz/sheet.png": "could not be written",
    "data check photos.npz -o old.png": ("old.png", "--overwrite"),
    "data augment photo.jpg -o old.png": "--overwrite",
    "find-lr digits -o old.png": "--overwrite",
    "export trained --to script --raw": "--raw is an option of --to onnx",
    "export trained --to script --title Digits": "--title is an option of --to html",
    "export trained --to script -o mine.csv": "is there already",
    "export nowhere --to script": "nowhere",
}
if importlib.util.find_spec("onnx"):
    MISTAKES |= {
        ONNX: "some are free",
        f"{SIZED} -o a.onnx": ".safetensors",
        f"{SIZED} -o m.safetensors": "is there already",
        "import no.onnx": "not",
        "import missing.onnx": "there is no such file",
    }
if all(importlib.util.find_spec(name) for name in ("fastapi", "uvicorn", "python_multipart")):
    MISTAKES |= {
        "serve nowhere.safetensors": "nowhere.safetensors",
        "serve m.safetensors m.safetensors": "two models are called 'm'",
        "serve m.safetensors --host 0.0.0.0": "there is no token. Set PELLUCID_TOKEN",
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, models, runs and files of every kind, good and bad ones."""
    folder, rng = tmp_path_factory.mktemp("refused"), np.random.default_rng(7)
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name in ("pets/cat", "pets/dog", "flat", "nothing"):
        (folder / name).mkdir(parents=True)
        for i in range(4 * (name != "nothing")):
            Image.fromarray(rng.integers(0, 255, (10, 10, 3), dtype=np.uint8)).save(
                folder / name / f"{i}.png"
            )
    Image.new("RGB", (40, 40)).save(folder / "photo.jpg")
    Image.new("RGB", (9, 9)).save(folder / "old.png")
    (folder / "cut.jpg").write_bytes((folder / "photo.jpg").read_bytes()[:400])
    rows = [f"{x:.3f},{2 * x:.3f},{int(x > 0)},{int(x > 1)}" for x in rng.normal(size=30)]
    (folder / "t.csv").write_text("\n".join(["a,b,quality,big", *rows]))
    with np.load(save_photos(folder / "photos.npz")) as photos:
        X, y, classes = photos["X"], photos["y"], photos["classes"]
    np.savez(folder / "names.npz", X=X, y=y, classes=np.array(["dark", "green"]))
    np.savez(folder / "changed.npz", X=X ^ 1, y=y, classes=classes)
    np.savez(folder / "size.npz", X=X[:, :5], y=y, classes=classes)
    for data, run in (
        ("photos.npz", "trained"),
        ("photos.npz --loss hinge", "hinge"),
        ("t.csv --target a", "size"),
        ("t.csv --target quality,big", "labels"),
    ):
        line = f"train {folder}/{data} --model logistic --epochs 2 --quiet --out {folder}/{run}"
        assert main(line.split()) == 0
    network = pl.load(folder / "trained")
    pl.save(network, folder / "m.safetensors")
    shutil.copytree(folder / "trained", folder / "nan")
    network.theta[...] = np.nan
    for name in ("nan.safetensors", "nan/model.safetensors"):
        pl.save(network, folder / name)
    network.theta[...] = 0
    network.classes = ("left", "right")
    pl.save(network, folder / "other.safetensors")
    if importlib.util.find_spec("onnx"):
        net = Net()
        flat = net.add("Flatten", net.add("GlobalAveragePool", net.conv("x", 4, 3)))
        net.file(folder / "net.onnx", net.head(flat, 4), ("n", 3, "height", "width"))
    return folder


def written(folder: Path) -> dict[Path, int]:
    """Return when each file was written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@every("line, words", MISTAKES.items())
def test_a_mistake_gets_what_to_do_instead(
    pellucid: Command, folder: Path, monkeypatch: pytest.MonkeyPatch, line: str, words: str | tuple[str, ...]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.delenv("PELLUCID_TOKEN", raising=False)
    before = written(folder)
    done = pellucid(*line.split())
    assert_refused(done, *([words] if isinstance(words, str) else words))
    assert done.out == ""
    assert done.err.startswith("pellucid: ")
    assert done.err.rstrip().endswith((".", "?", ".safetensors"))
    assert len(done.err) < 700
    assert written(folder) == before
