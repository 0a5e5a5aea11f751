"""A step of Adam.

``w``: parameters of shape (n, k), ``dw`` their slope, ``v`` and ``s`` the running means of the slopes and of their squares so far,
``t`` the number of this step, an integer counted from 1; ``learning_rate``, ``beta1``, ``beta2``, ``epsilon``.

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


def right_by_hats(w, dw, v, s, t, learning_rate, beta1, beta2, epsilon):
    m_t = beta1 * v + (1.0 - beta1) * dw
    v_t = beta2 * s + (1.0 - beta2) * np.power(dw, 2)
    m_hat = m_t / (1.0 - beta1**t)
    v_hat = v_t / (1.0 - beta2**t)
    w_t = w - (learning_rate / (np.sqrt(v_hat) + epsilon)) * m_hat
    return w_t, m_t, v_t


def right_in_one_line(w, dw, v, s, t, learning_rate, beta1, beta2, epsilon):
    v, s = beta1 * v + (1 - beta1) * dw, beta2 * s + (1 - beta2) * dw * dw
    return w - learning_rate * (v / (1 - beta1**t)) / (np.sqrt(s / (1 - beta2**t)) + epsilon), v, s


def right_by_parts(w, dw, v, s, t, learning_rate, beta1, beta2, epsilon):
    correction1 = 1 - beta1**t
    correction2 = 1 - beta2**t
    old_v = beta1 * v
    new_v = (1 - beta1) * dw
    v_next = old_v + new_v
    old_s = beta2 * s
    new_s = (1 - beta2) * dw**2
    s_next = old_s + new_s
    numerator = learning_rate * v_next / correction1
    denominator = np.sqrt(s_next / correction2) + epsilon
    w_next = w - numerator / denominator
    return w_next, v_next, s_next


def right_by_entries(w, dw, v, s, t, learning_rate, beta1, beta2, epsilon):
    w_new, v_new, s_new = np.empty(w.shape), np.empty(w.shape), np.empty(w.shape)
    for i in np.ndindex(w.shape):
        v_new[i] = beta1 * v[i] + (1 - beta1) * dw[i]
        s_new[i] = beta2 * s[i] + (1 - beta2) * dw[i] ** 2
        v_hat = v_new[i] / (1 - beta1**t)
        s_hat = s_new[i] / (1 - beta2**t)
        w_new[i] = w[i] - learning_rate * v_hat / (np.sqrt(s_hat) + epsilon)
    return w_new, v_new, s_new


FAULTS = (
    ("corrected mean kept", "return w, v, s", "return w, v / (1 - beta1**t), s / (1 - beta2**t)"),
    ("corrected mean kept", "v_corrected = v / (1 - beta1**t)", "v = v_corrected = v / (1 - beta1**t)"),
    ("epsilon inside the square root", "np.sqrt(s_corrected) + epsilon", "np.sqrt(s_corrected + epsilon)"),
    ("epsilon inside the square root", "sqrt(s / correction2) + epsilon", "sqrt(s / correction2 + epsilon)"),
    ("epsilon outside the fraction", "(np.sqrt(s_corrected) + epsilon)", "np.sqrt(s_corrected) + epsilon"),
    ("square missing", "(1 - beta2) * dw**2", "(1 - beta2) * dw"),
    ("betas swapped", "(1 - beta2**t)", "(1 - beta1**t)"),
    ("betas swapped", "(1 - beta1**t)", "(1 - beta2**t)"),
    ("betas swapped", "beta1 * v + (1 - beta1) * dw", "beta2 * v + (1 - beta2) * dw"),
    ("beta and 1 - beta swapped", "beta1 * v + (1 - beta1) * dw", "(1 - beta1) * v + beta1 * dw"),
    ("beta and 1 - beta swapped", "beta2 * s + (1 - beta2) * square", "(1 - beta2) * s + beta2 * square"),
    ("step number off by one", "beta1**t", "beta1 ** (t + 1)"),
    ("step number off by one", "np.power(beta1, t)", "np.power(beta1, t - 1 + 1e-9)"),
    ("slope for the running mean", "learning_rate * v_corrected", "learning_rate * dw"),
    ("square of the running mean", "(1 - beta2) * dw**2", "(1 - beta2) * v**2"),
    ("update in place", "w, v, s = w.copy(), v.copy(), s.copy()", "w, v, s = w, v.copy(), s.copy()"),
    ("update in place", "w, v, s = w.copy(), v.copy(), s.copy()", "pass"),
    ("corrected mean kept", "return w_t, m_t, v_t", "return w_t, m_hat, v_hat"),
    ("corrected mean kept", "return w - step, new_v, new_s", "return w - step, v_hat, s_hat"),
    ("epsilon inside the square root", "np.sqrt(v_hat) + epsilon", "np.sqrt(v_hat + epsilon)"),
    ("epsilon inside the square root", "np.sqrt(s_hat) + epsilon", "np.sqrt(s_hat + epsilon)"),
    ("epsilon inside the square root", "s_next / correction2) + epsilon", "s_next / correction2 + epsilon)"),
    (
        "epsilon inside the square root",
        "root = np.sqrt(s_hat)\n    denominator = root + epsilon",
        "root = np.sqrt(s_hat + epsilon)\n    denominator = root",
    ),
    ("epsilon inside the square root", "(np.sqrt(s / (1 - beta2**t))", "np.sqrt(s / (1 - beta2**t)"),
    ("epsilon outside the fraction", "(np.sqrt(v_hat) + epsilon)", "np.sqrt(v_hat) + epsilon"),
    ("epsilon outside the fraction", "(np.sqrt(s_hat) + epsilon)", "np.sqrt(s_hat) + epsilon"),
    ("square missing", "np.power(dw, 2)", "dw"),
    ("square missing", "(1 - beta2) * dw * dw", "(1 - beta2) * dw"),
    ("square missing", "(1 - beta2) * dw[i] ** 2", "(1 - beta2) * dw[i]"),
    ("square missing", "(1 - beta2) * (dw * dw)", "(1 - beta2) * dw"),
    ("betas swapped", "(1.0 - beta2**t)", "(1.0 - beta1**t)"),
    ("betas swapped", "beta1 * v + (1.0 - beta1) * dw", "beta2 * v + (1.0 - beta2) * dw"),
    ("betas swapped", "correction2 = 1 - beta2**t", "correction2 = 1 - beta1**t"),
    ("betas swapped", "beta2 * s[i] + (1 - beta2)", "beta1 * s[i] + (1 - beta1)"),
    ("betas swapped", "beta2 * s + (1 - beta2)", "beta1 * s + (1 - beta1)"),
    ("beta and 1 - beta swapped", "beta1 * v + (1.0 - beta1) * dw", "(1.0 - beta1) * v + beta1 * dw"),
    ("beta and 1 - beta swapped", "beta1 * v[i] + (1 - beta1) * dw[i]", "(1 - beta1) * v[i] + beta1 * dw[i]"),
    ("beta and 1 - beta swapped", "beta2 * s[i] + (1 - beta2) * dw[i]", "(1 - beta2) * s[i] + beta2 * dw[i]"),
    ("factor missing", "old_v = beta1 * v", "old_v = v"),
    ("factor missing", "    v *= beta1\n", ""),
    ("step number off by one", "np.power(beta2, t)", "np.power(beta2, t + 1)"),
    ("power missing", "np.power(beta1, t)", "beta1"),
    ("slope for the running mean", "learning_rate * v_next", "learning_rate * dw"),
    ("slope for the running mean", "v_hat = v_new[i] /", "v_hat = dw[i] /"),
    ("old mean for the new one", "v_hat = new_v / (1", "v_hat = v / (1"),
    ("old mean for the new one", "s_hat = new_s / (1", "s_hat = s / (1"),
    ("old mean for the new one", "learning_rate * v_next", "learning_rate * v"),
    ("old mean for the new one", "np.sqrt(s_next / correction2)", "np.sqrt(s / correction2)"),
    ("old mean for the new one", "v_hat = v_new[i] /", "v_hat = v[i] /"),
    ("square of the running mean", "np.power(dw, 2)", "np.power(m_t, 2)"),
    ("square of the running mean", "(1 - beta2) * dw[i] ** 2", "(1 - beta2) * v_new[i] ** 2"),
    ("update in place", "    v = v + (1 - beta1) * (dw - v)\n", "    v += (1 - beta1) * (dw - v)\n"),
    ("fraction upside down", "numerator / denominator", "denominator / numerator"),
    ("returns the old parameters", "return w_next, v_next, s_next", "return w, v_next, s_next"),
    ("term missing", "v_next = old_v + new_v", "v_next = new_v"),
    ("term missing", "    v += (1 - beta1) * dw\n", "    v = (1 - beta1) * dw\n"),
    ("term missing", "    s += (1 - beta2) * (dw * dw)\n", "    s = (1 - beta2) * (dw * dw)\n"),
    ("brackets", "w - learning_rate * v_corrected", "(w - learning_rate * v_corrected)"),
)
