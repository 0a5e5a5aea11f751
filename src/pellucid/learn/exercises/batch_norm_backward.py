"""Back through batch norm.

``dY`` (n, m); ``gamma`` (n, 1); ``cache`` = (Z_hat, std) of ``batch_norm_forward``: Z_hat (n, m) and
std = sqrt(var + epsilon) (n, 1).

Return ``(dZ, dgamma, dbeta)``, in the shapes of Z, gamma and beta. Y = gamma Z_hat + beta; slopes for gamma and beta
are sums over the examples, without a 1/m. Mind that the mean and the variance depend on every example of the row, so
that dZ has three parts. (Ioffe and Szegedy, 2015)

Why it matters: the slope has no part along a row's mean, and none along Z_hat: batch norm makes the layer blind to
both.

>>> dZ, dgamma, dbeta = batch_norm_backward(np.array([[1.0, 2.0, 6.0]]), np.array([[2.0]]), (np.array([[-1.0, 0.0, 1.0]]), np.array([[0.5]])))
>>> dgamma, dbeta
(array([[5.]]), array([[9.]]))
>>> dZ.round(4)
array([[-1.3333, -4.    ,  5.3333]])
"""

import numpy as np

OUTPUTS = "dZ", "dgamma", "dbeta"


def cases(rng):
    yield np.array([[1.0, 2.0, 6.0]]), np.array([[2.0]]), (np.array([[-1.0, 0.0, 1.0]]), np.array([[0.5]]))
    for n, m in ((3, 5), (4, 7)):
        Z = rng.standard_normal((n, m)) * 1.5 + 2
        std = np.sqrt(Z.var(axis=1, keepdims=True) + 0.3)
        yield (
            rng.standard_normal((n, m)),
            rng.standard_normal((n, 1)),
            ((Z - Z.mean(axis=1, keepdims=True)) / std, std),
        )


def measured(dY, gamma, cache):
    Z_hat, std = cache
    Z = Z_hat * std
    epsilon = std**2 - Z.var(axis=1, keepdims=True)

    def normalized(Z):
        return (Z - Z.mean(axis=1, keepdims=True)) / np.sqrt(Z.var(axis=1, keepdims=True) + epsilon)

    return {
        "dZ": (Z, lambda Z: float(np.sum(dY * gamma * normalized(Z)))),
        "dgamma": (gamma, lambda gamma: float(np.sum(dY * gamma * Z_hat))),
        "dbeta": (np.zeros(gamma.shape), lambda beta: float(np.sum(dY * (gamma * Z_hat + beta)))),
    }


def batch_norm_backward(dY, gamma, cache):
    Z_hat, std = cache
    m = dY.shape[1]
    dbeta = np.sum(dY, axis=1, keepdims=True)
    dgamma = np.sum(dY * Z_hat, axis=1, keepdims=True)
    dZ_hat = dY * gamma
    mean = np.mean(dZ_hat, axis=1, keepdims=True)
    along = np.mean(dZ_hat * Z_hat, axis=1, keepdims=True)
    dZ = (dZ_hat - mean - Z_hat * along) / std
    return dZ, dgamma, dbeta


def right_by_sums(dY, gamma, cache):
    Z_hat, std = cache
    m = dY.shape[1]
    dbeta = dY.sum(axis=1, keepdims=True)
    dgamma = (dY * Z_hat).sum(axis=1, keepdims=True)
    dZ = gamma / (m * std) * (m * dY - dbeta - Z_hat * dgamma)
    return dZ, dgamma, dbeta


def right_in_steps(dY, gamma, cache):
    Z_hat, std = cache
    m = dY.shape[1]
    dgamma = np.einsum("ik,ik->i", dY, Z_hat)[:, None]
    dbeta = np.sum(dY, axis=1).reshape(-1, 1)
    dZ_hat = gamma * dY
    ddeviation = dZ_hat / std
    dstd = -np.sum(dZ_hat * Z_hat, axis=1, keepdims=True) / std
    dvar = dstd / (2 * std)
    deviation = Z_hat * std
    ddeviation = ddeviation + dvar * 2 * deviation / m
    dmu = -np.sum(ddeviation, axis=1, keepdims=True)
    dZ = ddeviation + dmu / m
    return dZ, dgamma, dbeta


def right_by_rows(dY, gamma, cache):
    Z_hat, std = cache
    dZ, dgamma, dbeta = np.zeros(dY.shape), np.zeros(gamma.shape), np.zeros(gamma.shape)
    for i in range(dY.shape[0]):
        dbeta[i] = dY[i].sum()
        dgamma[i] = dY[i] @ Z_hat[i]
        slope = dY[i] - dY[i].mean() - Z_hat[i] * (dY[i] * Z_hat[i]).mean()
        dZ[i] = gamma[i] / std[i] * slope
    return dZ, dgamma, dbeta


FAULTS = (
    (
        "mean where the sum is meant",
        "dbeta = np.sum(dY, axis=1, keepdims=True)",
        "dbeta = np.mean(dY, axis=1, keepdims=True)",
    ),
    ("mean where the sum is meant", "dgamma = np.sum(dY * Z_hat", "dgamma = np.mean(dY * Z_hat"),
    ("a part of dZ missing", "dZ_hat - mean - Z_hat * along", "dZ_hat - Z_hat * along"),
    ("a part of dZ missing", "dZ_hat - mean - Z_hat * along", "dZ_hat - mean"),
    ("a part of dZ missing", "(m * dY - dbeta - Z_hat * dgamma)", "(m * dY)"),
    ("a part of dZ missing", "m * dY - dbeta - Z_hat * dgamma", "m * dY - dbeta"),
    ("a part of dZ missing", "m * dY - dbeta - Z_hat * dgamma", "m * dY - Z_hat * dgamma"),
    ("a part of dZ missing", "dZ = ddeviation + dmu / m", "dZ = ddeviation"),
    ("a part of dZ missing", "ddeviation = ddeviation + dvar * 2 * deviation / m", "pass"),
    ("gamma left out", "dZ_hat = dY * gamma", "dZ_hat = dY"),
    ("gamma left out", "dZ_hat = gamma * dY", "dZ_hat = dY"),
    ("gamma left out", "gamma / (m * std)", "1 / (m * std)"),
    ("standard deviation left out", "gamma / (m * std)", "gamma / m"),
    ("standard deviation left out", "gamma[i] / std[i] * slope", "gamma[i] * slope"),
    ("gamma and beta swapped", "return dZ, dgamma, dbeta", "return dZ, dbeta, dgamma"),
    ("Z_hat left out", "dgamma = np.sum(dY * Z_hat, axis=1", "dgamma = np.sum(dY, axis=1"),
    ("mean over everything", "mean = np.mean(dZ_hat, axis=1, keepdims=True)", "mean = np.mean(dZ_hat)"),
    ("factor 2 missing", "dvar * 2 * deviation", "dvar * deviation"),
)
