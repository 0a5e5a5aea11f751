"""A step of Adam.

``w``: parameters of any shape, ``dw`` their slope, ``v`` and ``s`` the running means of the slopes and of their squares so far,
``t`` the number of this step, counted from 1; ``learning_rate``, ``beta1``, ``beta2``, ``epsilon``.

v becomes beta1 v + (1 - beta1) dw; s becomes beta2 s + (1 - beta2) dw^2. Both began at 0 and are too small at first, so they are
corrected for this step only: v' = v / (1 - beta1^t), s' = s / (1 - beta2^t). Then w becomes
w - learning_rate v' / (sqrt(s') + epsilon). Return ``(w, v, s)``, all new, v and s uncorrected; the arrays that you were given
stay as they are. (Kingma and Ba, 2015)

Why it matters: every parameter has a step of its own size. Without the correction, the first steps are several times too large.

>>> w, v, s = adam_step(np.array([[1.0]]), np.array([[2.0]]), np.array([[0.0]]), np.array([[0.0]]), 1, 0.5, 0.9, 0.999, 1e-8)
>>> w.round(6), v.round(6), s.round(6)
(array([[0.5]]), array([[0.2]]), array([[0.004]]))
"""

import numpy as np

OUTPUTS = "w", "v", "s"


def cases(rng):
    zero = np.array([[0.0]])
    yield np.array([[1.0]]), np.array([[2.0]]), zero, zero.copy(), 1, 0.5, 0.9, 0.999, 1e-8
    for n, k, t, rate, beta1, beta2, epsilon in (
        (3, 5, 3, 0.3, 0.8, 0.95, 0.05),
        (4, 2, 7, 0.07, 0.6, 0.9, 0.2),
    ):
        w, dw, v, s = rng.standard_normal((4, n, k))
        yield w, dw, v, s**2, t, rate, beta1, beta2, epsilon


def adam_step(w, dw, v, s, t, learning_rate, beta1, beta2, epsilon):
    v = beta1 * v + (1 - beta1) * dw
    v_corrected = v / (1 - beta1**t)
    s = beta2 * s + (1 - beta2) * dw**2
    s_corrected = s / (1 - beta2**t)
    w = w - learning_rate * v_corrected / (np.sqrt(s_corrected) + epsilon)
    return w, v, s


def right_in_steps(w, dw, v, s, t, learning_rate, beta1, beta2, epsilon):
    new_v = beta1 * v + (1 - beta1) * dw
    square = np.square(dw)
    new_s = beta2 * s + (1 - beta2) * square
    v_hat = new_v / (1 - np.power(beta1, t))
    s_hat = new_s / (1 - np.power(beta2, t))
    root = np.sqrt(s_hat)
    denominator = root + epsilon
    direction = v_hat / denominator
    step = learning_rate * direction
    return w - step, new_v, new_s


def right_on_copies(w, dw, v, s, t, learning_rate, beta1, beta2, epsilon):
    w, v, s = w.copy(), v.copy(), s.copy()
    v *= beta1
    v += (1 - beta1) * dw
    s *= beta2
    s += (1 - beta2) * (dw * dw)
    w -= learning_rate * (v / (1 - beta1**t)) / ((s / (1 - beta2**t)) ** 0.5 + epsilon)
    return w, v, s


def right_by_rate(w, dw, v, s, t, learning_rate, beta1, beta2, epsilon):
    v = v + (1 - beta1) * (dw - v)
    s = s + (1 - beta2) * (dw**2 - s)
    correction1, correction2 = 1 - beta1**t, 1 - beta2**t
    rate = learning_rate / correction1
    w = w - rate * v / (np.sqrt(s / correction2) + epsilon)
    return w, v, s


FAULTS = (
    ("correction missing", "v_corrected = v / (1 - beta1**t)", "v_corrected = v"),
    ("correction missing", "s_corrected = s / (1 - beta2**t)", "s_corrected = s"),
    ("correction missing", "v_hat = new_v / (1 - np.power(beta1, t))", "v_hat = new_v"),
    ("correction missing", "s_hat = new_s / (1 - np.power(beta2, t))", "s_hat = new_s"),
    ("corrected mean kept", "return w, v, s", "return w, v_corrected, s_corrected"),
    ("corrected mean kept", "v_corrected = v / (1 - beta1**t)", "v = v_corrected = v / (1 - beta1**t)"),
    ("epsilon inside the square root", "np.sqrt(s_corrected) + epsilon", "np.sqrt(s_corrected + epsilon)"),
    (
        "epsilon inside the square root",
        "np.sqrt(s / correction2) + epsilon",
        "np.sqrt(s / correction2 + epsilon)",
    ),
    (
        "epsilon outside the fraction",
        "/ (np.sqrt(s_corrected) + epsilon)",
        "/ np.sqrt(s_corrected) + epsilon",
    ),
    ("square root missing", "np.sqrt(s_corrected)", "s_corrected"),
    ("square root missing", "root = np.sqrt(s_hat)", "root = s_hat"),
    ("square missing", "(1 - beta2) * dw**2", "(1 - beta2) * dw"),
    ("square missing", "square = np.square(dw)", "square = np.abs(dw)"),
    ("betas swapped", "(1 - beta2**t)", "(1 - beta1**t)"),
    ("betas swapped", "(1 - beta1**t)", "(1 - beta2**t)"),
    ("betas swapped", "beta1 * v + (1 - beta1) * dw", "beta2 * v + (1 - beta2) * dw"),
    ("beta and 1 - beta swapped", "beta1 * v + (1 - beta1) * dw", "(1 - beta1) * v + beta1 * dw"),
    ("beta and 1 - beta swapped", "beta2 * s + (1 - beta2) * square", "(1 - beta2) * s + beta2 * square"),
    ("step number off by one", "beta1**t", "beta1 ** (t + 1)"),
    ("step number off by one", "np.power(beta1, t)", "np.power(beta1, t - 1 + 1e-9)"),
    ("power for a product", "beta1**t", "beta1 * t"),
    ("slope for the running mean", "learning_rate * v_corrected", "learning_rate * dw"),
    ("square of the running mean", "(1 - beta2) * dw**2", "(1 - beta2) * v**2"),
    ("update in place", "w, v, s = w.copy(), v.copy(), s.copy()", "w, v, s = w, v.copy(), s.copy()"),
    ("update in place", "w, v, s = w.copy(), v.copy(), s.copy()", "pass"),
    ("factor 1 - beta missing", "(1 - beta1) * dw\n    v_corrected", "dw\n    v_corrected"),
)
