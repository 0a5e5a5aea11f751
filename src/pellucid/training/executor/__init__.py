"""What computes the steps of a training, on one core or on several.

``choose`` and ``executor`` are for the training loop; the other files are theirs alone.
"""
