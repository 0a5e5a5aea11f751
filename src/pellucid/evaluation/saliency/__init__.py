"""Saliency: which pixels a prediction depends on, by six methods, each checked against untrained networks.

``saliency`` (measure.py) makes the maps; one file per method; text.py has the sentences, figures.py the pages.
Imported by photo and the report; imports scores, nn and below.
"""
