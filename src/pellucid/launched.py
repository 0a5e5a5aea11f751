"""How many processes a launcher such as ``mpiexec`` started together, as the environment says."""

import os

LAUNCHERS = {  # the variables in which each says how many there are, and which one this is
    "OMPI_COMM_WORLD_SIZE": "OMPI_COMM_WORLD_RANK",
    "PMI_SIZE": "PMI_RANK",
    "SLURM_STEP_NUM_TASKS": "SLURM_PROCID",
}


def launched() -> tuple[int, int]:
    """Return the number of this process and how many were started with it; (0, 1) without a launcher.

    Examples
    --------
    >>> launched()
    (0, 1)
    """
    for size, number in LAUNCHERS.items():
        if os.environ.get(size, "").isdigit():
            return int(os.environ.get(number, 0)), int(os.environ[size])
    return 0, 1


def forget_launch() -> None:
    """Have programs that this process starts be none of those that were started together."""
    for size in LAUNCHERS:
        os.environ.pop(size, None)
