"""Wrong parameters and wrong data: scikit-learn's error classes and words, and nothing half done."""

import inspect
from typing import Any

import numpy as np
import pytest
import sklearn.neural_network as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.utils._param_validation import make_constraint
from tests.every import every

import pellucid.estimators as ours
from pellucid.estimators import MLPClassifier, MLPRegressor, NetworkClassifier, NetworkRegressor

ALL = [MLPClassifier, MLPRegressor, NetworkClassifier, NetworkRegressor]
X = np.arange(24.0).reshape(8, 3) / 24
Y = np.array([0, 1, 0, 1, 0, 1, 1, 0])


@every("name", ["MLPClassifier", "MLPRegressor"])
def test_names_order_and_defaults_are_scikit_learns(name: str) -> None:
    wanted = inspect.signature(getattr(theirs, name)).parameters
    got = inspect.signature(getattr(ours, name)).parameters
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    first, theirs_first = ([n for n, p in each.items() if p.kind is positional] for each in (got, wanted))
    assert first == theirs_first
    for key, parameter in wanted.items():
        assert got[key].default == parameter.default, key
    for method in ("fit", "partial_fit", "score"):
        wanted, got = (
            list(inspect.signature(getattr(getattr(module, name), method)).parameters)
            for module in (theirs, ours)
        )
        assert got[: len(wanted)] == wanted


@every("name", ["MLPClassifier", "MLPRegressor"])
def test_constraints_are_scikit_learns(name: str) -> None:
    """All but those of the three that take more names; scikit-learn makes the words of them."""
    wanted, got = ({**getattr(module, name)._parameter_constraints} for module in (theirs, ours))
    for key in wanted.keys() - {"activation", "loss", "solver"}:
        texts = [
            {"".join(sorted(str(make_constraint(each)))) for each in table[key]}  # sets have no order
            for table in (wanted, got)
        ]
        assert texts[0] == texts[1], key
    for module in (theirs, ours):
        with pytest.raises(ValueError, match=r"hidden_layer_sizes must be > 0, got \[3, 0\]"):
            getattr(module, name)(hidden_layer_sizes=(3, 0)).fit(X, Y)


@every(
    ("options", "words"),
    [
        ({"hidden_layer_sizes": (3, 1.5)}, r"hidden_layer_sizes must be integers, got \(3, 1.5\)"),
        ({"hidden_layer_sizes": ["a", 2]}, "hidden_layer_sizes must be integers"),
        ({"class_weight": {0: -1.0, 1: 1.0}}, "The 'class_weight' parameter .* 0 or more, above 0 to some"),
        ({"class_weight": [1]}, "The 'class_weight' parameter .* a dict for each output"),
        ({"class_weight": {0: 0.0, 1: 0.0}}, "The 'class_weight' parameter .* 0 or more, above 0 to some"),
        ({"callbacks": [print, 3]}, "The 'callbacks' parameter .* must be a list of callables. Got 3"),
        ({"activation": "ghost"}, "The 'activation' parameter of MLPClassifier must be"),
        ({"activation": ["relu", "ghost"]}, "must be a str among {'elu'"),
        ({"activation": ["relu"]}, "must have one entry for each of the 2 hidden layers. Got 1"),
        ({"solver": "ghost"}, "The 'solver' parameter of MLPClassifier must be a str among"),
        ({"dropout": 1}, r"The 'dropout' parameter .* must be a float in the range \[0.0, 1.0\)"),
        ({"dropout": [0.1, 2]}, r"a float in the range \[0.0, 1.0\), or a list"),
        ({"dropout": 0.1, "solver": "lbfgs"}, "dropout: solver 'lbfgs' needs"),
        ({"schedule": "cosine", "solver": "lbfgs"}, "schedule: solver 'lbfgs' has no learning rate"),
        ({"loss": {"type": "focall"}}, "Did you mean 'focal'"),
        ({"loss": {"gamma": 2}}, "expected a name, or a dictionary with 'type'"),
        ({"loss": {"type": "focal", "gama": 2}}, "gama"),
        ({"loss": "hinge", "label_smoothing": 0.1}, "hinge cannot be used with label_smoothing"),
        ({"loss": "categorical_cross_entropy"}, "does not suit binary targets"),
        ({"form": "short"}, "The 'form' parameter"),
        ({"form": "dual"}, "form: the dual form does not hold here: Adam"),
        ({"model": "cnnn"}, "model: expected a preset"),
        ({"model": 3}, "The 'model' parameter of NetworkClassifier must be"),
        ({"image_shape": (2, 2, 1)}, "image_shape: expected sizes whose product is 3"),
        ({"image_shape": (-1, -3)}, r"image_shape: expected whole numbers of 1 or more, got \(-1, -3\)"),
        ({"image_shape": ("a",)}, "image_shape: expected whole numbers of 1 or more"),
        ({"image_shape": ()}, "image_shape: expected whole numbers of 1 or more"),
        ({"loss": {}}, "loss: expected a name, or a dictionary with 'type'"),
        ({"model": "no/such/file.toml"}, "no/such/file.toml"),
    ],
    ids=str,
)
def test_words_for_what_is_ours(options: dict[str, Any], words: str) -> None:
    is_of_networks = {"model", "image_shape"} & {*options} or options == {"loss": {}}
    mlp = {"hidden_layer_sizes": (3, 2), "max_iter": 1, **options}
    estimator = NetworkClassifier(**options) if is_of_networks else MLPClassifier(**mlp)
    with pytest.raises(ValueError, match=words):
        estimator.fit(X, Y)


