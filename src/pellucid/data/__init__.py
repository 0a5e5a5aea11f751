"""Data sets: their sources, the records that hold them, and their preparation for a network.

DataSource loads, Dataset and Split hold, Preprocessing and augmentation prepare.
"""
