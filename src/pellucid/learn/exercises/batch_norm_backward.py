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


def right_step_by_step(dY, gamma, cache):
    xhat, std = cache
    N = dY.shape[1]
    dbeta = np.sum(dY, axis=1, keepdims=True)
    dgamma = np.sum(dY * xhat, axis=1, keepdims=True)
    dxhat = dY * gamma
    xmu = xhat * std
    ivar = 1.0 / std
    divar = np.sum(dxhat * xmu, axis=1, keepdims=True)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / std**2 * divar
    dvar = 0.5 / std * dsqrtvar
    dsq = 1.0 / N * np.ones(dY.shape) * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -1 * np.sum(dxmu1 + dxmu2, axis=1, keepdims=True)
    dx2 = 1.0 / N * np.ones(dY.shape) * dmu
    dx = dx1 + dx2
    return dx, dgamma, dbeta


def right_by_three_parts(dY, gamma, cache):
    Z_hat, std = cache
    m = dY.shape[1]
    dbeta = np.sum(dY, axis=1, keepdims=True)
    dgamma = np.sum(dY * Z_hat, axis=1, keepdims=True)
    dZ_hat = dY * gamma
    total = np.sum(dZ_hat, axis=1, keepdims=True)
    along = np.sum(dZ_hat * Z_hat, axis=1, keepdims=True)
    dZ = 1 / m / std * (m * dZ_hat - total - Z_hat * along)
    return dZ, dgamma, dbeta


def right_by_the_paper(dY, gamma, cache):
    Z_hat, std = cache
    m = dY.shape[1]
    dZ_hat = dY * gamma
    dvar = np.sum(dZ_hat * Z_hat * std, axis=1, keepdims=True) * -0.5 * std**-3
    dmu = np.sum(-dZ_hat / std, axis=1, keepdims=True)
    dZ = dZ_hat / std + dvar * 2 * Z_hat * std / m + dmu / m
    dgamma = np.sum(dY * Z_hat, axis=1, keepdims=True)
    dbeta = np.sum(dY, axis=1, keepdims=True)
    return dZ, dgamma, dbeta


def right_by_matrix(dY, gamma, cache):
    Z_hat, std = cache
    n, m = dY.shape
    dZ = np.zeros((n, m))
    for i in range(n):
        z = Z_hat[i]
        J = (np.eye(m) - 1 / m - np.outer(z, z) / m) / std[i]
        dZ[i] = J @ (gamma[i] * dY[i])
    dgamma = (dY * Z_hat).sum(axis=1, keepdims=True)
    dbeta = dY.sum(axis=1, keepdims=True)
    return dZ, dgamma, dbeta


def right_transposed(dY, gamma, cache):
    x_hat, sigma = cache[0].T, cache[1].T
    dout = dY.T
    m = dout.shape[0]
    dbeta = dout.sum(axis=0)
    dgamma = (dout * x_hat).sum(axis=0)
    dx_hat = dout * gamma.T
    dx = (dx_hat - dx_hat.mean(axis=0) - x_hat * (dx_hat * x_hat).mean(axis=0)) / sigma
    return dx.T, dgamma.reshape(-1, 1), dbeta.reshape(-1, 1)