@every("cls", ALL)
def test_bad_data_in_every_door(cls: Any) -> None:
    """What scikit-learn's own checks leave open; see test_checks.py."""
    estimator = cls(**({"max_iter": 1} if "max_iter" in cls().get_params() else {"n_epochs": 1}))
    for options, words in (
        ({"X": np.full((8, 3), "a")}, "could not convert string to float|Unable to convert"),
        ({"y": Y[:5]}, "inconsistent numbers of samples"),
        ({"sample_weight": np.full(8, -1.0)}, "Negative values"),
        ({"sample_weight": [np.nan] * 8}, "sample_weight: 8 of 8 samples have no value"),
        ({"validation_data": X}, "must be a tuple"),
        ({"validation_data": (X[:, :2], Y)}, "2 features"),
        ({"validation_data": (X, Y[:2])}, "inconsistent"),
        ({"validation_data": (X, Y, -np.ones(8))}, "Negative values in data passed to `sample_weight`"),
    ):
        with pytest.raises(ValueError, match=words):
            estimator.fit(**{"X": X, "y": Y, **options})


def test_targets_that_do_not_fit_leave_the_estimator_unfitted() -> None:
    for estimator, y, words in (
        (MLPClassifier(), np.linspace(0, 1, 8), "Unknown label type"),
        (MLPClassifier(), np.arange(16).reshape(8, 2), "Multioutput target data is not supported"),
        (MLPRegressor("poisson"), -np.ones(8), "poisson: expected targets of at least 0"),
        (MLPRegressor(), np.full(8, "a"), "expected numbers as targets"),
    ):
        with pytest.raises(ValueError, match=words):
            estimator.fit(X, y)
        assert not hasattr(estimator, "coefs_")


def test_a_wrong_loss_may_still_be_asked_what_it_offers() -> None:
    assert hasattr(MLPClassifier(loss=5), "predict_proba")
    assert hasattr(NetworkClassifier(loss={}), "predict_proba")
    assert not hasattr(NetworkClassifier(loss={"type": "hinge"}), "predict_proba")


@every("layer", ["last", 0.0, None, 1, -2])
def test_a_layer_is_a_number(layer: Any) -> None:
    fitted = MLPClassifier(3, max_iter=1).partial_fit(X, Y, classes=[0, 1])
    with pytest.raises(ValueError, match="layer: expected a hidden layer's number, from -1 to 0, got"):
        fitted.transform(X, layer=layer)


def test_a_class_too_small_to_be_divided_is_named() -> None:
    labels = np.where(np.arange(8) == 5, "owl", "cat")
    with pytest.raises(ValueError, match=r"only 1 member.*label 'owl'"):
        MLPClassifier(early_stopping=True).fit(X, labels)


def test_class_weight_balanced_needs_all_of_y() -> None:
    with pytest.raises(ValueError, match="class_weight 'balanced' is not supported for partial_fit"):
        MLPClassifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1])


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(allow_nan=True),
    st.text(max_size=3),
    st.lists(st.integers(-2, 2), max_size=2),
)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore::UserWarning")
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_value_is_taken_or_named(data: st.DataObject) -> None:
    cls = data.draw(st.sampled_from(ALL))
    name = data.draw(st.sampled_from(sorted(cls().get_params())))
    value = data.draw(VALUES)
    quick = (
        {"max_iter": 1, "hidden_layer_sizes": 2} if cls in ALL[:2] else {"n_epochs": 1, "batch_size": None}
    )
    estimator = clone(cls(**{**quick, name: value, "verbose": False} if name != "verbose" else quick))
    words = ""
    try:
        estimator.fit(X, Y)
    except ValueError as error:  # any other goes through
        words = str(error)
    about = (name, "hidden_layer_sizes", "validation set", "test_size", "non-finite parameter weights")
    assert not words or any(part in words for part in about), words
