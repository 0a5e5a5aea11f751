"""Data sets: their sources, the records that hold them, and their preparation for a network.

Every room above may import it: DataSource loads, Dataset and Split hold, Preprocessing and
augmentation prepare.
"""
