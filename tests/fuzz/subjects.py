"""All subjects that are searched for faults, by name."""

from tests.fuzz import dual, files, freezing, interruptions, networks, resumes

SUBJECTS = {
    **networks.SUBJECTS,
    **dual.SUBJECTS,
    **resumes.SUBJECTS,
    **freezing.SUBJECTS,
    **files.SUBJECTS,
    **interruptions.SUBJECTS,
}
