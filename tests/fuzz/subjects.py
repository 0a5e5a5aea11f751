"""All subjects that are searched for faults, by name."""

from tests.fuzz import dual, files, interruptions, networks, resumes

SUBJECTS = {
    **networks.SUBJECTS,
    **dual.SUBJECTS,
    **resumes.SUBJECTS,
    **files.SUBJECTS,
    **interruptions.SUBJECTS,
}
