"""All subjects that are searched for faults, by name."""

from tests.fuzz import checkpoints, dual, files, imports, networks, resumes

SUBJECTS = {
    **networks.SUBJECTS,
    **dual.SUBJECTS,
    **resumes.SUBJECTS,
    **checkpoints.SUBJECTS,
    **files.SUBJECTS,
    **imports.SUBJECTS,
}
