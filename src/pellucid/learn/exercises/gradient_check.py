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
ALIKE = (
    {"view for copy", "wrong variable"},
    {"overwritten in the loop", "line outside the loop"},
)


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


def right_plus_and_minus_lists(f, theta, grad, h):
    n = theta.shape[0]
    J_plus = np.zeros(n)
    J_minus = np.zeros(n)
    gradapprox = np.zeros(n)
    for i in range(n):
        theta_plus = np.copy(theta)
        theta_plus[i] += h
        J_plus[i] = f(theta_plus)
        theta_minus = np.copy(theta)
        theta_minus[i] -= h
        J_minus[i] = f(theta_minus)
        gradapprox[i] = (J_plus[i] - J_minus[i]) / (2.0 * h)
    difference = np.linalg.norm(gradapprox - grad) / (np.linalg.norm(grad) + np.linalg.norm(gradapprox))
    return difference


def right_added_and_taken(f, theta, grad, h):
    theta = theta.astype(float)
    measured = np.empty_like(theta)
    for i in range(theta.size):
        theta[i] += h
        high = f(theta)
        theta[i] -= 2 * h
        low = f(theta)
        theta[i] += h
        measured[i] = (high - low) / (2 * h)
    difference = np.sqrt(np.sum(np.square(grad - measured)))
    return difference / (np.sqrt(np.sum(np.square(grad))) + np.sqrt(np.sum(np.square(measured))))


def right_by_unit_vectors(f, theta, grad, h):
    approx = []
    for i in range(len(theta)):
        e = np.zeros(len(theta))
        e[i] = 1
        approx.append((f(theta + h * e) - f(theta - h * e)) / (2 * h))
    approx = np.array(approx)
    size = np.linalg.norm
    return size(grad - approx) / (size(grad) + size(approx))


def right_by_map(f, theta, grad, h):
    def slope(step):
        return (f(theta + step) - f(theta - step)) * 0.5 / h

    steps = np.diag(np.full(theta.size, h))
    measured = np.array(list(map(slope, steps)))
    distance = np.linalg.norm(measured - grad)
    return distance / (np.linalg.norm(measured) + np.linalg.norm(grad))


def right_by_sums(f, theta, grad, h):
    n = theta.size
    squared, squared_grad, squared_measured = 0.0, 0.0, 0.0
    for i in range(n):
        plus, minus = theta.copy(), theta.copy()
        plus[i] += h
        minus[i] -= h
        measured = (f(plus) - f(minus)) / (2 * h)
        squared += (grad[i] - measured) ** 2
        squared_grad += grad[i] ** 2
        squared_measured += measured**2
    return squared**0.5 / (squared_grad**0.5 + squared_measured**0.5)


