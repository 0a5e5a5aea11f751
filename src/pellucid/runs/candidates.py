"""What is trained many times or compared: trained models from files, presets and TOML files."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.dataset import Split
from pellucid.errors import OptionError, PellucidError
from pellucid.formats.architecture import Architecture
from pellucid.formats.safetensors import load
from pellucid.nn.by_name import check_names_a_file
from pellucid.nn.model import Model
from pellucid.nn.presets import PRESETS
from pellucid.runs.build import fit_run, initialize, make_model, plan
from pellucid.runs.config import RunConfig
from pellucid.training.events import Callback
from pellucid.training.fit import kernels_for
from pellucid.training.history import History
from pellucid.training.training_cache import TrainingCache


@dataclass(frozen=True, eq=False)
class Candidate:
    """One side of a comparison.

    Attributes
    ----------
    letter : str
        "A" or "B".
    source : str
        As it was named: a preset, a TOML file, a model file or a run folder.
    model : Model or None
        Trained, where the source is a model file or a run folder.
    config : RunConfig or None
        Of one that is yet to be trained.
    architecture : Architecture or None
        Of a TOML file.
    is_in_kernels : bool
        Whether its training is spent in compiled kernels, many steps at a time.
    """

    letter: str
    source: str
    model: Model | None = None
    config: RunConfig | None = None
    architecture: Architecture | None = None
    is_in_kernels: bool = False

    @property
    def is_trained(self) -> bool:
        """Whether it came from a model file."""
        return self.model is not None

    @property
    def title(self) -> str:
        """Letter and source, for messages: ``A (mlp)``."""
        return f"{self.letter} ({self.source})"


def find_candidate(letter: str, source: str | Path | Model, **options: Any) -> Candidate:
    """Return what a source names.

    Parameters
    ----------
    letter : str
    source : str, Path or Model
        A preset, a ``.toml`` file, a model file, a run folder that holds one, or a trained model itself.
    **options
        Of the training of a preset or TOML file: see :func:`pellucid.runs.build.plan`.

    Raises
    ------
    OptionError, FormatError
        If it does not exist, or an option is wrong.

    Examples
    --------
    >>> find_candidate("A", "mlp", n_epochs=10).config.options.n_epochs
    10
    >>> find_candidate("A", "mpl")
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: A: unknown preset 'mpl'. Did you mean 'mlp'? Known: cnn, ...
    """
    if isinstance(source, Model):
        if not source._is_initialized:
            raise OptionError(f"{letter}: train the model first, or name a preset or a .toml file.")
        return Candidate(letter, type(source).__name__, model=source)
    name = str(source)
    if name in PRESETS or name.lower().endswith(".toml"):
        config, architecture, *_ = plan(name, **options)
        return Candidate(letter, name, config=config, architecture=architecture)
    check_names_a_file(name, letter)
    return Candidate(letter, name, model=load(Path(name).expanduser()))


def train_candidate(
    candidate: Candidate,
    split: Split,
    *,
    seed: int | None = None,
    n_threads: int | None = None,
    draws_start: bool = False,
    callbacks: Sequence[Callback] = (),
    resume: Path | None = None,
    shared: TrainingCache | None = None,
) -> tuple[Model, History]:
    """Train a preset or TOML file again by its recipe, on the training part.

    Parameters
    ----------
    candidate : Candidate
        Not a trained one; it stays as it is.
    split : Split
    seed : int, optional
        Instead of the recipe's.
    n_threads : int, optional
        Where the recipe leaves it open.
    draws_start : bool, optional
        True: a network that begins from the tutorial's published weights draws them from ``seed`` too, as if the
        tutorial had said ``np.random.seed(seed)``; 1 gives the published ones. Else every seed gives those.
    callbacks : sequence of callable, optional
    resume : Path, optional
        A folder of checkpoints to go on from.
    shared : TrainingCache, optional
        What it has in common with other trainings on the same samples.
    """
    assert candidate.config is not None
    options = candidate.config.options
    given: dict[str, Any] = {"seed": seed, "n_threads": options.n_threads or n_threads}
    options = replace(options, **{k: v for k, v in given.items() if v is not None})
    config = replace(candidate.config, options=options)
    model = make_model(config, _fresh(candidate.architecture), split)
    if draws_start:
        initialize(model, split, options)
        draw_published_start(model, options.seed)
    return model, fit_run(model, split, config, callbacks, resume=resume, shared=shared)


def draw_published_start(model: Model, seed: int) -> None:
    """Draw the layers that begin from the published start from another seed of the same stream, in place.

    Parameters
    ----------
    model : Model
        Initialized. Layers with another initializer are left alone.
    seed : int, from 0 to 2**32 - 1
        1 gives the published start itself.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("mlp")
    >>> model.initialize((4,))
    >>> published = model.theta.copy()
    >>> draw_published_start(model, 2)
    >>> bool((model.theta == published).all())
    False
    >>> draw_published_start(model, 1)
    >>> bool((model.theta == published).all())
    True
    """
    from pellucid.nn.initializers import StartRandom

    rng = StartRandom(np.random.PCG64(seed))
    rng.published_seed = seed
    for leaf in model._leaves():
        initializer = getattr(leaf, "initializer", "")
        if initializer in ("published", "published_two_layer"):
            leaf.params["W"][...] = rng.draw(initializer, leaf.params["W"].shape)


def ready_to_train(candidate: Candidate, split: Split, n_trainings: int = 1) -> Candidate:
    """Return a candidate with the kernels that suit that many trainings; what they need is compiled.

    Raises
    ------
    PellucidError
        If a network cannot be made for the data; for a fault of a TOML file, with its line.
    """
    assert candidate.config is not None
    options = candidate.config.options
    try:
        model = make_model(candidate.config, _fresh(candidate.architecture), split)
        initialize(model, split, options)
        kernels, is_in_kernels = kernels_for(model, split.train, options, n_trainings)
    except PellucidError as error:
        raise type(error)(f"{candidate.title}: {error}") from None
    config = replace(candidate.config, options=replace(options, kernels=kernels))
    return replace(candidate, config=config, is_in_kernels=is_in_kernels)


def _fresh(architecture: Architecture | None) -> Architecture | None:
    """Return a file's network as a copy, not initialized, so that each training has one of its own."""
    return None if architecture is None else replace(architecture, model=copy.deepcopy(architecture.model))
