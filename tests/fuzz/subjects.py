"""All subjects that are searched for faults, by name."""

from tests.fuzz import checkpoints, dual, files, freezing, imports, interruptions, networks, resumes

SUBJECTS = {
    **networks.SUBJECTS,
    **dual.SUBJECTS,
    **resumes.SUBJECTS,
    **checkpoints.SUBJECTS,
    **freezing.SUBJECTS,
    **files.SUBJECTS,
    **imports.SUBJECTS,
    **interruptions.SUBJECTS,
}
