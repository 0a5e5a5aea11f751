"""All subjects that are searched for faults, by name."""

from tests.fuzz import checkpoints, dual, files, imports, networks, replays, resumes, uses

SUBJECTS = {
    **networks.SUBJECTS,
    **replays.SUBJECTS,
    **dual.SUBJECTS,
    **resumes.SUBJECTS,
    **checkpoints.SUBJECTS,
    **files.SUBJECTS,
    **imports.SUBJECTS,
    **uses.SUBJECTS,
}