FAULTS = (
    ("a part of dZ missing", "dZ_hat - mean - Z_hat * along", "dZ_hat - Z_hat * along"),
    ("a part of dZ missing", "dZ_hat - mean - Z_hat * along", "dZ_hat - mean"),
    ("a part of dZ missing", "(m * dY - dbeta - Z_hat * dgamma)", "(m * dY)"),
    ("a part of dZ missing", "m * dY - dbeta - Z_hat * dgamma", "m * dY - dbeta"),
    ("a part of dZ missing", "m * dY - dbeta - Z_hat * dgamma", "m * dY - Z_hat * dgamma"),
    ("a part of dZ missing", "dZ = ddeviation + dmu / m", "dZ = ddeviation"),
    ("a part of dZ missing", "ddeviation = ddeviation + dvar * 2 * deviation / m", "pass"),
    ("gamma left out", "gamma / (m * std)", "1 / (m * std)"),
    ("mean over everything", "mean = np.mean(dZ_hat, axis=1, keepdims=True)", "mean = np.mean(dZ_hat)"),
    ("factor 2 missing", "dvar * 2 * deviation", "dvar * deviation"),
    ("mean where the sum is meant", "dY, axis=1, keepdims=True)", "dY, axis=1, keepdims=True) / dY.shape[1]"),
    ("a part of dZ missing", "dx = dx1 + dx2", "dx = dx1"),
    ("a part of dZ missing", "dx1 = dxmu1 + dxmu2", "dx1 = dxmu1"),
    ("a part of dZ missing", "(m * dZ_hat - total - Z_hat * along)", "(m * dZ_hat - total)"),
    ("a part of dZ missing", "(m * dZ_hat - total - Z_hat * along)", "(m * dZ_hat - Z_hat * along)"),
    ("a part of dZ missing", "(m * dZ_hat - total - Z_hat * along)", "(m * dZ_hat)"),
    ("a part of dZ missing", " + dvar * 2 * Z_hat * std / m + dmu / m", " + dmu / m"),
    ("a part of dZ missing", " + dvar * 2 * Z_hat * std / m + dmu / m", " + dvar * 2 * Z_hat * std / m"),
    ("a part of dZ missing", " + dvar * 2 * Z_hat * std / m + dmu / m", ""),
    ("a part of dZ missing", "np.eye(m) - 1 / m - np.outer(z, z) / m", "np.eye(m) - np.outer(z, z) / m"),
    ("a part of dZ missing", "np.eye(m) - 1 / m - np.outer(z, z) / m", "np.eye(m) - 1 / m"),
    ("a part of dZ missing", "dx_hat - dx_hat.mean(axis=0) - x_hat", "dx_hat - x_hat"),
    ("a part of dZ missing", " - x_hat * (dx_hat * x_hat).mean(axis=0)", ""),
    ("a part of dZ missing", "dY[i] - dY[i].mean() - Z_hat[i]", "dY[i] - Z_hat[i]"),
    ("a part of dZ missing", "- dY[i].mean() - Z_hat[i] * (dY[i] * Z_hat[i]).mean()", "- dY[i].mean()"),
    ("gamma left out", "gamma[i] / std[i] * slope", "slope / std[i]"),
    ("factor too many", "dgamma = np.sum(dY * Z_hat, axis=1", "dgamma = np.sum(dY * gamma * Z_hat, axis=1"),
    ("factor too many", "np.sum(dY, axis=1, keepdims=True)", "np.sum(dY * gamma, axis=1, keepdims=True)"),
    ("standard deviation left out", ".mean(axis=0)) / sigma", ".mean(axis=0))"),
    ("standard deviation twice", "1 / m / std * (", "1 / m / std**2 * ("),
    ("standard deviation twice", "- Z_hat * along) / std\n", "- Z_hat * along) / std**2\n"),
    ("multiplied for divided", "dxmu1 = dxhat * ivar", "dxmu1 = dxhat * std"),
    ("Z_hat left out", "dgamma[i] = dY[i] @ Z_hat[i]", "dgamma[i] = dY[i].sum()"),
    ("mean over everything", "dx_hat - dx_hat.mean(axis=0)", "dx_hat - dx_hat.mean()"),
    ("mean over everything", "np.mean(dZ_hat * Z_hat, axis=1, keepdims=True)", "np.mean(dZ_hat * Z_hat)"),
    ("mean over everything", "- dY[i].mean()", "- dY.mean()"),
    ("keepdims missing", "dgamma.reshape(-1, 1), dbeta.reshape(-1, 1)", "dgamma, dbeta"),
    ("1/m missing", "gamma / (m * std)", "gamma / std"),
    ("factor 2 missing", "dxmu2 = 2 * xmu", "dxmu2 = xmu"),
    ("factor 2 missing", "dvar * 2 * Z_hat", "dvar * Z_hat"),
    ("factor 2 missing", "dvar = dstd / (2 * std)", "dvar = dstd / std"),
    ("factor 2 missing", "0.5 / std * dsqrtvar", "1 / std * dsqrtvar"),
    ("factor 2 missing", "* -0.5 * std**-3", "* -1 * std**-3"),
    ("wrong constant", "* -0.5 * std**-3", "* -0.5 * std**-1.5"),
    ("square missing", "-1.0 / std**2 * divar", "-1.0 / std * divar"),
    ("sign", "dmu = -1 * np.sum", "dmu = np.sum"),
    ("wrong variable", "divar = np.sum(dxhat * xmu", "divar = np.sum(dxhat * xhat"),
    ("wrong variable", "1.0 / N * np.ones(dY.shape) * dvar", "1.0 / N * np.ones(dY.shape) * dsqrtvar"),
    ("wrong variable", "m * dY - dbeta", "m * dY - dgamma"),
    ("factor missing", "(m * dZ_hat - total", "(dZ_hat - total"),
    ("factor missing", "(m * dY - dbeta", "(dY - dbeta"),
)
