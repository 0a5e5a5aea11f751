"""What a training is asked to do: its options, declared once, each a name or an object in its place."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.augmentation.augment import AUGMENT_PRESETS, Augment
from pellucid.data.dataset import Dataset
from pellucid.dispatch import kernels_option
from pellucid.errors import OptionError, unknown_name
from pellucid.nn.model import Model
from pellucid.ops.losses.base import LOSSES, Loss
from pellucid.ops.losses.targets import default_loss
from pellucid.registry import Configurable, Registry, checked_names, flags_of, option, options_of
from pellucid.training.optimizers.base import OPTIMIZERS, Optimizer
from pellucid.training.recipes import GENERAL, RECIPES
from pellucid.training.schedules.base import SCHEDULES, Schedule
from pellucid.types import n_rows

AUTO = "auto"  # in place of a loss's name: what suits the outputs and the data
FORMS = ("auto", "direct", "dual")
FEWEST_TO_HOLD_OUT = 50  # samples from which a recipe holds out some for early stopping
NONE = "none"  # asked for instead of a recipe's augmentation
TABLES: Mapping[str, Registry[Any]] = {  # of what has options of its own
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "loss": LOSSES,
}


@dataclass(frozen=True)
class TrainingOptions(Configurable):
    """How a network is trained: what ``pellucid train`` takes, a [training] table holds and a run keeps.

    In Python, objects may stand where files hold names.

    Examples
    --------
    >>> TrainingOptions(n_epochs=10, optimizer="adam", learning_rate=0.001).batch_size
    0
    >>> TrainingOptions(n_epochs=0)
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: training: expected n_epochs to be a whole number of at least 1, got 0.
    """

    _registered_as = "training"

    n_epochs: int = option(at_least=1, flag="epochs", help="Passes over the training data.")
    batch_size: int = option(0, at_least=0, help="Samples per step; 0: the full batch.")
    learning_rate: float = option(0.0075, above=0, group="Optimizer", help="Step size of the optimizer.")
    optimizer: str | Optimizer = option(
        "sgd", choices=lambda: OPTIMIZERS, group="Optimizer", help="Update rule."
    )
    optimizer_options: dict[str, Any] = option(
        {}, group="Optimizer", help="Further options of the optimizer, such as momentum=0.9."
    )
    weight_decay: float = option(
        0.0, at_least=0, group="Optimizer", help="Strength of the L2 penalty on the weights."
    )
    schedule: str | Schedule | None = option(
        None, choices=lambda: SCHEDULES, group="Optimizer", help="Learning-rate schedule."
    )
    schedule_options: dict[str, Any] = option(
        {}, group="Optimizer", help="Options of the schedule, such as warmup=0.1."
    )
    augment: str | Augment | None = option(
        None,
        choices=lambda: (*AUGMENT_PRESETS, NONE),
        check=lambda name: None if name == NONE else name,
        help="Random augmentation of the training images.",
    )
    loss: str | dict[Any, Any] | Loss | None = option(
        None, choices=lambda: LOSSES, help="Loss function; default: chosen from outputs and targets."
    )
    loss_options: dict[str, Any] = option({}, help="Options of the loss, such as gamma=1.")
    label_smoothing: float | None = option(
        None,
        at_least=0,
        below=1,
        help="Fraction by which targets are moved towards the uniform distribution.",
    )
    class_weight: str | dict[Any, Any] | list[Any] | np.ndarray | None = option(
        None, choices=lambda: ("balanced",), help="Weigh classes inversely to their frequency."
    )
    validation: float | Dataset | np.ndarray | None = option(
        None, above=0, below=1, help="Fraction of the training data held out for validation."
    )
    patience: int | None = option(
        None, at_least=0, help="Stop after this many epochs without a lower validation loss."
    )
    minutes: float | None = option(
        None, above=0, help="Stop after this many minutes of training, with what it has."
    )
    positive: str | None = option(
        None,
        help="Of two classes, the one that sensitivity is of; default: the rarer, the second if about equal.",
    )
    weight_ema: float | None = option(
        None, above=0, below=1, help="Decay of an exponential moving average of the weights, such as 0.99."
    )
    scaling: str | None = option(
        None,
        choices=lambda: ("robust", "standardize"),
        help="How columns of tables are scaled, by the training part; default: commands standardize.",
    )
    precise_bn: bool = option(
        False, help="Recompute batch-norm statistics over the whole training set at the end."
    )
    seed: int = option(1, at_least=0, below=2**32, help="Random seed.")
    dtype: str | None = option(
        None,
        choices=lambda: ("float32", "float64"),
        group="Computation",
        help="Floating-point type; default: the model's.",
    )
    form: str = option(
        "auto", choices=lambda: FORMS, group="Computation", help="Form in which the first layer is trained."
    )
    n_threads: int | None = option(
        None,
        at_least=1,
        at_most=256,
        flag="threads",
        group="Computation",
        help="Cores to split each batch over; default: as many as pay off.",
    )
    kernels: str | None = kernels_option()
    shuffle: bool = option(True, in_config=False)
    sample_weight: Any = option(None, in_config=False)
    validation_weight: Any = option(None, in_config=False)  # of held-out samples that are given
    # In an epoch's loss a batch counts by its rows, as in scikit-learn; else by their weights.
    counts_rows: bool = option(False, in_config=False)

    def __post_init__(self) -> None:
        self._check_options()
        for kind, known in TABLES.items():
            if isinstance(name := getattr(self, kind), str) and (own := getattr(self, f"{kind}_options")):
                known.make(name, **own)  # refuses what is wrong before any data are read
        rule = OPTIMIZERS[self.optimizer] if isinstance(self.optimizer, str) else type(self.optimizer)
        if rule.is_full_batch and (self.batch_size or self.augment or self.schedule):
            raise OptionError(
                f"{rule.__name__}: it works on the whole batch and chooses its own steps: leave out batch_size, "
                "augment and schedule."
            )
        if self.patience is not None and self.validation is None:
            raise OptionError(
                "patience: early stopping watches held-out samples; set validation (--validation) too, such as 0.2."
            )
        if self.patience is not None and self.weight_ema is not None:
            raise OptionError(
                "weight_ema: early stopping (patience) restores the best epoch's weights. Leave one out."
            )

    @classmethod
    def resolve(
        cls, recipe: Mapping[str, Any], table: Mapping[str, Any] | None = None, **given: Any
    ) -> "TrainingOptions":
        """Return checked options: those given, else the file's, else the recipe's, else the defaults.

        Parameters
        ----------
        recipe : mapping
            Of a preset, from :data:`pellucid.training.recipes.RECIPES`, or ``GENERAL``.
        table : mapping, optional
            The ``[training]`` table of a network's file. One that names its optimizer takes nothing of the recipe
            that goes with another.
        **given
            Fields; None counts as not given.

        Raises
        ------
        OptionError
            Naming the option, what was wanted and what was given.

        Notes
        -----
        The recipe's label smoothing is left open (None): :meth:`for_data` takes it where the loss has it.

        Examples
        --------
        >>> from pellucid.training.recipes import GENERAL
        >>> TrainingOptions.resolve(GENERAL, {"optimizer": "adam"}, n_epochs=3).learning_rate
        0.001
        """
        below = _named_apart({name: value for name, value in recipe.items() if name != "label_smoothing"})
        if "optimizer" in (table or {}):
            below["optimizer"] = None
        own = _named_apart(table or {})
        above = _named_apart({name: value for name, value in given.items() if value is not None})
        merged = fill_from(fill_from(below, own), above)
        return cls(**checked_names(cls, merged))

    def for_data(self, recipe: Mapping[str, Any], y: Any) -> "TrainingOptions":
        """Return the options with what depends on the data decided: label smoothing, and what of the recipe fits.

        Where label smoothing is left open it is the recipe's if the loss takes it; else it stays open (None), which
        is that of the loss. A batch size as large as the data, or larger, becomes the full batch. What the recipe
        holds out for early stopping is trained on where samples are few or a class has a single one.

        Raises
        ------
        OptionError
            If labels are to be smoothed and the loss has no such option.
        """
        smoothing, takes_it, name = self.label_smoothing, False, "the loss"
        if isinstance(y, Mapping):
            name = "the joint loss of several outputs"
        elif self.loss is None or isinstance(self.loss, str):
            name = self.loss or default_loss(1, y)
            takes_it = (
                "label_smoothing" in options_of(LOSSES[name]) and "label_smoothing" not in self.loss_options
            )
        if not takes_it and not smoothing:
            smoothing = None
        elif smoothing is None:
            smoothing = recipe.get("label_smoothing")
        elif not takes_it:
            is_own = "label_smoothing" in self.loss_options
            why = "has it among its own options already" if is_own else "takes none"
            cure = "set it for each output's loss" if isinstance(y, Mapping) else "choose a cross-entropy"
            raise OptionError(f"label_smoothing: {name} {why}. Leave it out, or {cure}.")
        held: dict[str, Any] = {"validation": self.validation, "patience": self.patience}
        if self.patience is not None and all(recipe.get(key) == held[key] for key in held) and are_few(y):
            held = dict.fromkeys(held)
        m: float = n_rows(y)
        if isinstance(held["validation"], float) and self.batch_size == recipe.get("batch_size"):
            m *= 1 - 1.5 * held["validation"]  # of groups some more are held out
        batch_size = self.batch_size if self.batch_size < m else 0
        return dataclasses.replace(self, label_smoothing=smoothing, batch_size=batch_size, **held)

    def to_table(self) -> dict[str, Any]:
        """Return the options that are set by the names that files use."""
        values = {flag: getattr(self, name) for flag, name in flags_of(type(self)).items()}
        return {flag: value for flag, value in values.items() if value is not None and value != {}}

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "TrainingOptions":
        """Return the options of a :meth:`to_table`; an OptionError where a key or value is wrong."""
        flags = flags_of(cls)
        for key in table:
            if key not in flags:
                raise OptionError(f"training: {unknown_name('option', key, flags)}")
        return cls(**checked_names(cls, {flags[key]: value for key, value in table.items()}))


def are_few(y: Any) -> bool:
    """Return whether nothing should be held out of samples for a choice by it."""
    is_label = isinstance(y, np.ndarray) and y.ndim == 1 and y.dtype.kind in "biu"
    return n_rows(y) < FEWEST_TO_HOLD_OUT or (is_label and np.unique(y, return_counts=True)[1].min() < 2)


def fill_from(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``above``, with what it leaves out taken from ``below`` where it fits.

    Options of a schedule or loss do not fit another one; a learning rate, weight decay and schedule chosen for one
    optimizer do not fit another, which takes its own defaults. One that works on the full batch takes neither batch
    size nor augmentation.

    Examples
    --------
    >>> from pellucid.training.recipes import GENERAL
    >>> fill_from(GENERAL, {"optimizer": "sgd", "n_epochs": 5})["learning_rate"]
    0.0075
    """
    fill = dict(below)
    for kind in TABLES:
        if kind in above:
            fill.pop(f"{kind}_options", None)
    loss = above.get("loss")
    if isinstance(loss, str) and loss in LOSSES and "label_smoothing" not in options_of(LOSSES[loss]):
        fill.pop("label_smoothing", None)
    rule = above.get("optimizer", fill.get("optimizer"))
    name = rule._registered_as if isinstance(rule, Optimizer) else rule
    if name != fill.get("optimizer"):
        known = OPTIMIZERS[name] if name in OPTIMIZERS else type(rule)
        rival = {"schedule", "schedule_options", "learning_rate", "weight_decay"}
        if getattr(known, "is_full_batch", False):
            rival |= {"batch_size", "augment"}
        fill = {name: value for name, value in fill.items() if name not in rival}
        if name in OPTIMIZERS:
            usual = OPTIMIZERS.make(name).config()
            fill |= {name: usual[name] for name in ("learning_rate", "weight_decay") if name in usual}
    return {**fill, **above}


