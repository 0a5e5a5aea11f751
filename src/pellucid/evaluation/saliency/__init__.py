"""Saliency: which pixels a prediction depends on, by six methods, each checked against untrained networks.

``saliency`` (compute_maps.py) makes the maps; one file per method; plot_maps.py has the pages.
Imported by photo and reporting; imports scores, nn and below.
"""
