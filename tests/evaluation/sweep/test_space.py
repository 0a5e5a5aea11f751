"""The space of a sweep, and its study in a folder."""

import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.errors import FormatError, OptionError, OutputError
from pellucid.evaluation.sweep.result import Trial
from pellucid.evaluation.sweep.space import Space, read_space
from pellucid.evaluation.sweep.study import Search, Study, clear_study, count_trials, joined

NET = """
[[layers]]
type = "Flatten"
[[layers]]
type = "Dense"
units = 3
[[layers]]
type = "Dense"
units = 1
"""
BAD = {
    "": "the space is empty",
    "learning_rate = {": "line 1",
    "\nlerning_rate = [0.1]": "line 2: unknown option 'lerning_rate'. Did you mean 'learning_rate'?",
    "seed = [1, 2]": "line 1: unknown option 'seed'",
    "learning_rate = 0.1": "line 1: learning_rate: expected a list of values",
    "learning_rate = []": "line 1: learning_rate: expected a list of values",
    "learning_rate = [0.1, -1]": "line 1: training: expected learning_rate to be a number above 0",
    'learning_rate = ["fast"]': "line 1: training: expected learning_rate to be a number",
    "learning_rate = { log = [0.1] }": "line 1: learning_rate: expected numbers such as",
    "learning_rate = { log = [0.1, 0.01] }": "line 1: learning_rate: expected numbers such as",
    "learning_rate = { log = [0, 1] }": "line 1: learning_rate: expected numbers such as",
    "learning_rate = { log = [true, 1] }": "expected two numbers, got [True, 1]",
    "learning_rate = { log = [nan, 1] }": "expected two numbers, got [nan, 1]",
    "learning_rate = { range = [1, inf] }": "expected two numbers, got [1, inf]",
    "learning_rate = { log = [0.1, 1], range = [0, 1] }": "line 1: learning_rate: expected numbers such as",
    "learning_rate = { lgo = [0.1, 1] }": "line 1: unknown key of learning_rate 'lgo'. Did you mean 'log'?",
    "learning_rate = { log = [0.1, 1], stesp = 3 }": "line 1: unknown key of learning_rate 'stesp'",
    "learning_rate = { log = [0.1, 1], steps = 1 }": "expected steps to be a whole number",
    "epochs = { range = [0.5, 9] }": "line 1: training: expected epochs to be a whole number",
    'optimizer = ["adma"]': "line 1: unknown optimizer 'adma'. Did you mean 'adam'?",
    'optimizer = [{ type = "sgd", momentun = 1 }]': "line 1: sgd: unknown option 'momentun'",
    "optimizer_options = [1]": "line 1: optimizer_options: expected optimizer_options.NAME",
    'model = ["mpl"]': "line 1: unknown preset 'mpl'. Did you mean 'mlp'?",
    'model = ["nowhere.toml"]': "line 1: model = 'nowhere.toml': nowhere.toml: cannot be read",
    "model = [3]": "line 1: unknown preset",
    'model = ["mlp"]\nlayers.1.units = [3]': "line 1: model: options of layers are those of one network",
    "layers = [3]": "line 1: layers = 3: ",
    "layers.1 = [3]": "line 1: layers.1 = 3: ",
    "layers.1.units = [3, 0]": "line 1: layers.1.units = 0: ",
    "epochs = [3]\n\nlayers.7.units = [3]": "line 3: layers.7.units = 3: ",
    "layers.1.untis = [3]": "line 1: layers.1.untis = 3: ",
    "layers.one.units = [3]": "line 1: layers.one.units = 3: ",
    "layers.1.units.more = [3]": "line 1: layers.1.units.more = 3: ",
    "[layers.1]\nunits = 3": "line 2: layers.1.units: expected a list of values",
    "[layers.1]": "line 1: layers.1: expected options with their values, got an empty table",
}


@pytest.fixture
def net(tmp_path: Path) -> str:
    path = tmp_path / "net.toml"
    path.write_text(NET)
    return str(path)


@every("text", BAD)
def test_what_is_wrong_is_one_line_that_names_it(text: str, net: str, tmp_path: Path) -> None:
    space = tmp_path / "space.toml"
    space.write_text(text)
    with pytest.raises(FormatError) as caught:
        read_space(space, net)
    message = str(caught.value)
    assert message.startswith(str(space))
    assert BAD[text] in message
    assert "\n" not in message


def test_layers_of_a_preset_are_refused() -> None:
    with pytest.raises(FormatError, match="mlp is a preset"):
        read_space({"layers.1.units": [3]}, "mlp")
    with pytest.raises(OptionError, match="expected options with lists of values"):
        read_space({"epochs": [object()]}, "mlp")


def drawn(space: Space, kind: str, n: int | None, seed: int, folder: Path) -> list[dict[str, Any]]:
    """Return what is tried, nothing trained."""
    search = Search(kind, space, ("accuracy",), seed, count_trials(kind, space, n), 1)
    folder = folder / f"{kind}-{n}-{seed}"
    folder.mkdir()
    study, found = Study(folder, search), []
    while (claimed := study.next_trial()) is not None:
        trial, lock = claimed
        found.append(space.options(trial.params))
        study.tell(trial, lock, Trial(1, {}, (), "not trained"))
    return found


