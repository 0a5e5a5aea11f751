"""Data sets: where they come from, the records they travel in, and how they are made ready for a network.

Every room above may import it: DataSource loads, Dataset and Split hold, Preprocessing and augmentation prepare.
"""
