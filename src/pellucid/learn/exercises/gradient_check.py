"""Compare slopes with measured ones.

``f``: a function that takes an array of shape (n,) and returns a number; ``theta`` (n,): where; ``grad`` (n,): the
slopes that a backward gave; ``h``: a small number. For each i alone, measure
(f(theta + h) - f(theta - h)) / 2h, with h added to (taken from) theta[i] only.

Return the relative difference, one number: the Euclidean norm of (grad - measured), divided by the norm of grad plus
the norm of measured. Compute in float64; the two norms are never both 0.

Why it matters: this is how a backward is trusted. 1e-7 is right, 1e-2 is wrong.

>>> float(gradient_check(lambda theta: float(np.sum(theta**2)), np.array([1.0, 2.0]), np.array([2.0, 4.0]), 1e-4)) < 1e-8
True
>>> round(float(gradient_check(lambda theta: float(np.sum(theta**2)), np.array([3.0]), np.array([2.0]), 1e-4)), 6)  # 4 / 8
0.5
"""

import numpy as np

OUTPUTS = ("difference",)
LOOPS = True


def cubes(theta):
    return float(np.sum(theta**3))


def sines(theta):
    return float(np.sum(np.sin(theta) * np.arange(1, theta.size + 1)) + theta[0] * theta[-1])


def squares(theta):
    return float(np.sum(theta**2))


def cases(rng):
    yield squares, np.array([3.0]), np.array([2.0]), 1e-4
    for f, n, h in ((cubes, 4, 0.3), (sines, 5, 0.2)):
        yield f, rng.standard_normal(n), rng.standard_normal(n), h


def gradient_check(f, theta, grad, h):
    measured = np.zeros(theta.shape)
    for i in range(theta.size):
        plus = theta.copy()
        plus[i] = plus[i] + h
        minus = theta.copy()
        minus[i] = minus[i] - h
        measured[i] = (f(plus) - f(minus)) / (2 * h)
    numerator = np.linalg.norm(grad - measured)
    denominator = np.linalg.norm(grad) + np.linalg.norm(measured)
    difference = numerator / denominator
    return difference


def right_by_directions(f, theta, grad, h):
    steps = h * np.eye(theta.size)
    measured = np.array([(f(theta + step) - f(theta - step)) / (2 * h) for step in steps])
    top = np.sqrt(np.sum((grad - measured) ** 2))
    bottom = np.sqrt(np.sum(grad**2)) + np.sqrt(np.sum(measured**2))
    return top / bottom


def right_moved_and_back(f, theta, grad, h):
    point = theta.copy()
    slopes = []
    for i in range(len(point)):
        kept = point[i]
        point[i] = kept + h
        above = f(point)
        point[i] = kept - h
        below = f(point)
        point[i] = kept
        slopes.append((above - below) / 2 / h)
    slopes = np.asarray(slopes)
    error = np.linalg.norm(slopes - grad)
    return float(error / (np.linalg.norm(slopes) + np.linalg.norm(grad)))


FAULTS = (
    ("one-sided", "(f(plus) - f(minus)) / (2 * h)", "(f(plus) - f(theta)) / h"),
    ("one-sided", "(f(theta + step) - f(theta - step)) / (2 * h)", "(f(theta + step) - f(theta)) / h"),
    ("factor 2 missing", "/ (2 * h)", "/ h"),
    ("factor 2 missing", "(above - below) / 2 / h", "(above - below) / h"),
    ("brackets", "/ (2 * h)", "/ 2 * h"),
    ("all moved at once", "plus[i] = plus[i] + h", "plus = plus + h"),
    ("all moved at once", "steps = h * np.eye(theta.size)", "steps = h * np.ones((theta.size, theta.size))"),
    ("not moved back", "        point[i] = kept\n", ""),
    ("view for copy", "plus = theta.copy()", "plus = theta"),
    ("view for copy", "minus = theta.copy()", "minus = theta"),
    ("not relative", "difference = numerator / denominator", "difference = numerator"),
    ("not relative", "return top / bottom", "return top"),
    ("norm of the sum", "np.linalg.norm(grad) + np.linalg.norm(measured)", "np.linalg.norm(grad + measured)"),
    (
        "square root missing",
        "top = np.sqrt(np.sum((grad - measured) ** 2))",
        "top = np.sum((grad - measured) ** 2)",
    ),
    ("largest for the norm", "np.linalg.norm(grad - measured)", "np.max(np.abs(grad - measured))"),
    ("divided by one norm", "np.linalg.norm(grad) + np.linalg.norm(measured)", "np.linalg.norm(measured)"),
    ("sign", "(f(plus) - f(minus))", "(f(minus) - f(plus))"),
    ("sign", "np.linalg.norm(grad - measured)", "np.linalg.norm(grad + measured)"),
)
