"""The numbers that the published tutorial printed, and the options of its training."""

N_ITERATIONS, LEARNING_RATE, EVERY = 2500, 0.0075, 100

# What the tutorial printed: the cost at iterations 0, 100, ..., 2400 and 2499, and both accuracies.
PUBLISHED_COSTS = (
    0.7717493284237686,
    0.6720534400822914,
    0.6482632048575212,
    0.6115068816101354,
    0.5670473268366111,
    0.54013766345478,
    0.5279299569455267,
    0.4654773771766851,
    0.3691258524959279,
    0.39174697434805344,
    0.3151869888600617,
    0.2726998441789385,
    0.23741853400268137,
    0.19960120532208647,
    0.18926300388463305,
    0.1611885466582775,
    0.14821389662363316,
    0.13777487812972944,
    0.1297401754919012,
    0.12122535068005211,
    0.1138206066863371,
    0.10783928526254133,
    0.10285466069352679,
    0.10089745445261787,
    0.09287821526472397,
    0.088439943441702,
)
PUBLISHED_TRAIN_ACCURACY = 0.9856459330143539
PUBLISHED_TEST_ACCURACY = 0.8
NEW_PHOTO, PUBLISHED_PREDICTION = "my_cat_1.jpg", "cat"


def published_costs() -> dict[int, float]:
    """Return the published cost of each iteration that has one.

    Examples
    --------
    >>> published_costs()[2499]
    0.088439943441702
    """
    iterations = [*range(0, N_ITERATIONS, EVERY), N_ITERATIONS - 1]
    return dict(zip(iterations, PUBLISHED_COSTS, strict=True))
