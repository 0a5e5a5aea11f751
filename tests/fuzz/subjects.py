"""All subjects that are searched for faults, by name."""

from tests.fuzz import dual, networks, resumes

SUBJECTS = {**networks.SUBJECTS, **dual.SUBJECTS, **resumes.SUBJECTS}
