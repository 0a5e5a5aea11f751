"""The trials of a sweep: options drawn by scikit-learn's samplers, each made a training that is ready to begin."""

import json
from collections.abc import Mapping
from typing import Any

from pellucid.data.source import DataSource
from pellucid.errors import OptionError, PellucidError
from pellucid.evaluation.sweep.space import MODEL, OF_NAMED, Range, Space, is_of_network
from pellucid.registry import flags_of
from pellucid.runs.build import plan
from pellucid.runs.candidates import Candidate
from pellucid.runs.config import is_preset
from pellucid.training.options import TrainingOptions

SEARCHES = ("random", "grid", "halving")
FACTOR = 3  # of successive halving: the best third goes on, with three times as many epochs
MOST_TRIALS = 10_000


def draw(space: Space, search: str, n_trials: int | None, seed: int) -> list[dict[str, Any]]:
    """Return the options of each trial, all different.

    Parameters
    ----------
    space : Space
    search : {"random", "grid", "halving"}
        "halving" draws as "random" does.
    n_trials : int or None
        None: all of a grid, else 20. Fewer where there are no more combinations.
    seed : int

    Raises
    ------
    OptionError
        If a grid has a range without steps, or more combinations than may be tried.

    Examples
    --------
    >>> from pellucid.evaluation.sweep.space import read_space
    >>> space = read_space({"batch_size": [16, 32], "epochs": {"range": [5, 15], "steps": 2}}, "mlp")
    >>> draw(space, "grid", None, 1)
    [{'batch_size': 16, 'epochs': 5}, {'batch_size': 16, 'epochs': 15}, ...]
    """
    from sklearn.model_selection import ParameterGrid, ParameterSampler

    n_there_are = space.n_combinations
    if search == "grid":
        for name, values in space.entries.items():
            if isinstance(values, Range):
                raise OptionError(
                    f"--search grid: {name} is a range. Say how many values of it are tried, such as steps = 5, or "
                    "take --search random."
                )
        if n_there_are is None or n_there_are > MOST_TRIALS:
            raise OptionError(
                f"--search grid: {n_there_are} combinations are too many. Take --search random."
            )
        choices: dict[str, Any] = {name: [*map(_Held, values)] for name, values in space.entries.items()}  # type: ignore[arg-type]
        found = [_opened(one, space) for one in ParameterGrid(choices)]
        return found[:n_trials]
    n = min(n_trials or 20, n_there_are or MOST_TRIALS)
    choices = {
        name: values if isinstance(values, Range) else [*map(_Held, values)]
        for name, values in space.entries.items()
    }
    sampled = (_opened(one, space) for one in ParameterSampler(choices, n, random_state=seed))
    drawn = {json.dumps(one, sort_keys=True): one for one in sampled}
    return list(drawn.values())


class _Held:
    """A value as it is: scikit-learn would make arrays of lists."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _opened(drawn: Mapping[str, Any], space: Space) -> dict[str, Any]:
    return {name: getattr(drawn[name], "value", drawn[name]) for name in space.entries}


def make_candidates(
    trials: Mapping[int, Mapping[str, Any]], model: str, data: DataSource | str, training: Mapping[str, Any]
) -> dict[int, Candidate | str]:
    """Return what is trained in each trial, by its number; where its options contradict one another, why.

    Raises
    ------
    PellucidError
        If all of them do: the reason of the first.
    """
    found: dict[int, Candidate | str] = {}
    first: PellucidError | None = None
    for number, options in trials.items():
        try:
            found[number] = make_candidate(number, options, model, data, training)
        except PellucidError as error:
            first, found[number] = first or error, str(error)
    if first is not None and all(isinstance(one, str) for one in found.values()):
        raise first
    return found


def make_candidate(
    number: int,
    options: Mapping[str, Any],
    model: str,
    data: DataSource | str,
    training: Mapping[str, Any],
) -> Candidate:
    """Return the training of one trial; an error where its options contradict one another."""
    source = str(options.get(MODEL, model))
    config, architecture, _ = plan(
        source, data, changes=changes_of(options), **{**training, **fields_of(options)}
    )
    assert is_preset(source) is (architecture is None)
    return Candidate(f"trial {number}", source, config=config, architecture=architecture)


def changes_of(options: Mapping[str, Any]) -> dict[tuple[str | int, ...], Any]:
    """Return the options of the network, by their place in its file."""
    return {tuple(name.split(".")): value for name, value in options.items() if is_of_network(name)}


def fields_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the training, by the fields of TrainingOptions.

    Examples
    --------
    >>> fields_of({"epochs": 5, "optimizer_options.momentum": 0.9, "layers.1.units": 3})
    {'n_epochs': 5, 'optimizer_options': {'momentum': 0.9}}
    """
    flags = flags_of(TrainingOptions)
    found: dict[str, Any] = {}
    for name, value in options.items():
        top, _, rest = name.partition(".")
        if top in OF_NAMED:
            found.setdefault(top, {})[rest] = value
        elif name in flags:
            found[flags[name]] = value
    return found


def rounds_of(search: str, n_trials: int, n_epochs: int) -> list[int]:
    """Return the epochs of each round of successive halving; of another search one round of as many as asked for.

    Examples
    --------
    >>> rounds_of("halving", 27, 90), rounds_of("random", 27, 90), rounds_of("halving", 27, 4)
    ([3, 10, 30, 90], [90], [1, 4])
    """
    lengths = [n_epochs]
    while search == "halving" and n_trials >= FACTOR and lengths[0] >= FACTOR:
        lengths.insert(0, lengths[0] // FACTOR)
        n_trials = -(-n_trials // FACTOR)
    return lengths
