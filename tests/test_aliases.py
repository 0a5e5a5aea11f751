"""Habits of Keras, PyTorch and scikit-learn, from their tutorials: each works, or is told its name here."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pellucid as pl
from pellucid.aliases import DATA, KEYWORDS, METHODS, NAMES, OF_CLASSES, OURS, SPLIT, letters_of
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


ANSWERED = {  # what is written there, and the name that the answer must have
    # Keras: "The Sequential model", "Training & evaluation with the built-in methods", "Basic classification"
    "pl.layers.Dense(3)": "pl.Dense",
    "pl.CrossEntropyLoss()": "pl.losses.CategoricalCrossEntropy()",
    "pl.nn.CrossEntropyLoss()": "pl.losses.CategoricalCrossEntropy()",
    'train(loss="nn.CrossEntropyLoss")': "'categorical_cross_entropy'",
    "pl.BCEWithLogitsLoss()": "pl.losses.BinaryCrossEntropy()",
    "pl.SGD(0.1)": "pl.optimizers.SGD(",
    "pl.RMSprop()": "pl.optimizers.RMSprop()",
    'pl.ModelCheckpoint("x")': "pl.callbacks.Checkpoint(",
    "pl.ReduceLROnPlateau()": "pl.schedules.ReduceOnPlateau()",
    "pl.applications.ResNet50()": "pl.pretrained(",
    'pl.vision_learner("photos")': "pl.train('pretrained', 'photos')",
    'pl.ImageDataLoaders("photos")': "'load_data'",
    "DATA_SET.to_pandas()": "'to_frame'",
    "BOTH.to_pandas()": "data.train.to_frame()",
    "net().forward(X)": "pl.train",
    "trained().layers[0].__class__(3).backward(X)": "call forward",
    "pl.models.Sequential()": "pl.Sequential",
    "pl.Input((3,))": "Leave it out",
    "pl.Conv2D(32, 3, strides=2)": "'stride'",
    "pl.MaxPool2D(pool_size=2)": "'size'",
    "pl.BatchNormalization()": "'BatchNorm'",
    "pl.Dense(3, input_shape=(4,))": "shape of its input from the data",
    'pl.Dense(3, kernel_initializer="he")': "'initializer'",
    'pl.Dense(3, kernel_regularizer="l2")': "weight_decay",
    'pl.Dense(3, "swish")': "'silu'",
    'pl.Dense(3, "leakyReLU")': "'leaky_relu'",
    'pl.Dense(3, initializer="glorot_uniform")': "'glorot'",
    "net().add(pl.Dense(1))": "pl.Sequential(",
    'net().compile(optimizer="adam")': "pl.train",
    "net().fit(X, y)": "pl.train",
    "net().evaluate(X, y)": "pl.evaluate",
    'net().save("m.keras")': ".safetensors",
    'net().load_weights("m.h5")': "pl.load",
    "net().get_weights()": "model.theta",
    'pl.load_model("m")': "'load'",
    "net().predict(X, verbose=0)": "Leave it out",
    "train(epochs=3)": "'n_epochs'",
    "train(validation_data=(X, y))": "'validation'",
    "train(steps_per_epoch=3)": "batch_size",
    "pl.train(net(), X, y)": "(X, y)",
    'train(loss="mse")': "'mean_squared_error'",
    'train(loss="sparse_categorical_crossentropy")': "'categorical_cross_entropy'",
    'train(optimizer="Adam")': "'adam'",
    "pl.optimizers.Adam(beta_1=0.9)": "'beta1'",
    "pl.optimizers.SGD(clipnorm=1)": "'clip_norm'",
    'pl.callbacks.EarlyStopping(monitor="val_loss")': "'metric'",
    "pl.callbacks.EarlyStopping(restore_best_weights=True)": "restores the best weights",
    'train(pl.Sequential(pl.Dense(2, activation="softmax")))': "Leave it out, as in Dense(2)",
    'train(pl.Sequential(pl.Dense(1, "sigmoid")))': "logits",
    "train(callbacks=[pl.callbacks.EarlyStopping])": "EarlyStopping()",
    'train(validation=0.25, callbacks=[pl.callbacks.EarlyStopping("val_loss")])': "'validation_loss'",
    "pl.callbacks.ReduceLROnPlateau()": "pl.schedules.ReduceOnPlateau",
    'pl.callbacks.CSVLogger("log")': "history.write",
    "pl.to_categorical(y)": "holds class numbers",
    "train().history": "history['loss']",
    "pl.Model(inputs=1, outputs=2)": "pl.Graph",
    "pl.BatchNorm(axis=3)": "last axis",
    'pl.callbacks.ModelCheckpoint("m")': "'Checkpoint'",
    "pl.losses.Focal(from_logits=True)": "logits",
    # PyTorch: "Learn the basics", "Training a classifier"
    "pl.nn.Module": "'Layer'",
    "pl.Conv2d(3, 6, 5)": "'Conv2D'",
    "pl.Conv2D(3, out_channels=4)": "'filters'",
    "pl.Conv2D(3, bias=False)": "'use_bias'",
    "pl.Dropout(p=0.5)": "'rate'",
    "pl.BatchNorm(eps=1e-05)": "'epsilon'",
    "pl.ReLU()": "pl.Dense(64, 'relu')",
    "pl.losses.CrossEntropyLoss()": "'CategoricalCrossEntropy'",
    'train(criterion="focal")': "'loss'",
    "pl.optimizers.Adam(lr=0.001)": "'learning_rate'",
    "pl.optim.SGD()": "'optimizers'",
    "pl.schedules.Step(step_size=3)": "'every'",
    "pl.schedules.CosineAnnealingLR(10)": "'Cosine'",
    "pl.DataLoader(X)": "'Dataset'",
    "pl.tensor([1.0])": "np.array",
    "pl.manual_seed(0)": "seed=1",
    "net().parameters()": "model.params[",
    "net().state_dict()": "pl.save",
    "net().load_state_dict({})": "pl.load",
    "net().train()": "pl.train",
    "net().eval()": "always predicts",
    'net().to("cuda")': "CPU",
    "pl.Dense(3)(X)": "pl.Sequential",
    "net().zero_grad()": "again",
    "pl.nn.ReLU()": "pl.Activation('relu')",
    "pl.Dense(3, 4)": "Dense(units)",
    "pl.LayerNorm(16)": "below 1",
    "pl.ConvTranspose2d(3, 4, 2)": "UpSample2D",
    "pl.Dense(3).weight": "model.params[",
    "trained().predict(X[0])": "X[None]",
    "train(optimizer=pl.optimizers.Adam)": "Adam()",
    # scikit-learn: "Getting started", "Neural network models"
    "pl.MLPClassifier()": "pl.estimators.MLPClassifier",
    "pl.estimators.MLPClassifier(lr=0.1)": "'learning_rate_init'",
    "pl.estimators.NetworkClassifier(max_iter=9)": "'n_epochs'",
    "train(hidden_layer_sizes=(9,))": "Dense",
    "train(random_state=9)": "'seed'",
    "pl.train_test_split(X, y)": "validation=0.2",
    "pl.cross_val_score(net(), X, y)": "'compare'",
    "pl.explain_photo(net(), X[0], train=DATA_SET)": "'data'",
    "pl.check_gradients(net(), random_state=9)": "'seed'",
    # what is asked of data, in all three
    "[*DATA_SET]": "X, y = data.X, data.y",
    "[x for x, _ in DATA_SET]": "zip(data.X, data.y)",
    "DATA_SET[100]": "below 24",
    'DATA_SET["image"]': "data.X",
    "DATA_SET.data": "data.X",
    "DATA_SET.class_names": "data.classes",
    "DATA_SET.shape": "data.X.shape",
    "DATA_SET.shuffle(9)": "batch_size=32",
    "BOTH.X": "data.train.X",
    "len(BOTH)": "len(data.train)",
    "BOTH[0]": "data.train[0]",
    "[[*part] for part in BOTH]": "data.X",
}


@every(("habit", "ours"), ANSWERED.items())
def test_a_habit_is_told_what_it_is_called_here(habit: str, ours: str) -> None:
    with pytest.raises(PellucidError) as caught:
        eval(habit)
    assert ours in str(caught.value)
    assert "\n" not in str(caught.value)


LAYERS = pl.Dense(4, "relu"), pl.Dense(1)
WORKS = {  # what is written there, and what it gives
    "pl.Sequential(*LAYERS).layers == pl.Sequential([*LAYERS]).layers": True,
    "(pl.nn.Sequential, pl.nn.Dense)": (pl.Sequential, pl.Dense),
    'shape_after(pl.Conv2D(3, kernel_size=(3, 3), padding="same"))': (8, 8, 3),
    "train(batch_size=8).n_steps": 3,
    "len(stopped_early(patience=0).losses) < 50": True,
    '(history := train(n_epochs=3))["loss"] == history.losses': True,
    'len(train(n_epochs=3, validation=0.25)["val_loss"])': 3,
    '0 <= train(metrics=["accuracy"])["accuracy"][0] <= 1': True,
    'str(trained().summary()).count("dense_")': 2,
    "len(compared((X, y)).a.confusion.counts)": 2,
    "compared(((X, y), (X, y))).a.confusion.n_samples": 24,
    "len(DATA_SET)": 24,
    "[np.asarray(each).tolist() for each in DATA_SET[0]]": [X[0].tolist(), y[0]],
    "int(DATA_SET[-1][1])": int(y[-1]),
    "DATA_SET[:10].X.tolist()": X[:10].tolist(),
    "DATA_SET[y == 1].y.tolist()": [1] * int(y.sum()),
    "DATA_SET[[3, 5]].X.tolist()": X[[3, 5]].tolist(),
    "DATA_SET.X.shape": (24, 3),
    "[len(part) for part in BOTH]": [16, 8],
}


def shape_after(layer: pl.Layer) -> Any:
    model = pl.Sequential(layer)
    model.initialize((8, 8, 1))
    return model.output_shape


def stopped_early(**options: Any) -> Any:
    stop = pl.callbacks.EarlyStopping(**options)
    return train(n_epochs=50, validation=0.25, learning_rate=1.0, callbacks=[stop])


def compared(data: Any) -> Any:
    return pl.compare("logistic", "two-layer", data=data, n_epochs=2)


@every(("habit", "result"), WORKS.items())
def test_a_habit_works(habit: str, result: Any) -> None:
    assert eval(habit) == result


def losses(model: Any = None, data: Any = (X, y), **options: Any) -> Any:
    return train(model, data, n_epochs=3, **options).losses


SAME = {  # and what gives the same here
    'losses(optimizer="adam")': "losses(optimizer=pl.optimizers.Adam())",
    "losses(optimizer=pl.optimizers.Adam(learning_rate=0.01))": 'losses(optimizer="adam", learning_rate=0.01)',
    "losses(optimizer=pl.optimizers.SGD(0.1, momentum=0.9, nesterov=True))": (
        "losses(optimizer=dict(type='sgd', momentum=0.9, nesterov=True), learning_rate=0.1)"
    ),
    "losses(data=DATA_SET)": "losses()",
    "losses(data=(X.tolist(), y.tolist()))": "losses()",
    'losses(data=(X, np.where(y, "dog", "cat")))': "losses()",
    "warned(lambda: losses(data=(X, y[:, None])))": "losses()",
    "warned(lambda: losses(net(2), (X, np.eye(2)[y])))": "losses(net(2))",
    "warned(lambda: losses(data=(X, y.astype(np.float32))))": "losses()",
    "trained_on_pixels().predict_proba(PIXELS)": "trained_on_pixels().predict_proba(PIXELS / 255)",
}


@every(("habit", "ours"), SAME.items())
def test_a_habit_gives_the_same(habit: str, ours: str) -> None:
    np.testing.assert_allclose(eval(habit), eval(ours), rtol=1e-5, atol=1e-6)


def test_a_class_of_ones_own_without_a_backward_says_so() -> None:
    class Half(pl.Layer):
        def forward(self, X: Any, *, training: bool = False) -> Any:
            return X / 2

    with pytest.raises(PellucidError, match="Half: its class has no backward"):
        Half()  # type: ignore[abstract]


def test_what_the_table_leads_to_is_there() -> None:
    for table in (KEYWORDS, METHODS, NAMES, DATA, SPLIT):
        for sentence in table.values():
            for name in sentence.replace("(", " ").replace(".)", " ").split():
                if name.startswith("pl."):
                    assert hasattr(pl, name.split(".")[1].strip(".,':;")), sentence
    spelled = [letters_of(other) for others in OURS.values() for other in others.split()]
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


def test_what_is_told_of_a_class_is_found_by_its_beginning() -> None:
    assert [words for words in OF_CLASSES if not any(text.startswith(words) for text in NAMES.values())] == []
