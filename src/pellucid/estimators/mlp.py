"""Multi-layer perceptrons with the parameters, attributes and behaviour of scikit-learn's, and more."""

from typing import Any, ClassVar, final

from pellucid.estimators.kinds import NetworkClassifierBase, NetworkRegressorBase
from pellucid.estimators.mlp_base import BaseMLP
from pellucid.estimators.mlp_parameters import MLPParameters


@final
class MLPClassifier(NetworkClassifierBase, BaseMLP):
    """A classifier with hidden layers: ``sklearn.neural_network.MLPClassifier``, and what its users ask for.

    Parameters
    ----------
    hidden_layer_sizes : array-like of int, or int, optional
        The width of each hidden layer; empty for logistic regression.
    activation : str, or list of one for each hidden layer, optional
        scikit-learn's "identity", "logistic", "tanh", "relu", or any of pellucid's: "elu", "gelu", "leaky_relu",
        "linear", "sigmoid", "silu", "softmax".
    solver : {"adam", "sgd", "lbfgs", "adamw", "rmsprop", "adagrad"}, optional
    alpha : float, optional
        alpha / 2 ||W||^2 over the batch's samples is added to the loss, biases left alone; "adamw" decouples it.
    batch_size : int or "auto", optional
        "auto": 200, or all samples if there are fewer. "lbfgs" takes all.
    learning_rate : {"constant", "invscaling", "adaptive"}, optional
        Of "sgd": the same throughout; divided by (samples seen + 1)^power_t after each epoch; or divided by 5 each
        time that ``n_iter_no_change`` epochs were no better, down to 1e-6.
    learning_rate_init, power_t : float, optional
    max_iter : int, optional
        Epochs; iterations of "lbfgs".
    shuffle : bool, optional
        Whether each epoch takes the samples in a new order.
    random_state : int, RandomState or None, optional
        Of the start, the held-out part, the order of samples, and dropout. The start is scikit-learn's, number for
        number.
    tol : float, optional
        An epoch counts as better if its loss is lower, or its score higher, by this. "lbfgs": the largest entry of
        the gradient to stop at.
    verbose : bool or int, optional
        Print each epoch's loss.
    warm_start : bool, optional
        Whether ``fit`` goes on from the weights that are there.
    momentum, nesterovs_momentum : float, bool, optional
        Of "sgd".
    early_stopping : bool, optional
        Hold samples out and stop by their score, not by the training loss; the best weights are kept.
    validation_fraction : float, optional
        How many are held out, stratified except for several labels a sample.
    beta_1, beta_2, epsilon : float, optional
        Of "adam" and "adamw"; epsilon also of "rmsprop".
    n_iter_no_change : int or inf, optional
        Epochs in a row that may be no better.
    max_fun : int, optional
        Evaluations of the loss by "lbfgs".
    loss : str or dict, optional
        "log_loss", "focal" or "hinge"; with options, ``{"type": "focal", "gamma": 2}``.
    class_weight : dict, "balanced" or None, optional
        How much each class counts, as everywhere in scikit-learn; times ``sample_weight``.
    label_smoothing : float, optional
        The share by which targets are pulled towards even ones; of "log_loss".
    dropout : float, or list of one for each hidden layer, optional
        The share of the outputs that is set to 0 in each training step.
    batch_norm : bool, optional
        Normalize before each activation.
    schedule : str, Schedule or None, optional
        One of pellucid's, such as "cosine" or "one_cycle", in the place of ``learning_rate``.
    scoring : str, callable or None, optional
        What early stopping goes by, as scikit-learn names it; default: accuracy.
    callbacks : list of callable or None, optional
        Told every event of the training: see :mod:`pellucid.training.events`.
    progress : bool, optional
        Show a bar on a terminal.
    dtype : {"float32", "float64"} or None, optional
        What is computed in; None: float32 for X of float32, else float64.
    path : {"auto", "direct", "dual"}, optional
        How the first layer is trained: "auto" takes the dual form where it holds ("sgd") and is cheaper (wide X).

    Attributes
    ----------
    classes_ : Array, shape (k,)
    coefs_, intercepts_ : list of Array
        W (n_in, n_out) and b (n_out,) of each layer.
    loss_, best_loss_ : float
        The last epoch's loss with its penalty, and the lowest; the latter None with early stopping.
    loss_curve_ : list of float
    val_loss_curve_ : list of float or None
        Of the held-out samples, without a penalty, where there are some.
    validation_scores_, best_validation_score_ : list of float, float
        With early stopping, else None.
    n_iter_, t_ : int
        Epochs of the last ``fit``, and samples seen in all.
    n_layers_, n_outputs_, n_features_in_ : int
    feature_names_in_ : Array of str
    out_activation_ : {"softmax", "logistic", "identity"}
    batch_norms_ : list of dict
        "gamma", "beta" and running statistics of each hidden layer that is normalized.
    history_ : pellucid.training.history.History
        Of the last training: time, and which form it took.

    Notes
    -----
    Two classes have one logit, more have one each; several labels a sample (y of 0 and 1, shape (m, k)) have one
    each, and the loss is their sum.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = MLPClassifier(20, solver="lbfgs", random_state=1).fit(X, y)
    >>> classifier.score(X, y) > 0.95
    True
    >>> classifier.transform(X).shape
    (150, 20)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetworkClassifierBase._parameter_constraints,
        **MLPParameters._parameter_constraints,
    }

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        loss: Any = "log_loss",
        class_weight: Any = None,
        label_smoothing: float = 0.0,
        dropout: Any = 0.0,
        batch_norm: bool = False,
        schedule: Any = None,
        scoring: Any = None,
        callbacks: Any = None,
        progress: bool = False,
        dtype: Any = None,
        path: str = "auto",
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.loss = loss
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.schedule = schedule
        self.scoring = scoring
        self.callbacks = callbacks
        self.progress = progress
        self.dtype = dtype
        self.path = path


@final
class MLPRegressor(NetworkRegressorBase, BaseMLP):
    """A regressor with hidden layers: ``sklearn.neural_network.MLPRegressor``, and what its users ask for.

    Parameters
    ----------
    loss : str or dict, optional
        scikit-learn's "squared_error" and "poisson" (half the square, half the deviance), or pellucid's
        "absolute_error", "huber", "mean_absolute_error", "mean_squared_error"; with options,
        ``{"type": "huber", "delta": 2}``.
    hidden_layer_sizes, activation, solver, ... : optional
        As for :class:`MLPClassifier`, which has also ``class_weight`` and ``label_smoothing``. ``scoring`` is R^2
        by default.

    Attributes
    ----------
    coefs_, intercepts_, loss_, ... :
        As for :class:`MLPClassifier`; ``out_activation_`` is "identity" or, of "poisson", "exp".

    Notes
    -----
    Of several outputs, "squared_error" and "poisson" minimize the sum; the former is reported as their mean.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(0, 1, 50)[:, None]
    >>> regressor = MLPRegressor(activation="tanh", solver="lbfgs", random_state=1).fit(X, np.sin(6 * X[:, 0]))
    >>> regressor.score(X, np.sin(6 * X[:, 0])) > 0.99
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetworkRegressorBase._parameter_constraints,
        **MLPParameters._parameter_constraints,
    }

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        batch_norm: bool = False,
        schedule: Any = None,
        scoring: Any = None,
        callbacks: Any = None,
        progress: bool = False,
        dtype: Any = None,
        path: str = "auto",
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.schedule = schedule
        self.scoring = scoring
        self.callbacks = callbacks
        self.progress = progress
        self.dtype = dtype
        self.path = path
