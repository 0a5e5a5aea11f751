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


def right_in_one_line(Z, gamma, beta, epsilon):
    Z_hat = (Z - Z.mean(axis=1, keepdims=True)) / np.sqrt(Z.var(axis=1, keepdims=True) + epsilon)
    return gamma * Z_hat + beta, (Z_hat, np.sqrt(Z.var(axis=1, keepdims=True) + epsilon))


def right_from_squares(Z, gamma, beta, epsilon):
    m = Z.shape[1]
    mu = Z.sum(axis=1).reshape(-1, 1) / m
    mean_of_squares = (Z**2).sum(axis=1).reshape(-1, 1) / m
    var = mean_of_squares - mu**2
    std = (var + epsilon) ** 0.5
    Z_hat = (Z - mu) / std
    Y = Z_hat * gamma
    Y = Y + beta
    return Y, [Z_hat, std, mu, var]


def right_by_std(Z, gamma, beta, epsilon):
    mean, deviation = np.mean(Z, 1), np.std(Z, 1)
    sqrtvar = np.sqrt(deviation**2 + epsilon)
    Z_norm = (Z - mean[:, None]) / sqrtvar[:, None]
    out = np.multiply(gamma, Z_norm) + beta
    cache = {"Z_hat": Z_norm, "std": sqrtvar, "gamma": gamma}
    return out, cache


def right_by_einsum(Z, gamma, beta, epsilon):
    m = Z.shape[1]
    ones = np.ones((m, 1)) / m
    xmu = Z - Z @ ones
    var = np.einsum("ik,ik->i", xmu, xmu)[:, np.newaxis] / m
    ivar = 1.0 / np.sqrt(var + epsilon)
    xhat = xmu * ivar
    gammax = gamma * xhat
    out = gammax + beta
    return out, (xhat, 1.0 / ivar, gamma, xmu)


def right_by_numbers(Z, gamma, beta, epsilon):
    n, m = Z.shape
    Y, Z_hat, std = np.zeros((n, m)), np.zeros((n, m)), np.zeros((n, 1))
    for i in range(n):
        mu = sum(Z[i, k] for k in range(m)) / m
        var = sum((Z[i, k] - mu) ** 2 for k in range(m)) / m
        std[i] = np.sqrt(var + epsilon)
        for k in range(m):
            Z_hat[i, k] = (Z[i, k] - mu) / std[i, 0]
            Y[i, k] = gamma[i, 0] * Z_hat[i, k] + beta[i, 0]
    return Y, (Z_hat, std)


