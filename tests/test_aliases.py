"""Habits of Keras, PyTorch and scikit-learn, from their tutorials: each works, or is told its name here."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pellucid as pl
from pellucid.aliases import DATA, KEYWORDS, METHODS, NAMES, OURS, SPLIT, folded
from pellucid.errors import DataWarning, PellucidError, UnknownAttributeError
from tests.every import every

rng = np.random.default_rng(0)
X = rng.standard_normal((24, 3)).astype(np.float32)
y = (X.sum(axis=1) > 0).astype(np.int64)
DATA_SET = pl.Dataset(X, y, ("no", "yes"))
BOTH = pl.Split(DATA_SET[:16], DATA_SET[16:])
PIXELS = rng.integers(0, 256, (24, 8), dtype=np.uint8)


def net(n_out: int = 1) -> pl.Sequential:
    return pl.Sequential([pl.Dense(4, "relu"), pl.Dense(n_out)])


def train(model: Any = None, data: Any = (X, y), **options: Any) -> Any:
    return pl.train(model or net(), data, **{"n_epochs": 1, **options})


def warned(habit: Callable[[], Any]) -> Any:
    with pytest.warns(DataWarning):
        return habit()


def trained() -> pl.Sequential:
    model = net()
    train(model)
    return model


def trained_on_pixels() -> pl.Sequential:
    model = net(2)
    train(model, (PIXELS / 255, y))
    return model


Habit = tuple[str, Callable[[], Any], str]
ANSWERED: list[Habit] = [  # what is written there, and the name that the answer must have
    # Keras: "The Sequential model", "Training & evaluation with the built-in methods", "Basic classification"
    ("keras.layers", lambda: pl.layers.Dense(3), "pl.Dense"),
    ("keras.models", lambda: pl.models.Sequential(), "pl.Sequential"),
    ("keras.Input", lambda: pl.Input((3,)), "Leave it out"),
    ("Conv2D(32, strides=2)", lambda: pl.Conv2D(32, 3, strides=2), "'stride'"),
    ("MaxPooling2D", lambda: pl.MaxPooling2D(), "'MaxPool2D'"),
    ("MaxPool2D(pool_size=2)", lambda: pl.MaxPool2D(pool_size=2), "'size'"),
    ("BatchNormalization", lambda: pl.BatchNormalization(), "'BatchNorm'"),
    ("GlobalAveragePooling2D", lambda: pl.GlobalAveragePooling2D(), "'GlobalAvgPool2D'"),
    ("Dense(input_shape=)", lambda: pl.Dense(3, input_shape=(4,)), "shape of its input from the data"),
    ("Dense(kernel_initializer=)", lambda: pl.Dense(3, kernel_initializer="he"), "'initializer'"),
    ("kernel_regularizer=", lambda: pl.Dense(3, kernel_regularizer="l2"), "weight_decay"),
    ('activation="swish"', lambda: pl.Dense(3, "swish"), "'silu'"),
    ('activation="leakyReLU"', lambda: pl.Dense(3, "leakyReLU"), "'leaky_relu'"),
    ('initializer="glorot_uniform"', lambda: pl.Dense(3, initializer="glorot_uniform"), "'glorot'"),
    ("model.add", lambda: net().add(pl.Dense(1)), "pl.Sequential("),
    ("model.compile", lambda: net().compile(optimizer="adam"), "pl.train"),
    ("model.fit", lambda: net().fit(X, y), "pl.train"),
    ("model.evaluate", lambda: net().evaluate(X, y), "pl.evaluate"),
    ("model.save", lambda: net().save("m.keras"), ".safetensors"),
    ("model.load_weights", lambda: net().load_weights("m.h5"), "pl.load"),
    ("model.get_weights", lambda: net().get_weights(), "model.theta"),
    ("keras.models.load_model", lambda: pl.load_model("m"), "'load'"),
    ("predict(X, verbose=0)", lambda: net().predict(X, verbose=0), "Leave it out"),
    ("epochs=", lambda: train(epochs=3), "'n_epochs'"),
    ("validation_data=", lambda: train(validation_data=(X, y)), "'validation'"),
    ("validation_split=", lambda: train(validation_split=0.2), "'validation'"),
    ("steps_per_epoch=", lambda: train(steps_per_epoch=3), "batch_size"),
    ("fit(X, y)", lambda: pl.train(net(), X, y), "(X, y)"),  # type: ignore[call-arg, arg-type]
    ('loss="mse"', lambda: train(loss="mse"), "'mean_squared_error'"),
    (
        'loss="sparse_categorical_crossentropy"',
        lambda: train(loss="sparse_categorical_crossentropy"),
        "'categorical_cross_entropy'",
    ),
    ('loss="binary_crossentropy"', lambda: train(loss="binary_crossentropy"), "'binary_cross_entropy'"),
    ('optimizer="Adam"', lambda: train(optimizer="Adam"), "'adam'"),
    ('optimizer="nadam"', lambda: train(optimizer="nadam"), "'adam'"),
    ("Adam(beta_1=)", lambda: pl.optimizers.Adam(beta_1=0.9), "'beta1'"),
    ("SGD(clipnorm=)", lambda: pl.optimizers.SGD(clipnorm=1), "'clip_norm'"),
    ("EarlyStopping(monitor=)", lambda: pl.callbacks.EarlyStopping(monitor="val_loss"), "'metric'"),
    (
        "EarlyStopping(restore_best_weights=)",
        lambda: pl.callbacks.EarlyStopping(restore_best_weights=True),
        "restores the best weights",
    ),
    (
        'Dense(2, activation="softmax") at the end',
        lambda: train(pl.Sequential(pl.Dense(2, activation="softmax"))),
        "Leave it out, as in Dense(2)",
    ),
    (
        'Dense(1, activation="sigmoid") at the end',
        lambda: train(pl.Sequential(pl.Dense(1, "sigmoid"))),
        "logits",
    ),
    ("EarlyStopping as a class", lambda: train(callbacks=[pl.callbacks.EarlyStopping]), "EarlyStopping()"),
    (
        'EarlyStopping("val_loss")',
        lambda: train(validation=0.25, callbacks=[pl.callbacks.EarlyStopping("val_loss")]),
        "'validation_loss'",
    ),
    ("ReduceLROnPlateau", lambda: pl.callbacks.ReduceLROnPlateau(), "pl.schedules.ReduceOnPlateau"),
    ("CSVLogger", lambda: pl.callbacks.CSVLogger("log"), "history.write"),
    ("to_categorical", lambda: pl.to_categorical(y), "holds class numbers"),
    ("history.history", lambda: train().history, "history['loss']"),
    ("Model(inputs=, outputs=)", lambda: pl.Model(inputs=1, outputs=2), "pl.Graph"),  # type: ignore[abstract, call-arg]
    ("predict(X, batch_size=)", lambda: net().predict(X, batch_size=8), "Leave it out"),  # type: ignore[call-arg]
    ("BatchNormalization(axis=)", lambda: pl.BatchNorm(axis=3), "last axis"),  # type: ignore[call-arg]
    ("ModelCheckpoint", lambda: pl.callbacks.ModelCheckpoint("m"), "'Checkpoint'"),
    ("SparseCategoricalCrossentropy(from_logits=)", lambda: pl.losses.Focal(from_logits=True), "logits"),
    # PyTorch: "Learn the basics", "Training a classifier"
    ("nn.Module", lambda: pl.nn.Module, "'Layer'"),
    ("nn.Linear", lambda: pl.nn.Linear(3, 4), "'Dense'"),
    ("Linear(in_features=)", lambda: pl.Dense(3, in_features=4), "shape of its input from the data"),
    ("Conv2d", lambda: pl.Conv2d(3, 6, 5), "'Conv2D'"),
    ("Conv2d(out_channels=)", lambda: pl.Conv2D(3, out_channels=4), "'filters'"),
    ("Conv2d(bias=False)", lambda: pl.Conv2D(3, bias=False), "'use_bias'"),
    ("Dropout(p=)", lambda: pl.Dropout(p=0.5), "'rate'"),
    ("BatchNorm2d", lambda: pl.BatchNorm2d(3), "'BatchNorm'"),
    ("BatchNorm(eps=)", lambda: pl.BatchNorm(eps=1e-5), "'epsilon'"),
    ("nn.ReLU()", lambda: pl.ReLU(), "pl.Dense(64, 'relu')"),
    ("nn.CrossEntropyLoss", lambda: pl.losses.CrossEntropyLoss(), "'CategoricalCrossEntropy'"),
    ("nn.MSELoss", lambda: pl.losses.MSELoss(), "'MeanSquaredError'"),
    ('loss="BCEWithLogitsLoss"', lambda: train(loss="BCEWithLogitsLoss"), "'binary_cross_entropy'"),
    ("criterion=", lambda: train(criterion="focal"), "'loss'"),
    ("optim.Adam(lr=)", lambda: pl.optimizers.Adam(lr=1e-3), "'learning_rate'"),
    ("optim.Adam(betas=)", lambda: pl.optimizers.Adam(betas=(0.9, 0.99)), "'beta1'"),
    ("torch.optim", lambda: pl.optim.SGD(), "'optimizers'"),
    ("StepLR(step_size=, gamma=)", lambda: pl.schedules.Step(step_size=3), "'every'"),
    ("CosineAnnealingLR", lambda: pl.schedules.CosineAnnealingLR(10), "'Cosine'"),
    ("DataLoader", lambda: pl.DataLoader(X), "'Dataset'"),
    ("torch.tensor", lambda: pl.tensor([1.0]), "np.array"),
    ("torch.no_grad", lambda: pl.no_grad(), "Leave it out"),
    ("torch.manual_seed", lambda: pl.manual_seed(0), "seed=1"),
    ("model.parameters()", lambda: net().parameters(), "model.params["),
    ("model.state_dict()", lambda: net().state_dict(), "pl.save"),
    ("model.load_state_dict", lambda: net().load_state_dict({}), "pl.load"),
    ("model.train()", lambda: net().train(), "pl.train"),
    ("model.eval()", lambda: net().eval(), "always predicts"),
    ('model.to("cuda")', lambda: net().to("cuda"), "CPU"),
    ("Dense(3)(inputs)", lambda: pl.Dense(3)(X), "pl.Sequential"),  # type: ignore[operator]
    ("model.zero_grad()", lambda: net().zero_grad(), "again"),
    ("nn.ReLU() of pl.nn", lambda: pl.nn.ReLU(), "pl.Activation('relu')"),
    ("Linear(3, 4)", lambda: pl.Dense(3, 4), "Dense(units)"),  # type: ignore[arg-type]
    ("LayerNorm(16)", lambda: pl.LayerNorm(16), "below 1"),
    ("ConvTranspose2d", lambda: pl.ConvTranspose2d(3, 4, 2), "UpSample2D"),
    ("model.weight", lambda: pl.Dense(3).weight, "model.params["),  # type: ignore[attr-defined]
    ("model(x) of one sample", lambda: trained().predict(X[0]), "X[None]"),
    ("optimizer=optim.Adam", lambda: train(optimizer=pl.optimizers.Adam), "Adam()"),
    ("loss=nn.HuberLoss", lambda: train(loss=pl.losses.Huber), "Huber()"),
    # scikit-learn: "Getting started", "Neural network models"
    ("pl.fit", lambda: pl.fit(net(), X, y), "pl.train"),
    ("model.score", lambda: net().score(X, y), "pl.evaluate"),
    ("MLPClassifier", lambda: pl.MLPClassifier(), "pl.estimators.MLPClassifier"),
    ("MLPClassifier(lr=)", lambda: pl.estimators.MLPClassifier(lr=0.1), "'learning_rate_init'"),
    ("MLPClassifier(epochs=)", lambda: pl.estimators.MLPClassifier(epochs=9), "'max_iter'"),
    ("NetworkClassifier(max_iter=)", lambda: pl.estimators.NetworkClassifier(max_iter=9), "'n_epochs'"),
    ("max_iter=", lambda: train(max_iter=9), "'n_epochs'"),
    ("hidden_layer_sizes=", lambda: train(hidden_layer_sizes=(9,)), "Dense"),
    ("random_state=", lambda: train(random_state=9), "'seed'"),
    ("alpha=", lambda: train(alpha=9), "'weight_decay'"),
    ("n_iter_no_change=", lambda: train(n_iter_no_change=9), "'patience'"),
    ("train_test_split", lambda: pl.train_test_split(X, y), "validation=0.2"),
    ("cross_val_score", lambda: pl.cross_val_score(net(), X, y), "'compare'"),
    ("load_digits", lambda: pl.load_digits(), "'load_data'"),
    # what is asked of data, in all three
    ("X, y = data", lambda: [*DATA_SET], "X, y = data.X, data.y"),
    ("for x, label in data", lambda: [x for x, _ in DATA_SET], "zip(data.X, data.y)"),
    ("data[100]", lambda: DATA_SET[100], "below 24"),
    ('data["image"]', lambda: DATA_SET["image"], "data.X"),
    ("data.data", lambda: DATA_SET.data, "data.X"),  # type: ignore[attr-defined]
    ("data.target", lambda: DATA_SET.target, "data.y"),  # type: ignore[attr-defined]
    ("data.class_names", lambda: DATA_SET.class_names, "data.classes"),  # type: ignore[attr-defined]
    ("data.shape", lambda: DATA_SET.shape, "data.X.shape"),  # type: ignore[attr-defined]
    ("data.shuffle(...).batch(32)", lambda: DATA_SET.shuffle(9), "batch_size=32"),  # type: ignore[attr-defined]
    ("load_data(...).X", lambda: BOTH.X, "data.train.X"),  # type: ignore[attr-defined]
    ("load_data(...).data", lambda: BOTH.data, "data.train.X"),  # type: ignore[attr-defined]
    ("len(load_data(...))", lambda: len(BOTH), "len(data.train)"),
    ("load_data(...)[0]", lambda: BOTH[0], "data.train[0]"),
    ("(x_train, y_train), (x_test, y_test) = load_data(...)", lambda: [[*part] for part in BOTH], "data.X"),
]


@every(("habit", "ours"), [each[1:] for each in ANSWERED], ids=[each[0] for each in ANSWERED])
def test_a_habit_is_told_what_it_is_called_here(habit: Callable[[], Any], ours: str) -> None:
    with pytest.raises(PellucidError) as caught:
        habit()
    assert ours in str(caught.value)
    assert "\n" not in str(caught.value)


LAYERS = pl.Dense(4, "relu"), pl.Dense(1)
WORKS: list[tuple[str, Callable[[], Any], Any]] = [  # what is written there, and what it gives
    ("Sequential(a, b)", lambda: pl.Sequential(*LAYERS).layers == pl.Sequential([*LAYERS]).layers, True),
    ("nn.Sequential", lambda: (pl.nn.Sequential, pl.nn.Dense), (pl.Sequential, pl.Dense)),
    ('padding="same"', lambda: shape_after(pl.Conv2D(3, kernel_size=(3, 3), padding="same")), (8, 8, 3)),
    ("batch_size=32", lambda: train(batch_size=8).n_steps, 3),
    ("EarlyStopping(patience=)", lambda: len(stopped_early(patience=0).losses) < 50, True),
    ('history["loss"]', lambda: (history := train(n_epochs=3))["loss"] == history.losses, True),
    ('history["val_loss"]', lambda: len(train(n_epochs=3, validation=0.25)["val_loss"]), 3),
    ('metrics=["accuracy"]', lambda: 0 <= train(metrics=["accuracy"])["accuracy"][0] <= 1, True),
    ("model.summary()", lambda: str(trained().summary()).count("dense_"), 2),
    ("compare(data=(X, y))", lambda: len(compared((X, y)).a.confusion.counts), 2),
    ("(x_train, y_train), (x_test, y_test)", lambda: compared(((X, y), (X, y))).a.confusion.n_samples, 24),
    ("len(data)", lambda: len(DATA_SET), 24),
    (
        "x, label = data[0]",
        lambda: [np.asarray(each).tolist() for each in DATA_SET[0]],
        [X[0].tolist(), y[0]],
    ),
    ("data[-1]", lambda: int(DATA_SET[-1][1]), int(y[-1])),
    ("data[:10]", lambda: DATA_SET[:10].X.tolist(), X[:10].tolist()),
    ("data[y == 1]", lambda: DATA_SET[y == 1].y.tolist(), [1] * int(y.sum())),
    ("data[[3, 5]]", lambda: DATA_SET[[3, 5]].X.tolist(), X[[3, 5]].tolist()),
    ("data.X.shape", lambda: DATA_SET.X.shape, (24, 3)),
    ("train, test = data", lambda: [len(part) for part in BOTH], [16, 8]),
]


def shape_after(layer: pl.Layer) -> Any:
    model = pl.Sequential(layer)
    model.initialize((8, 8, 1))
    return model.output_shape


def stopped_early(**options: Any) -> Any:
    stop = pl.callbacks.EarlyStopping(**options)
    return train(n_epochs=50, validation=0.25, learning_rate=1.0, callbacks=[stop])


def compared(data: Any) -> Any:
    return pl.compare("logistic", "two-layer", data=data, n_epochs=2)


@every(("habit", "result"), [each[1:] for each in WORKS], ids=[each[0] for each in WORKS])
def test_a_habit_works(habit: Callable[[], Any], result: Any) -> None:
    assert habit() == result


def losses(model: Any = None, data: Any = (X, y), **options: Any) -> Any:
    return train(model, data, n_epochs=3, **options).losses


Result = Callable[[], Any]
SAME: list[tuple[str, Result, Result]] = [  # and what gives the same here
    ('optimizer="adam"', lambda: losses(optimizer="adam"), lambda: losses(optimizer=pl.optimizers.Adam())),
    (
        "optimizer=Adam(...)",
        lambda: losses(optimizer=pl.optimizers.Adam(learning_rate=0.01)),
        lambda: losses(optimizer="adam", learning_rate=0.01),
    ),
    (
        "SGD(momentum=, nesterov=)",
        lambda: losses(optimizer=pl.optimizers.SGD(0.1, momentum=0.9, nesterov=True)),
        lambda: losses(optimizer={"type": "sgd", "momentum": 0.9, "nesterov": True}, learning_rate=0.1),
    ),
    ("a Dataset", lambda: losses(data=DATA_SET), losses),
    ("lists", lambda: losses(data=(X.tolist(), y.tolist())), losses),
    ("text labels", lambda: losses(data=(X, np.where(y, "dog", "cat"))), losses),
    ("labels (m, 1)", lambda: warned(lambda: losses(data=(X, y[:, None]))), losses),
    ("one-hot labels", lambda: warned(lambda: losses(net(2), (X, np.eye(2)[y]))), lambda: losses(net(2))),
    ("float labels", lambda: warned(lambda: losses(data=(X, y.astype(np.float32)))), losses),
    (
        "train on X / 255, predict uint8",
        lambda: trained_on_pixels().predict_proba(PIXELS),
        lambda: trained_on_pixels().predict_proba(PIXELS / 255),
    ),
]


@every(("habit", "ours"), [each[1:] for each in SAME], ids=[each[0] for each in SAME])
def test_a_habit_gives_the_same(habit: Result, ours: Result) -> None:
    np.testing.assert_allclose(habit(), ours(), rtol=1e-5, atol=1e-6)


def test_a_class_of_ones_own_without_a_backward_says_so() -> None:
    class Half(pl.Layer):
        def forward(self, X: Any, *, training: bool = False) -> Any:
            return X / 2

    with pytest.raises(PellucidError, match="Half: its class has no backward"):
        Half()  # type: ignore[abstract]


def test_there_are_sixty() -> None:
    assert len({each[0] for each in ANSWERED} | {each[0] for each in (*WORKS, *SAME)}) >= 60


def test_what_the_table_leads_to_is_there() -> None:
    for table in (KEYWORDS, METHODS, NAMES, DATA, SPLIT):
        for sentence in table.values():
            for name in sentence.replace("(", " ").replace(".)", " ").split():
                if name.startswith("pl."):
                    assert hasattr(pl, name.split(".")[1].strip(".,':;")), sentence
    spelled = [folded(other) for others in OURS.values() for other in others.split()]
    assert "" not in spelled


def test_a_name_that_is_not_there_does_not_get_in_the_way() -> None:
    model = net()
    assert not hasattr(model, "fit")
    assert getattr(model, "compile", None) is None
    copied = pickle.loads(pickle.dumps(copy.deepcopy(model)))
    assert copied.config() == model.config()
    with pytest.raises(UnknownAttributeError) as caught:
        model.fit  # type: ignore[attr-defined]  # noqa: B018
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert isinstance(caught.value, AttributeError)