def test_draws_are_in_their_ranges_and_repeat(net: str, tmp_path: Path) -> None:
    space = read_space(
        {
            "learning_rate": {"log": [1e-4, 1e-1]},
            "epochs": {"range": [3, 5]},
            "weight_decay": {"range": [0.0, 0.5]},
            "layers.1.units": {"log": [2, 64]},
            "optimizer": ["adam", {"type": "sgd", "momentum": 0.5}],
        },
        net,
    )
    found = drawn(space, "random", 60, 3, tmp_path)
    assert found[:20] == drawn(space, "random", 20, 3, tmp_path)  # more trials begin with the same
    assert found[:20] != drawn(space, "random", 20, 4, tmp_path)
    assert len({str(one) for one in found}) == 60
    assert {one["epochs"] for one in found} == {3, 4, 5}
    assert all(1e-4 <= one["learning_rate"] <= 0.1 for one in found)
    assert all(one["learning_rate"] == float(f"{one['learning_rate']:.4g}") for one in found)
    assert np.median([one["learning_rate"] for one in found]) < 0.01  # evenly it would be 0.05
    assert all(isinstance(one["layers.1.units"], int) and 2 <= one["layers.1.units"] <= 64 for one in found)
    assert {str(one["optimizer"]) for one in found} == {"adam", "{'type': 'sgd', 'momentum': 0.5}"}


def test_grids_are_all_combinations_and_want_steps(net: str, tmp_path: Path) -> None:
    space = read_space({"batch_size": [8, 16], "epochs": {"range": [1, 9], "steps": 3}}, net)
    grid = drawn(space, "grid", None, 1, tmp_path)
    assert grid == [{"batch_size": size, "epochs": epochs} for size in (8, 16) for epochs in (1, 5, 9)]
    some = drawn(space, "random", 50, 1, tmp_path)
    assert some != grid
    assert sorted(map(str, some)) == sorted(map(str, grid))  # each once
    with pytest.raises(OptionError, match="learning_rate is a range"):
        count_trials("grid", read_space({"learning_rate": {"log": [0.1, 1]}}, net), None)
    with pytest.raises(OptionError, match="too many"):
        count_trials("random", read_space({"learning_rate": {"log": [0.1, 1]}}, net), 10_001)


def test_the_spaces_of_the_documentation_are_read() -> None:
    root = Path(__file__).parents[3]
    net = root / "examples/sweep-net.toml"
    assert len(read_space(root / "examples/space.toml", str(net)).entries) == 6
    page = (root / "docs/sweep.md").read_text(encoding="utf-8")
    block = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0]
    space = read_space(tomllib.loads(block), "mlp")
    assert space.entries["batch_size"] == [16, 32, 64, 128, 256]


SEARCH = Search("random", Space({"epochs": [1, 2, 3]}, {}), ("accuracy",), 1, 2)
HOLDER = """
import sys
from pathlib import Path
from pellucid.evaluation.sweep.space import Space
from pellucid.evaluation.sweep.study import Search, Study

search = Search("random", Space({"epochs": [1, 2, 3]}, {}), ("accuracy",), 1, 2)
trial, lock = Study(Path(sys.argv[1]), search).next_trial()
print(trial.number, trial.params["epochs"], flush=True)
sys.stdin.read()
"""


def test_a_trial_whose_process_is_killed_is_taken_over(tmp_path: Path) -> None:
    study = Study(tmp_path, SEARCH)
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        number, epochs = holder.stdout.readline().split()
        mine = study.next_trial()
        assert mine is not None
        assert (number, mine[0].number) == ("0", 1)
        with pytest.raises(OutputError, match="another command works"):
            clear_study(tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    theirs = study.next_trial()  # there are two: none is left to be begun
    assert theirs is not None
    assert theirs[0].number == 0
    assert theirs[0].params == {"epochs": epochs}
    for _, lock in (mine, theirs):
        lock.release()


def test_a_study_stays_while_a_command_works_on_it_between_two_trials_too(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    with joined(folder), joined(folder), pytest.raises(OutputError, match="another command works"):
        clear_study(folder)
    clear_study(folder)
    assert not folder.exists()


def test_a_process_killed_while_it_drew_leaves_a_trial_that_is_drawn_to_its_end(tmp_path: Path) -> None:
    search = Search("tpe", Space({"epochs": [1, 2, 3], "batch_size": [4, 8]}, {}), ("accuracy",), 1, 5)
    study = Study(tmp_path, search)
    study._study.ask().suggest_categorical("epochs", ["1", "2", "3"])
    claimed = study.next_trial()
    assert claimed is not None
    assert claimed[0].number == 0
    assert claimed[0].params.keys() == {"epochs", "batch_size"}
    claimed[1].release()
