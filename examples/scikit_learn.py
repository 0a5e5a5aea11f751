"""pellucid inside scikit-learn: swap an import, search over options, and classify photos by their paths."""

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


def write_photos(folder: Path) -> None:
    cats = pl.load_data("drawn-cats").train
    for i, (image, label) in enumerate(zip(cats.X, cats.y, strict=True)):
        (folder / cats.classes[label]).mkdir(exist_ok=True)
        Image.fromarray(image).save(folder / cats.classes[label] / f"{i:03d}.png")


def classify_photos(folder: Path) -> None:
    classifier = ImageClassifier("mlp-wide", image_size=32, n_epochs=30, random_state=0)
    paths, labels = image_paths(folder)
    print(f"three folds: {np.mean(cross_val_score(classifier, paths, labels, cv=3)):.2f} of photos are right")
    classifier.fit(folder)  # the folder itself will do, too
    photo = paths[0]
    print(f"{Path(photo).name}: {classifier.predict(photo)[0]}, {classifier.predict_proba(photo).max():.2f}")
    classifier.save(
        folder / "cats.safetensors"
    )  # for pl.load, and: pellucid predict cats.safetensors photo.jpg
    print("classes in the model's file:", pl.load(folder / "cats.safetensors").classes)


if __name__ == "__main__":
    swap_the_import()
    with tempfile.TemporaryDirectory() as name:
        write_photos(Path(name))
        classify_photos(Path(name))
