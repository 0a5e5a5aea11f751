"""Multi-layer perceptrons with the parameters, attributes and behaviour of scikit-learn's, and more."""

from typing import Any, final

from pellucid.estimators.base import Classifier, Regressor
from pellucid.estimators.dense_stack import DenseStack
from pellucid.estimators.parameters import REGRESSOR_LOSS, estimator, parameter


@final
@estimator
class MLPClassifier(DenseStack, Classifier):
    """A classifier with hidden layers: ``sklearn.neural_network.MLPClassifier`` with extensions.

    In the formulas, ``m`` are the samples of a batch and ``n`` those of the training; ``Z = A W + b`` is a layer's
    output before its activation, ``P`` are probabilities, ``L`` is the loss, ``g`` its gradient, ``eta`` the
    learning rate, ``t`` the number of the step, from 1.

    Parameters
    ----------
    hidden_layer_sizes : array-like of int, or int, optional
        Units of each hidden layer; empty: logistic regression. Initial weights are uniform in ``-r ... r``,
        ``r = sqrt(6 / (n_in + n_out))``; 2 in place of 6 if every activation is logistic (Glorot and Bengio, 2010,
        equation 16).
    activation : str, or list of one for each hidden layer, optional
        "relu" ``max(0, z)``; "logistic" or "sigmoid" ``1 / (1 + e^-z)``; "tanh"; "identity" or "linear" ``z``;
        "leaky_relu" ``max(z, 0.01 z)`` (Maas et al., 2013); "elu" ``z``, below 0 ``e^z - 1`` (Clevert et al., 2016,
        equation 15); "gelu" ``z Phi(z)``, Phi the normal distribution (Hendrycks and Gimpel, 2016, section 2);
        "gelu_tanh" its approximation by tanh; "silu" ``z / (1 + e^-z)`` (Elfwing et al., 2018); "hard_sigmoid"
        ``z / 6 + 1/2`` within 0 and 1; "hard_swish" ``z`` times it (Howard et al., 2019); "relu6" ``z`` within 0
        and 6; "selu" ``1.0507 z``, below 0 ``1.7581 (e^z - 1)`` (Klambauer et al., 2017, equation 2); "softplus"
        ``log(1 + e^z)`` (Dugas et al., 2001); "softmax" ``e^z`` over its sum in the layer.
    solver : {"adam", "sgd", "lbfgs", "adamw", "rmsprop", "adagrad"}, optional
        The optimizer. "sgd" ``theta - eta v`` with momentum; "adam" ``theta - eta m_hat / (sqrt(v_hat) + epsilon)``
        (Kingma and Ba, 2015, algorithm 1); "adamw" (Loshchilov and Hutter, 2019); "rmsprop"
        ``theta - eta g / (sqrt(s) + epsilon)``, ``s <- 0.99 s + 0.01 g^2`` (Tieleman and Hinton, 2012, lecture
        6.5); "adagrad", ``s`` the sum of ``g^2`` (Duchi et al., 2011); "lbfgs", a quasi-Newton method on all
        samples (Liu and Nocedal, 1989, algorithm 2.1), by SciPy.
    alpha : float, optional
        Strength of the L2 penalty on weights, not on biases: ``L + alpha / (2 m) sum of W^2`` (ridge: Hoerl
        and Kennard, 1970); "lbfgs" divides by ``n``; of weighted samples, by the sum of their weights. "adamw"
        decouples it: W moves by ``-eta alpha W / m`` (Loshchilov and Hutter, 2019, algorithm 2).
    batch_size : int or "auto", optional
        Samples per step; "auto": ``min(200, n)``. "lbfgs" takes all.
    learning_rate : {"constant", "invscaling", "adaptive"}, optional
        How ``eta`` changes, with "sgd": not at all; ``eta / (s + 1)^power_t`` after ``s`` samples seen,
        changed after each epoch; ``eta / 5`` each time that ``n_iter_no_change`` epochs did not improve, while
        it is above 1e-6.
    learning_rate_init : float, optional
        ``eta``. "lbfgs" chooses its steps itself.
    power_t : float, optional
        The exponent of "invscaling".
    max_iter : int, optional
        The maximum number of epochs, of ``n / m`` steps each, rounded up; iterations of "lbfgs".
    shuffle : bool, optional
        Whether each epoch takes the samples in a new random order.
    random_state : int, RandomState or None, optional
        Random seed of the initial weights, which are scikit-learn's, number for number; of the held-out part,
        the order of samples, and dropout.
    tol : float, optional
        By how much an epoch must improve to count as better: worse is ``L > best - tol``, or ``score < best +
        tol``. "lbfgs": the largest entry of the gradient to stop at.
    verbose : bool or int, optional
        Print each epoch's loss and score, and why the training stops.
    warm_start : bool, optional
        Whether ``fit`` continues from the existing weights.
    momentum : float, optional
        Of "sgd": ``v <- momentum v + g``, ``theta <- theta - eta v`` (Polyak, 1964). Where ``learning_rate``
        changes ``eta``, the step ``eta v`` stays as it was, as in scikit-learn: ``v <- v eta_old / eta_new``.
    nesterovs_momentum : bool, optional
        Of "sgd": ``theta <- theta - eta (g + momentum v)`` (Nesterov, 1983, in the form of Sutskever et al., 2013,
        section 2).
    early_stopping : bool, optional
        Hold samples out, score them after each epoch, stop when the score no longer improves, and keep the
        best weights (Prechelt, 1998). As in scikit-learn, "lbfgs" ignores it.
    validation_fraction : float, optional
        The fraction that is held out, rounded up; of two classes stratified, of more at random, as in scikit-learn;
        nothing where ``fit`` gets ``validation_data``.
    beta_1 : float, optional
        Of "adam" and "adamw": ``m <- beta_1 m + (1 - beta_1) g``, ``m_hat = m / (1 - beta_1^t)``.
    beta_2 : float, optional
        Of "adam" and "adamw": ``v <- beta_2 v + (1 - beta_2) g^2``, ``v_hat = v / (1 - beta_2^t)``.
    epsilon : float, optional
        Keeps the division of "adam", "adamw" and "rmsprop" finite, in scikit-learn's form, the second of
        Kingma and Ba (2015, section 2): ``eta sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)``.
    n_iter_no_change : int or inf, optional
        Stop when more than this many epochs in a row did not improve.
    max_fun : int, optional
        The most evaluations of loss and gradient by "lbfgs"; a line search may need several per iteration.
    loss : str or dict, optional
        The mean over the batch of: "log_loss", two classes ``-(y ln P + (1 - y) ln(1 - P))``, more ``-ln
        P_y``, several labels the sum of the former; "focal", that times ``(1 - p)^gamma``, ``p`` the true
        class's probability (Lin et al., 2017, equations 4 and 5); "hinge" ``max(0, 1 - s Z)``, ``s`` +1 or -1
        (Cortes and Vapnik, 1995), of more classes the sum of ``max(0, 1 + Z_j - Z_y) / k`` over the ``k - 1``
        wrong ones (Weston and Watkins, 1999). With options, ``{"type": "focal", "gamma": 2}``.
    class_weight : dict, "balanced" or None, optional
        Weight of each class, times ``sample_weight``: ``L = sum of w_i L_i / sum of w_i``; "balanced":
        ``n / (k n_c)`` for a class of ``n_c`` samples among ``k`` classes (King and Zeng, 2001).
    label_smoothing : float, optional
        The fraction by which targets are pulled towards the uniform distribution, of "log_loss": ``(1 - s) y +
        s / k`` for ``k`` classes (Szegedy et al., 2016, section 7); with one output, and for each of several
        labels, ``k`` is 2.
    dropout : float, or list of one for each hidden layer, optional
        The probability ``p`` that a hidden output is set to 0 in a training step, the others divided by ``1 - p``
        (Srivastava et al., 2014); never in prediction.
    batch_norm : bool, optional
        Normalize before each activation: ``gamma (z - mean) / sqrt(var + 1e-5) + beta``, mean and variance of
        the batch, in prediction the running ones (Ioffe and Szegedy, 2015, algorithm 1).
    schedule : str, Schedule or None, optional
        One of ``pl.schedules`` in place of ``learning_rate``; not with "lbfgs". "cosine"
        ``eta (1 + cos(pi (t - 1) / T)) / 2`` over all ``T`` steps (Loshchilov and Hutter, 2017, equation 5);
        "one_cycle", up, then far down (Smith and Topin, 2018, section 3); "coslog", four waves (Holzmueller et al.,
        2024, section 3); "exponential", "step", "constant", "reduce_on_plateau".
    scoring : str, callable or None, optional
        The score of early stopping, as scikit-learn names it; default: accuracy.
    callbacks : list of callable or None, optional
        Called with every event of the training; one that returns True ends it: see :mod:`pellucid.training.events`.
    progress : bool, optional
        Show a progress bar on a terminal or in a notebook: epoch, loss and time left of a fit of more than half a
        second. Default: unless ``verbose`` prints.
    dtype : {"float32", "float64"} or None, optional
        The dtype of the computation; None: float32 for X of float32, else float64.
    form : {"auto", "direct", "dual"}, optional
        How the first layer is trained: "auto" uses the dual form, which gives the same numbers, where it holds
        ("sgd") and is cheaper (wide X): ``Z = s Z_0 + K C + b``, ``K = X X^T``, ``Z_0 = X W_0``.
    kernels : {"auto", "numba", "numpy"} or None, optional
        What trains: loops compiled by Numba, or NumPy; "auto" compiles for long trainings only. None: the
        environment variable PELLUCID_KERNELS, else "auto". The numbers differ in their last digits.

    Attributes
    ----------
    classes_ : Array, shape (k,)
        The labels, sorted: the columns of ``predict_proba``; of several labels per sample, 0 to k - 1.
    coefs_, intercepts_ : list of Array
        W (n_in, n_out) and b (n_out,) of each layer.
    batch_norms_ : list of dict
        "gamma", "beta" and running statistics of each hidden layer that is normalized.
    loss_, best_loss_ : float
        The last epoch's loss with its penalty, and the lowest; the latter None with early stopping.
    loss_curve_ : list of float
        The loss of every epoch; not with "lbfgs".
    val_loss_curve_ : list of float or None
        The loss of held-out samples after every epoch, without a penalty.
    validation_scores_, best_validation_score_ : list of float, float
        With early stopping: the score after every epoch, and the highest, that of the weights kept. Else None.
    n_iter_, t_ : int
        Epochs of the last ``fit`` (iterations of "lbfgs"), and samples seen in all trainings.
    n_layers_, n_outputs_, n_features_in_ : int
        Layers, input and output included; outputs of the network, 1 for two classes; columns of X.
    feature_names_in_ : Array of str
        Their names, where X was a data frame.
    out_activation_ : {"softmax", "logistic", "identity"}
        From raw outputs to probabilities.
    history_ : pellucid.training.history.History
        Of the last training: metrics by epoch, seconds, and which form it took.

    Notes
    -----
    Two classes have one logit, more have one each; several labels per sample (y of 0 and 1, shape (m, k)) have one
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


@estimator
class _LossFirst:
    """Puts the loss before the other positional parameters, as in scikit-learn's regressor."""

    loss: Any = parameter("squared_error", *REGRESSOR_LOSS, kw_only=False)