def _named_apart(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a [training] table with the options of optimizer, schedule and loss next to their names."""
    flat = dict(table)
    if flat.get("loss") == AUTO:
        flat["loss"] = {"type": AUTO}
    for kind, known in TABLES.items():
        given = flat.get(kind)  # a dictionary of losses without a type has one for each output
        if isinstance(given, Mapping) and given.get("type", AUTO if kind == "loss" else "") != AUTO:
            flat[kind], flat[f"{kind}_options"] = known.split(given)
    return flat


def recipe_of(model: Model) -> dict[str, Any]:
    """Return the recipe of the preset that a model was made from, else the general one."""
    return GENERAL if model._recipe is None else RECIPES[model._recipe]


def fill_in(model: Model, data: Dataset, given: Mapping[str, Any]) -> TrainingOptions:
    """Return the options of a training.

    Parameters
    ----------
    model : Model
        A preset brings its recipe, from which comes what is left out.
    data : Dataset
    given : mapping
        Arguments of :func:`pellucid.training.fit.train`; None counts as left out.

    Raises
    ------
    OptionError
        If an option is wrong, or the number of epochs is left out and nothing brings it.
    """
    named = {name: value for name, value in given.items() if value is not None}
    apart = {name: named.pop(name) for name in ("shuffle", "sample_weight") if name in named}
    recipe = {} if model._recipe is None else RECIPES[model._recipe]
    optimizer = named.get("optimizer")
    if isinstance(optimizer, Optimizer):
        for name in ("learning_rate", "weight_decay"):
            if name in named:
                raise OptionError(
                    f"train: {name} is the optimizer's own; give it to {type(optimizer).__name__}."
                )
        if optimizer.is_full_batch and "n_epochs" not in {**recipe, **named}:
            named["n_epochs"] = getattr(optimizer, "max_iterations", 1) + 1
    if "n_epochs" not in {**recipe, **named}:
        raise OptionError(
            "train: n_epochs is missing. Say how many passes over the data to make, such as n_epochs=50; only a "
            "preset brings a number of its own."
        )
    if isinstance(named.get("augment"), Mapping | list | tuple):
        named["augment"] = Augment.from_config(named["augment"])
    of_numbers = not isinstance(data.y, Mapping) and default_loss(1, data.y) == "mean_squared_error"
    if of_numbers and named.get("label_smoothing") == recipe.get("label_smoothing"):
        named.pop("label_smoothing", None)  # the recipe's, as pl.recipe gives it: of quantities there is none
    options = TrainingOptions.resolve(recipe, **named)
    is_own = not isinstance(options.loss, str | None) or (model._has_chosen_loss and options.loss is None)
    recipe = {**recipe, "label_smoothing": None} if is_own else recipe
    return dataclasses.replace(options.for_data(recipe, data.y), **apart)


def make_optimizer(options: TrainingOptions) -> Optimizer:
    """Return the optimizer that the options name, or are given.

    Examples
    --------
    >>> make_optimizer(TrainingOptions(n_epochs=5, optimizer="adam", learning_rate=0.01)).learning_rate
    0.01
    """
    if isinstance(options.optimizer, Optimizer):
        return options.optimizer
    numbers: dict[str, Any] = {"weight_decay": options.weight_decay}
    if options.optimizer == "lbfgs":
        numbers["max_iterations"] = options.n_epochs
    else:
        numbers["learning_rate"] = options.learning_rate
    return OPTIMIZERS.make(options.optimizer, **{**numbers, **options.optimizer_options})


def loss_of(options: TrainingOptions) -> Any:
    """Return the loss that the options name, as ``train`` takes it; None where the data decides.

    Examples
    --------
    >>> loss_of(TrainingOptions(n_epochs=5, label_smoothing=0.1))
    {'type': 'auto', 'label_smoothing': 0.1}
    """
    if not isinstance(options.loss, str | None):
        return options.loss
    chosen = dict(options.loss_options)
    if options.label_smoothing is not None:
        chosen["label_smoothing"] = options.label_smoothing
    return {"type": options.loss or AUTO, **chosen} if options.loss or chosen else None
