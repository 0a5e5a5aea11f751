"""Figures as HTML images of a notebook: small files that load nothing."""

import base64
import io
import re

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image, features

from pellucid.plotting import saving


def decoded(html: str) -> Image.Image:
    found = re.fullmatch(r'<img src="data:image/(png|webp);base64,([^"]+)" width="\d+">', html)
    assert found is not None
    picture = Image.open(io.BytesIO(base64.b64decode(found[2])))
    assert picture.format == found[1].upper()
    return picture


def noise() -> Figure:
    figure = Figure((3, 3))
    figure.figimage(np.random.default_rng(1).random((300, 300, 3)))
    return figure


def test_a_large_figure_is_webp_of_the_same_size() -> None:
    if not features.check("webp"):
        pytest.skip("this Pillow writes no WebP")
    picture = decoded(saving.figure_html(noise()))
    assert (picture.format, picture.size) == ("WEBP", (300, 300))
    assert len(saving.figure_html(noise())) < len(saving.figure_png(noise(), dpi=100)) / 2


def test_a_small_one_and_one_without_webp_are_png(monkeypatch: pytest.MonkeyPatch) -> None:
    assert decoded(saving.figure_html(Figure((1, 1)))).format == "PNG"
    monkeypatch.setattr(features, "check", lambda name: False)
    assert decoded(saving.figure_html(noise())).format == "PNG"
