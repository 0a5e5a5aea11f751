"""Saliency: which pixels a prediction depends on, by six methods, each checked against untrained networks.

``saliency`` (compute_maps.py) makes the maps; one file per method; plot_maps.py has the pages.
sanity.py checks a map against untrained networks.
"""
