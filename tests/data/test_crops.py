"""Mirrored, cropped, moved and recoloured copies: each is found and named, and nothing else is."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks.data_check import KINDS, near, plain_background, planted, view
from PIL import Image, ImageDraw
from scripts.drawn_cats.draw import draw
from tests.every import every

from pellucid.data.copies import duplicates
from pellucid.data.copies.duplicates import kinds_searched, near_duplicates
from pellucid.data.source import load_data
from pellucid.types import Array

HARD = {"moved by up to 20 %": 43, "cropped to 60 to 70 %": 43, KINDS[-2]: 40, KINDS[-1]: 38}


@pytest.fixture(scope="module")
def drawings() -> Array:
    return draw(200, seed=31).X


@every("kind", KINDS)
def test_changed_drawings_are_found_and_nothing_else(drawings: Array, kind: str) -> None:
    X, truth = planted(drawings, kind, seed=1)
    found = {pair[:2]: pair.kind for pair in near_duplicates(X)}
    assert len(truth & set(found)) >= HARD.get(kind, 46)  # of 50
    assert not set(found) - truth
    words = [word for word in ("mirrored", "cropped") if word in kind.replace("moved", "cropped")]
    n_named = sum(all(word in found[pair] for word in words) for pair in truth & set(found))
    assert n_named >= 0.9 * len(truth & set(found))
    assert all(("mirrored" in found[pair]) == ("mirrored" in kind) for pair in truth & set(found))


@every("kind", KINDS)
def test_changed_photos_are_found_and_nothing_else(published_dir: Path, kind: str) -> None:
    X, truth = planted(load_data("catvnoncat").train.X, kind, seed=1)
    found = {pair[:2] for pair in near_duplicates(X)}
    assert len(found & truth) >= HARD.get(kind, 46)  # of 50
    assert not found - truth


def test_things_before_one_background_are_no_copies() -> None:
    assert near_duplicates(plain_background(3, 150)) == []


@every("outline", ["ellipse", "rectangle"])
def test_flat_shapes_on_white_are_no_copies_of_one_another(outline: str) -> None:
    rng = np.random.default_rng(1)
    X = np.empty((150, 64, 64, 3), np.uint8)
    for i in range(len(X)):
        picture, r = Image.new("RGB", (256, 256), "white"), rng.uniform(30, 100)
        x, y = rng.uniform(r, 256 - r, 2)
        colour = tuple(rng.integers(0, 200, 3).tolist())
        getattr(ImageDraw.Draw(picture), outline)((x - r, y - r, x + r, y + r), fill=colour)
        X[i] = picture.resize((64, 64), Image.Resampling.LANCZOS)
    assert near_duplicates(X) == []
    pictures, truth = planted(X, "near", seed=5)
    found = {pair[:2] for pair in near_duplicates(pictures)}
    assert len(found & truth) >= 45  # of 50
    assert not found - truth


def test_how_a_copy_was_changed_is_said(drawings: Array) -> None:
    X = drawings[:40]
    grey = np.repeat(X[3].mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    cropped = np.kron(X[4][8:56, 10:58], np.ones((4, 4, 1)))[1::3, 1::3].astype(np.uint8)
    copies = [X[2][:, ::-1], grey, cropped, cropped[:, ::-1]]
    pairs = near_duplicates(np.concatenate([X, np.stack(copies)]))
    assert [pair[:3] for pair in pairs] == [
        (2, 40, "mirrored"),
        (3, 41, "recoloured"),
        (4, 42, "cropped"),
        (4, 43, "mirrored and cropped"),
        (42, 43, "mirrored"),
    ]
    assert all(0.88 <= pair.similarity < 1 for pair in pairs)


@every("kind", ["grey", "floats", "standardized", "small", "wide"])
def test_pictures_of_other_kinds(drawings: Array, kind: str, rng: np.random.Generator) -> None:
    pictures = [Image.fromarray(image) for image in drawings[6:18]]
    parts = [np.asarray(view(picture, 0.15, 0.1, 0.75, 0.75)) for picture in pictures[:6]]
    resaved = [np.asarray(near(picture, i, rng)) for i, picture in enumerate(pictures[6:])]
    X = np.concatenate([drawings[:60], drawings[:6, :, ::-1], parts, resaved])
    if kind == "grey":
        X = X.mean(axis=3).astype(np.uint8)
    elif kind == "floats":
        X = (X / 255).astype(np.float32)
    elif kind == "standardized":
        X = (X - 120.0) / 60.0
    else:
        side = 64 if kind == "wide" else 32
        X = X.reshape(78, 32, 2, side, 64 // side, 3).mean(axis=(2, 4)).astype(np.uint8)
    found = {pair[:2] for pair in near_duplicates(X)}
    planted_pairs = {(i, 60 + i) for i in range(18)}
    assert len(found & planted_pairs) >= 16
    assert not found - planted_pairs


def test_very_small_pictures_are_searched_for_mirrored_ones(rng: np.random.Generator) -> None:
    X = rng.integers(0, 255, (40, 8, 8, 3), dtype=np.uint8)
    assert kinds_searched(X, 40) == ("near", "mirrored", "recoloured")
    pairs = near_duplicates(np.concatenate([X, X[5:6, :, ::-1]]))
    assert [pair[:3] for pair in pairs] == [(5, 40, "mirrored")]


def test_among_too_many_only_near_ones_are_looked_for(
    drawings: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = np.concatenate([drawings[:30], drawings[2:3, :, ::-1], np.minimum(drawings[5:6], 225) + 30])
    monkeypatch.setattr(duplicates, "MOST_SEARCHED", 31)
    assert [pair[:3] for pair in near_duplicates(X)] == [(5, 31, "near")]
    assert kinds_searched(X, 32) == ("near",)
    assert kinds_searched(X, 31) == ("near", "mirrored", "cropped", "recoloured")


def test_wide_pictures_with_bars_are_no_copies_for_their_bars(rng: np.random.Generator) -> None:
    X = np.zeros((6, 64, 64, 3), np.uint8)
    X[:, 27:37] = np.repeat(np.repeat(rng.integers(60, 256, (6, 5, 32, 3)), 2, axis=1), 2, axis=2)
    X[5] = 0.9 * X[0]
    assert [pair[:2] for pair in near_duplicates(X)] == [(0, 5)]


def test_a_thing_moved_on_a_black_ground_is_a_copy(drawings: Array) -> None:
    X = np.zeros((21, 64, 64, 3), np.uint8)
    X[:20, 12:52, 12:52] = drawings[:20, 12:52, 12:52]
    X[20, 8:48, 6:46] = drawings[2, 12:52, 12:52]
    assert [pair[:3] for pair in near_duplicates(X)] == [(2, 20, "cropped")]
