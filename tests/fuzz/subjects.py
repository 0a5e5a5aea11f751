"""All subjects that are searched for faults, by name."""

from tests.fuzz import dual, networks

SUBJECTS = {**networks.SUBJECTS, **dual.SUBJECTS}
