"""What computes the steps of a training, on one core or on several.

The training loop imports ``choose`` and ``executor``; the other files are internal.
"""