FAULTS = (
    ("one-sided", "(f(plus) - f(minus)) / (2 * h)", "(f(plus) - f(theta)) / h"),
    ("one-sided", "(f(theta + step) - f(theta - step)) / (2 * h)", "(f(theta + step) - f(theta)) / h"),
    ("factor 2 missing", "/ (2 * h)", "/ h"),
    ("factor 2 missing", "(above - below) / 2 / h", "(above - below) / h"),
    ("brackets", "/ (2 * h)", "/ 2 * h"),
    ("all moved at once", "plus[i] = plus[i] + h", "plus = plus + h"),
    ("all moved at once", "steps = h * np.eye(theta.size)", "steps = h * np.ones((theta.size, theta.size))"),
    ("not moved back", "        point[i] = kept\n", ""),
    ("not relative", "difference = numerator / denominator", "difference = numerator"),
    ("not relative", "return top / bottom", "return top"),
    ("norm of the sum", "np.linalg.norm(grad) + np.linalg.norm(measured)", "np.linalg.norm(grad + measured)"),
    ("largest for the norm", "np.linalg.norm(grad - measured)", "np.max(np.abs(grad - measured))"),
    ("divided by one norm", "np.linalg.norm(grad) + np.linalg.norm(measured)", "np.linalg.norm(measured)"),
    ("one-sided", "(J_plus[i] - J_minus[i]) / (2.0 * h)", "(J_plus[i] - f(theta)) / h"),
    ("one-sided", "(f(theta + h * e) - f(theta - h * e)) / (2 * h)", "(f(theta + h * e) - f(theta)) / h"),
    ("one-sided", "theta[i] -= 2 * h\n", "theta[i] -= h\n"),
    ("one-sided", "        theta_minus[i] -= h\n", ""),
    ("factor 2 missing", "/ (2.0 * h)", "/ h"),
    ("factor 2 missing", "* 0.5 / h", "/ h"),
    ("brackets", "/ (2.0 * h)", "/ 2.0 * h"),
    ("brackets", "(J_plus[i] - J_minus[i]) / (2.0 * h)", "J_plus[i] - J_minus[i] / (2.0 * h)"),
    ("brackets", "(f(plus) - f(minus)) / (2 * h)", "f(plus) - f(minus) / (2 * h)"),
    ("brackets", "(high - low) / (2 * h)", "high - low / (2 * h)"),
    (
        "brackets",
        "/ (np.linalg.norm(grad) + np.linalg.norm(gradapprox))",
        "/ np.linalg.norm(grad) + np.linalg.norm(gradapprox)",
    ),
    ("brackets", "/ (size(grad) + size(approx))", "/ size(grad) + size(approx)"),
    (
        "brackets",
        "/ (np.linalg.norm(measured) + np.linalg.norm(grad))",
        "/ np.linalg.norm(measured) + np.linalg.norm(grad)",
    ),
    ("all moved at once", "theta_plus[i] += h", "theta_plus += h"),
    ("all moved at once", "plus[i] += h\n        minus[i] -= h\n", "plus += h\n        minus -= h\n"),
    ("all moved at once", "e = np.zeros(len(theta))", "e = np.ones(len(theta))"),
    ("all moved at once", "np.diag(np.full(theta.size, h))", "np.full((theta.size, theta.size), h)"),
    ("not moved back", "        low = f(theta)\n        theta[i] += h\n", "        low = f(theta)\n"),
    ("view for copy", "plus, minus = theta.copy(), theta.copy()", "plus, minus = theta, theta"),
    ("view for copy", "plus, minus = theta.copy(), theta.copy()", "plus = minus = theta.copy()"),
    ("not relative", " / (np.linalg.norm(grad) + np.linalg.norm(gradapprox))", ""),
    ("not relative", " / (size(grad) + size(approx))", ""),
    ("not relative", " / (np.linalg.norm(measured) + np.linalg.norm(grad))", ""),
    ("not relative", " / (squared_grad**0.5 + squared_measured**0.5)", ""),
    ("norm of the sum", "linalg.norm(grad) + np.linalg.norm(gradapprox)", "linalg.norm(grad + gradapprox)"),
    ("norm of the sum", "size(grad) + size(approx)", "size(grad + approx)"),
    ("norm of the sum", "np.linalg.norm(measured) + np.linalg.norm(grad)", "np.linalg.norm(measured + grad)"),
    ("norm of the sum", "np.linalg.norm(slopes) + np.linalg.norm(grad)", "np.linalg.norm(slopes + grad)"),
    ("square root missing", "squared**0.5 /", "squared /"),
    ("square root missing", "squared_grad**0.5 + squared_measured**0.5", "squared_grad + squared_measured"),
    ("brackets", "(squared_grad**0.5 + squared_measured**0.5)", "(squared_grad + squared_measured) ** 0.5"),
    (
        "square root missing",
        "bottom = np.sqrt(np.sum(grad**2)) + np.sqrt(np.sum(measured**2))",
        "bottom = np.sum(grad**2) + np.sum(measured**2)",
    ),
    ("largest for the norm", "np.linalg.norm(gradapprox - grad)", "np.max(np.abs(gradapprox - grad))"),
    ("largest for the norm", "size(grad - approx)", "np.max(np.abs(grad - approx))"),
    ("divided by one norm", "np.linalg.norm(grad) + np.linalg.norm(gradapprox)", "np.linalg.norm(grad)"),
    ("divided by one norm", "np.linalg.norm(measured) + np.linalg.norm(grad)", "np.linalg.norm(grad)"),
    ("divided by one norm", "size(grad) + size(approx)", "size(approx)"),
    ("divided by one norm", "squared_grad**0.5 + squared_measured**0.5", "squared_grad**0.5"),
    ("multiplied for added", "(grad) + np.linalg.norm(gradapprox)", "(grad) * np.linalg.norm(gradapprox)"),
    ("multiplied for added", "(grad) + np.linalg.norm(measured)", "(grad) * np.linalg.norm(measured)"),
    ("wrong index", "theta_plus[i] += h", "theta_plus[0] += h"),
    ("wrong index", "plus[i] = plus[i] + h", "plus[0] = plus[0] + h"),
    ("wrong index", "e[i] = 1", "e[0] = 1"),
    ("wrong variable", "J_minus[i] = f(theta_minus)", "J_minus[i] = f(theta_plus)"),
    ("one-sided", "J_minus[i] = f(theta_minus)", "J_minus[i] = f(theta)"),
    ("overwritten in the loop", "squared += ", "squared = "),
    ("overwritten in the loop", "squared_measured += ", "squared_measured = "),
    ("overwritten in the loop", ".append((above - below) / 2 / h)", " = [(above - below) / 2 / h]"),
    ("line outside the loop", "        approx.append", "    approx.append"),
    ("overwritten in the loop", "theta_plus = np.copy", "gradapprox, theta_plus = np.zeros(n), np.copy"),
    (
        "fraction upside down",
        "squared**0.5 / (squared_grad**0.5 + squared_measured**0.5)",
        "(squared_grad**0.5 + squared_measured**0.5) / squared**0.5",
    ),
)
