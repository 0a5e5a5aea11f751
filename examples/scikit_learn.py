"""pellucid inside scikit-learn: swap an import, search over options, and classify pictures by their paths."""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import pellucid as pl
from pellucid.estimators import ImageClassifier, MLPClassifier, image_paths  # not from sklearn.neural_network


def swap_the_import() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    network = MLPClassifier((16, 8), learning_rate_init=0.01, class_weight="balanced", random_state=0)
    options = {"mlpclassifier__dropout": [0.0, 0.2], "mlpclassifier__activation": ["relu", ["tanh", "silu"]]}
    search = GridSearchCV(make_pipeline(StandardScaler(), network), options, cv=3, scoring="roc_auc")
    search.fit(X_train, y_train)
    print("best options:", {name.split("__")[1]: value for name, value in search.best_params_.items()})
    print(f"test: area under the ROC curve {search.score(X_test, y_test):.3f}")
    hidden = search.best_estimator_.transform(X_test)
    print("hidden layer as features:", hidden.shape)


def write_pictures(folder: Path) -> None:
    digits = pl.load_data("digits").train.take(slice(0, None, 3))
    for i, (image, label) in enumerate(zip(digits.X, digits.y, strict=True)):
        (folder / digits.classes[label]).mkdir(exist_ok=True)
        Image.fromarray(image[..., 0]).save(folder / digits.classes[label] / f"{i:03d}.png")


def classify_pictures(folder: Path) -> None:
    classifier = ImageClassifier(n_epochs=25, random_state=0)  # without it, for longer
    paths, labels = image_paths(folder)
    print(
        f"three folds: {np.mean(cross_val_score(classifier, paths, labels, cv=3)):.2f} of pictures are right"
    )
    classifier.fit(folder)  # the folder itself will do, too
    print("chosen for them:", classifier.recommendation_.model)
    first = paths[0]
    print(f"{Path(first).name}: {classifier.predict(first)[0]}, {classifier.predict_proba(first).max():.2f}")
    file = folder / "digits.safetensors"
    classifier.save(file)  # for pl.load, and: pellucid predict digits.safetensors picture.png
    print("classes in the model's file:", *pl.load(file).classes)


if __name__ == "__main__":
    swap_the_import()
    with tempfile.TemporaryDirectory() as name:
        write_pictures(Path(name))
        classify_pictures(Path(name))
