"""An L2 penalty that is divided by the size of the batch, as in scikit-learn."""

from typing import Any, final

from pellucid.registry import Limits, check_option
from pellucid.training.events import Event, TrainEnd, TrainingState, TrainStart


@final
class L2Penalty:
    """Add alpha / 2 ||W||^2 over the batch's samples to the loss of every step; for weights, not biases.

    As a callback of ``train`` it sets the optimizer's ``weight_decay`` before each step, so that the penalty's
    gradient, alpha W over the batch's samples, is part of the step; and it adds the penalty to the loss that is
    reported. It is not for :class:`pellucid.training.optimizers.lbfgs.LBFGS`, which adds its own decay.

    Parameters
    ----------
    alpha : float
        0 or more.
    factor : float, optional
        Factor of the loss itself in the reported value, above 0.

    Notes
    -----
    With sample weights, the number of a batch's samples is the sum of their weights.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> from pellucid.training.fit import train
    >>> from pellucid.training.optimizers.sgd import SGD
    >>> from pellucid.data.dataset import Dataset
    >>> data, losses = Dataset(np.ones((2, 1)), np.array([0, 1])), []
    >>> for alpha in (0.0, 4.0):
    ...     model = Sequential([Dense(1)], dtype="float64")
    ...     model.initialize((1,))
    ...     model.layers[0].params["W"][...] = 0.5
    ...     losses += train(model, data, optimizer=SGD(0.1), n_epochs=1, callbacks=[L2Penalty(alpha)]).losses
    >>> round(losses[1] - losses[0], 9)  # 4 / 2 * 0.5^2 over 2 samples
    0.25
    """

    def __init__(self, alpha: float, *, factor: float = 1.0) -> None:
        self.alpha = check_option("L2Penalty", "alpha", alpha, float, Limits(at_least=0))
        self.factor = check_option("L2Penalty", "factor", factor, float, Limits(above=0))

    def __call__(self, event: Event) -> None:
        """Add the penalty to the model's reported loss during training."""
        if isinstance(event, TrainStart):
            run = event.run
            run.model._loss_hook = _Report(self.alpha, self.factor, run)
        elif isinstance(event, TrainEnd):
            event.run.model._loss_hook = None


class _Report:
    """The reported loss of a model with a penalty."""

    def __init__(self, alpha: float, factor: float, run: TrainingState) -> None:
        self.alpha, self.factor, self.optimizer = alpha, factor, run.optimizer
        self.squared_weights = run.form.squared_weights(run.model)

    def __call__(self, loss: float, total: float) -> float:
        """Return the loss with the penalty, and set the optimizer's decay for this step."""
        if not self.alpha or not total:
            self.optimizer.weight_decay = 0.0
            return loss * self.factor
        self.optimizer.weight_decay = self.alpha / total
        return loss * self.factor + self.alpha / 2 * self.squared_weights() / total

    def __deepcopy__(self, memo: Any) -> None:
        """Return None: only the first of a model's replicas has the penalty."""
