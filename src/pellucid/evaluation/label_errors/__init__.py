"""Label errors: samples whose label a network that was not trained on them contradicts with confidence.

``find_label_errors`` (find_label_errors.py) trains on folds and looks; label_errors.py holds what is found.
"""