@final
@estimator
class MLPRegressor(DenseStack, Regressor, _LossFirst):
    """A regressor with hidden layers: ``sklearn.neural_network.MLPRegressor`` with extensions.

    Every parameter but ``loss`` and ``scoring`` is that of :class:`MLPClassifier`, which has also
    ``class_weight`` and ``label_smoothing``.

    Parameters
    ----------
    loss : str or dict, optional
        The mean over the batch of: "squared_error" ``(Z - y)^2 / 2``; "poisson" ``y ln(y / e^Z) - y + e^Z``,
        half the deviance (McCullagh and Nelder, 1989, chapter 2); "absolute_error" or "mean_absolute_error"
        ``|Z - y|``; "mean_squared_error" ``(Z - y)^2``; "huber" ``d^2 / 2`` up to delta, then ``delta (d -
        delta / 2)``, ``d = |Z - y|`` (Huber, 1964). Of several outputs the sum with "squared_error" and
        "poisson", the mean with the others. With options, ``{"type": "huber", "delta": 2}``.
    scoring : str, callable or None, optional
        The score of early stopping; default: ``R^2 = 1 - sum of (y - Z)^2 / sum of (y - mean)^2``.

    Attributes
    ----------
    coefs_, intercepts_, loss_, ... :
        As for :class:`MLPClassifier`; ``out_activation_`` is "identity" or, of "poisson", "exp".

    Notes
    -----
    With several outputs, "squared_error" minimizes the sum and is reported as their mean.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(0, 1, 50)[:, None]
    >>> regressor = MLPRegressor(activation="tanh", solver="lbfgs", random_state=1).fit(X, np.sin(6 * X[:, 0]))
    >>> regressor.score(X, np.sin(6 * X[:, 0])) > 0.99
    True
    """