FAULTS = (
    ("epsilon outside the square root", "np.sqrt(var + epsilon)", "np.sqrt(var) + epsilon"),
    ("mean not subtracted", "(Z - mu) / std", "Z / std"),
    ("mean not subtracted", "squares = deviation**2", "squares = Z**2"),
    ("divided by m - 1", "np.var(Z, axis=1, keepdims=True)", "np.var(Z, axis=1, keepdims=True, ddof=1)"),
    ("divided by m - 1", "squares, axis=1, keepdims=True) / m", "squares, axis=1, keepdims=True) / (m - 1)"),
    ("gamma and beta swapped", "gamma * Z_hat + beta", "beta * Z_hat + gamma"),
    ("scale or shift left out", "gamma * Z_hat + beta", "Z_hat + beta"),
    ("scale or shift left out", "gamma * Z_hat + beta", "gamma * Z_hat"),
    ("scale or shift left out", "gamma * Z_hat + beta", "Z_hat"),
    ("not normalized", "gamma * Z_hat + beta", "gamma * Z + beta"),
    ("cache lacks a part", "cache = (Z_hat, std)", "cache = (Z, std)"),
    ("variance for standard deviation", "cache = (Z_hat, std)", "cache = (Z_hat, var)"),
    ("cache missing", "return Y, cache", "return Y"),
    ("variance for standard deviation", "np.sqrt(var + epsilon)", "var"),
    ("epsilon outside the square root", "np.sqrt(deviation**2 + epsilon)", "np.sqrt(deviation**2) + epsilon"),
    ("epsilon outside the square root", "(var + epsilon) ** 0.5", "var**0.5 + epsilon"),
    ("epsilon outside the square root", "np.sqrt(deviation**2 + epsilon)", "deviation + epsilon"),
    ("epsilon outside the square root", "1.0 / np.sqrt(var + epsilon)", "1.0 / (np.sqrt(var) + epsilon)"),
    ("epsilon outside the square root", "(variance + epsilon) ** 0.5", "variance**0.5 + epsilon"),
    ("epsilon left out", "np.sqrt(deviation**2 + epsilon)", "deviation"),
    ("epsilon left out", "np.sqrt(z.var() + epsilon)", "z.std()"),
    ("square root missing", "(var + epsilon) ** 0.5", "var + epsilon"),
    ("square root missing", "(variance + epsilon) ** 0.5", "variance + epsilon"),
    ("mean not subtracted", "(Z - mean[:, None]) / sqrtvar", "Z / sqrtvar"),
    ("mean not subtracted", "xmu = Z - Z @ ones", "xmu = Z"),
    ("mean not subtracted", "Z_hat[i, k] = (Z[i, k] - mu) / std", "Z_hat[i, k] = Z[i, k] / std"),
    ("mean not subtracted", "var = mean_of_squares - mu**2", "var = mean_of_squares"),
    ("mean not subtracted", "hat = (X - mean) / sigma", "hat = X / sigma"),
    ("mean not subtracted", "((X - mean) ** 2).mean(axis=0)", "(X**2).mean(axis=0)"),
    ("divided by m - 1", "np.std(Z, 1)", "np.std(Z, 1, ddof=1)"),
    ("divided by m - 1", "[:, np.newaxis] / m", "[:, np.newaxis] / (m - 1)"),
    ("divided by m - 1", "for k in range(m)) / m\n        std", "for k in range(m)) / (m - 1)\n        std"),
    ("divided by m - 1", "z.var()", "z.var(ddof=1)"),
    ("wrong axis", "Z.var(axis=1, keepdims=True)", "Z.var(axis=0, keepdims=True)"),
    ("mean over everything", "np.mean(Z, axis=1, keepdims=True)", "np.mean(Z)"),
    ("mean over everything", "np.var(Z, axis=1, keepdims=True)", "np.var(Z)"),
    ("mean over everything", "Z.mean(axis=1, keepdims=True)", "Z.mean()"),
    ("mean over everything", "Z.var(axis=1, keepdims=True)", "Z.var()"),
    ("mean over everything", "X.mean(axis=0)", "X.mean()"),
    ("mean over everything", "z.mean()", "Z.mean()"),
    ("keepdims missing", "mean[:, None]", "mean"),
    ("keepdims missing", "sqrtvar[:, None]", "sqrtvar"),
    ("keepdims missing", "(Z**2).sum(axis=1).reshape(-1, 1)", "(Z**2).sum(axis=1)"),
    ("gamma and beta swapped", "np.multiply(gamma, Z_norm) + beta", "np.multiply(beta, Z_norm) + gamma"),
    ("gamma and beta swapped", "gamma[i, 0] * Z_hat[i, k] + beta", "beta[i, 0] * Z_hat[i, k] + gamma"),
    (
        "gamma and beta swapped",
        "gammax = gamma * xhat\n    out = gammax + beta",
        "gammax = beta * xhat\n    out = gammax + gamma",
    ),
    ("gamma and beta swapped", "hat * gamma.T + beta.T", "hat * beta.T + gamma.T"),
    ("scale or shift left out", "np.multiply(gamma, Z_norm) + beta", "Z_norm + beta"),
    ("scale or shift left out", "out = gammax + beta", "out = gammax"),
    ("scale or shift left out", "    Y = Y + beta\n", ""),
    ("scale or shift left out", "Y = Z_hat * gamma", "Y = Z_hat"),
    ("scale or shift left out", "hat * gamma.T + beta.T", "hat * gamma.T"),
    ("scale or shift left out", "Y = scaled + beta", "Y = scaled"),
    ("not normalized", "np.multiply(gamma, Z_norm)", "np.multiply(gamma, Z)"),
    ("not normalized", "gammax = gamma * xhat", "gammax = gamma * xmu"),
    ("not normalized", "scaled = gamma * Z_hat", "scaled = gamma * deviation"),
    ("not normalized", "Y = Z_hat * gamma", "Y = Z * gamma"),
    ("not normalized", "hat = (X - mean) / sigma", "hat = X - mean"),
    ("multiplied for divided", "Z_hat = deviation * inverse", "Z_hat = deviation * root"),
    ("divided for multiplied", "xhat = xmu * ivar", "xhat = xmu / ivar"),
    ("variance for standard deviation", "np.sqrt(deviation**2 + epsilon)", "deviation**2"),
    ("variance for standard deviation", "(Z - mu) / std", "(Z - mu) / var"),
    ("standard deviation for variance", "np.var(Z, axis=1, keepdims=True)", "Z.std(axis=1, keepdims=True)"),
    ("square missing", "np.sqrt(deviation**2 + epsilon)", "np.sqrt(deviation + epsilon)"),
    ("square missing", "squares = deviation**2", "squares = np.abs(deviation)"),
    ("square missing", "mean_of_squares - mu**2", "mean_of_squares - mu"),
    ("square missing", "** 2 for k in range(m)", "for k in range(m)"),
    ("cache lacks a part", '"Z_hat": Z_norm, "std": sqrtvar, "gamma"', '"Z_hat": Z_norm, "gamma"'),
    ("cache lacks a part", "(xhat, 1.0 / ivar, gamma, xmu)", "(xhat, ivar, gamma, xmu)"),
    ("cache lacks a part", "return Y, (Z_hat, std)", "return Y, Z_hat"),
    ("cache lacks a part", '{"Z_hat": Z_hat, "root": root}', '{"Z_hat": Z_hat, "root": inverse}'),
    ("cache lacks a part", "return Y, [Z_hat, std, mu, var]", "return Y, [mu, var]"),
    ("cache missing", "return Y, (Z_hat, std)", "return Y"),
    ("cache missing", "return out, cache", "return out"),
    ("returned in the wrong order", "return Y, (Z_hat, std)", "return Y, Z_hat, std"),
    ("transpose", "return Y.T, (hat.T,", "return Y, (hat.T,"),
    ("transpose", "(hat.T, sigma", "(hat, sigma"),
    ("input modified", "xmu = Z - Z @ ones", "Z -= Z @ ones\n    xmu = Z"),
    ("input modified", "deviation = Z - mu\n", "Z -= mu\n    deviation = Z\n"),
)
