"""The commands that advice ends in: what a training may be followed by."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pellucid.data.dataset import Dataset
from pellucid.runs.run import Run
from pellucid.runs.spelling import command_line, data_parts
from pellucid.training.optimizers.base import OPTIMIZERS
from pellucid.training.recipes import GENERAL, RECIPES
from pellucid.training.recommend import Recommendation, recommend

FEW_EPOCHS = 3  # after which it is early to judge a learning rate or the data
MOST_DECAY = 0.1  # of the weights: a stronger one is not advised


@dataclass(frozen=True)
class Cures:
    """The commands to try after a run.

    Attributes
    ----------
    run : Run
    verb : {"train", "run"}
        The command that trains.
    """

    run: Run
    verb: str

    @property
    def is_full_batch(self) -> bool:
        """Whether the optimizer has no learning rate."""
        return OPTIMIZERS[self.run.options.optimizer].is_full_batch

    @property
    def is_short(self) -> bool:
        """Whether the training was so short that more epochs come before all else."""
        return self.run.options.n_epochs <= FEW_EPOCHS and not self.is_full_batch

    @property
    def freeze(self) -> str | None:
        """The last frozen layer of a model that began from a trained one."""
        return self.run.config.freeze

    @cached_property
    def recommended(self) -> str | None:
        """The model that suits the data, where another one ran; None where it began from a trained one."""
        if self.run.config.start is not None or self._suited is None:
            return None
        return None if self._suited.model == self.run.config.model else self._suited.model

    @property
    def better(self) -> str:
        """The command that trains the model that suits, or more of it; else the one that looks at the data."""
        if self.recommended is not None:
            return self.command(model=self.recommended)
        if self.is_short:
            return self.longer
        if self.freeze is not None:
            return self.command(freeze=None)
        return " ".join(["pellucid data check", *data_parts(self.run.source)])

    @property
    def regularized(self) -> str:
        """The command against over-fitting: the model that suits the data, augmentation, or a stronger decay."""
        options, has_pictures = self.run.options, self.run.split.train.X.ndim == 4
        if self.recommended is None and not self.is_short:
            if has_pictures and options.augment is None and not self.is_full_batch:
                return self.command(augment="photo")
            if not has_pictures and 10 * options.weight_decay <= MOST_DECAY:
                return self.command(weight_decay=10 * options.weight_decay or MOST_DECAY / 10)
        return self.better

    @property
    def longer(self) -> str:
        """The command that trains for as long as is usual, or ten times as long."""
        config, made = self.run.config, self.run.options.n_epochs
        recipe = RECIPES.get(config.recipe or "", GENERAL)
        if self._suited is not None and self._suited.model == config.model:
            recipe = self._suited.recipe
        usual: int = recipe["n_epochs"]
        return self.command(n_epochs=usual if usual > FEW_EPOCHS else 10 * made)

    @property
    def search(self) -> str:
        """The command that finds a learning rate; where the training began from a model, one at a lower rate."""
        if self.run.config.start is not None:
            return self.command(learning_rate=self.run.options.learning_rate / 10)
        return command_line("find-lr", self.run.config)

    def command(self, **changes: Any) -> str:
        """Return this run's command with some changes."""
        return command_line(self.verb, self.run.config, **changes)

    @cached_property
    def _suited(self) -> Recommendation | None:
        return suited_to(self.run.split.train)


def suited_to(data: Dataset) -> Recommendation | None:
    """Return the preset and recipe that suit data; None where there are none, of several inputs or outputs."""
    return None if isinstance(data.X, dict) or isinstance(data.y, dict) else recommend(data)
