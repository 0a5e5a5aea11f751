"""Give each unit mean 0 and variance 1 over the batch, then a scale and a shift that are trained.

``Z`` (n, m): sums, columns are examples. ``gamma`` (n, 1), ``beta`` (n, 1), ``epsilon``: a small number, 0 or above.
Per unit (row): mean mu and variance var over the m examples (the mean of the squared deviations, divided by m), then
Z_hat = (Z - mu) / sqrt(var + epsilon) and Y = gamma Z_hat + beta.

Return ``(Y, cache)``, the cache a tuple, list or dictionary that holds Z_hat (n, m) and sqrt(var + epsilon), n numbers
in the shape (n, 1) or (n,); order and names are yours, and it may hold more. (Ioffe and Szegedy, 2015)

Why it matters: whatever the layers below do, this layer's inputs keep their scale.

>>> Y, cache = batch_norm_forward(np.array([[1.0, 3.0]]), np.array([[2.0]]), np.array([[5.0]]), 0.0)
>>> Y
array([[3., 7.]])
"""

import numpy as np

OUTPUTS = "Y", "cache"


def cases(rng):
    yield np.array([[1.0, 3.0]]), np.array([[2.0]]), np.array([[5.0]]), 0.0
    for n, m, epsilon in ((3, 5, 0.3), (4, 7, 0.1)):
        Z = rng.standard_normal((n, m)) * 1.5 + 2
        yield Z, rng.standard_normal((n, 1)), rng.standard_normal((n, 1)), epsilon


def batch_norm_forward(Z, gamma, beta, epsilon):
    mu = np.mean(Z, axis=1, keepdims=True)
    var = np.var(Z, axis=1, keepdims=True)
    std = np.sqrt(var + epsilon)
    Z_hat = (Z - mu) / std
    Y = gamma * Z_hat + beta
    cache = (Z_hat, std)
    return Y, cache


def right_in_steps(Z, gamma, beta, epsilon):
    m = Z.shape[1]
    mu = np.sum(Z, axis=1, keepdims=True) / m
    deviation = Z - mu
    squares = deviation**2
    var = np.sum(squares, axis=1, keepdims=True) / m
    root = np.sqrt(var + epsilon)
    inverse = 1 / root
    Z_hat = deviation * inverse
    scaled = gamma * Z_hat
    Y = scaled + beta
    return Y, {"Z_hat": Z_hat, "root": root}


def right_transposed(Z, gamma, beta, epsilon):
    X = Z.T
    mean = X.mean(axis=0)
    variance = ((X - mean) ** 2).mean(axis=0)
    sigma = (variance + epsilon) ** 0.5
    hat = (X - mean) / sigma
    Y = hat * gamma.T + beta.T
    return Y.T, (hat.T, sigma.reshape(-1, 1))


def right_by_rows(Z, gamma, beta, epsilon):
    Y, Z_hat, std = np.zeros(Z.shape), np.zeros(Z.shape), np.zeros(gamma.shape)
    for i in range(Z.shape[0]):
        z = Z[i]
        std[i, 0] = np.sqrt(z.var() + epsilon)
        Z_hat[i] = (z - z.mean()) / std[i, 0]
        Y[i] = gamma[i, 0] * Z_hat[i] + beta[i, 0]
    return Y, (Z_hat, std)


FAULTS = (
    ("epsilon outside the square root", "np.sqrt(var + epsilon)", "np.sqrt(var) + epsilon"),
    ("epsilon left out", "np.sqrt(var + epsilon)", "np.sqrt(var)"),
    ("square root missing", "np.sqrt(var + epsilon)", "(var + epsilon)"),
    ("mean not subtracted", "(Z - mu) / std", "Z / std"),
    ("mean not subtracted", "squares = deviation**2", "squares = Z**2"),
    ("divided by m - 1", "np.var(Z, axis=1, keepdims=True)", "np.var(Z, axis=1, keepdims=True, ddof=1)"),
    (
        "divided by m - 1",
        "np.sum(squares, axis=1, keepdims=True) / m",
        "np.sum(squares, axis=1, keepdims=True) / (m - 1)",
    ),
    ("gamma and beta swapped", "gamma * Z_hat + beta", "beta * Z_hat + gamma"),
    ("scale or shift left out", "gamma * Z_hat + beta", "Z_hat + beta"),
    ("scale or shift left out", "gamma * Z_hat + beta", "gamma * Z_hat"),
    ("scale or shift left out", "gamma * Z_hat + beta", "Z_hat"),
    ("not normalized", "gamma * Z_hat + beta", "gamma * Z + beta"),
    ("cache lacks a part", "cache = (Z_hat, std)", "cache = (Z, std)"),
    ("cache lacks a part", "cache = (Z_hat, std)", "cache = (Z_hat, var)"),
    ("cache missing", "return Y, cache", "return Y"),
    ("variance for standard deviation", "np.sqrt(var + epsilon)", "var"),
    ("standard deviation twice", "np.var(Z, axis=1, keepdims=True)", "np.std(Z, axis=1, keepdims=True)"),
)
