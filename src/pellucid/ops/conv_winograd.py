"""Winograd's convolution: 3x3 kernels with fewer multiplications, F(2x2, 3x3) of Lavin and Gray (2015).

Four outputs of a 3x3 kernel need 36 multiplications when they are computed one by one, and 16 when they are
computed from sums of the 4x4 pixels under them. Along one axis, of pixels d_0 ... d_3 and weights g_0 ... g_2, the
two outputs are m_1 + m_2 + m_3 and m_2 - m_3 - m_4 with ::

    m_1 = (d_0 - d_2) g_0              m_2 = (d_1 + d_2) (g_0 + g_1 + g_2) / 2
    m_4 = (d_1 - d_3) g_2              m_3 = (d_2 - d_1) (g_0 - g_1 + g_2) / 2

The rows of B^T are the sums of pixels, those of G the sums of weights, and those of A^T the sums of products.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from pellucid.types import Array

BT = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
AT = np.array([[1, 1, 1, 0], [0, 1, -1, -1]])


def conv_winograd(X: Array, W: Array) -> Array:
    """Return Z = A^T [(B^T d B) (G g G^T)] A, for each 4x4 tile d of X and 3x3 kernel g of W, summed over channels.

    Parameters
    ----------
    X : Array, shape (m, h, w, c_in)
        Images, channels last; padded already where zeros are wanted around them.
    W : Array, shape (3, 3, c_in, c_out), dtype of X
        The kernels.

    Returns
    -------
    Z : Array, shape (m, h - 2, w - 2, c_out), dtype of X
        What :func:`pellucid.ops.conv.conv2d_forward` returns, within rounding.

    Notes
    -----
    Lavin and Gray, 2015, equation 8. Tiles overlap by two pixels. 32 operations for each pair of channels and tile,
    of 72. The fast twins have tiles of 6x6 with 4x4 outputs, F(4x4, 3x3), and a backward.

    Examples
    --------
    >>> X, W = np.arange(16.0).reshape(1, 4, 4, 1), np.ones((3, 3, 1, 1))
    >>> conv_winograd(X, W)[0, :, :, 0]
    array([[45., 54.],
           [81., 90.]])
    """
    m, h, w, _ = X.shape
    P = np.pad(X, ((0, 0), (0, h % 2), (0, w % 2), (0, 0)))  # to whole tiles
    d = sliding_window_view(P, (4, 4), axis=(1, 2))[:, ::2, ::2]  # (m, t, u, c_in, 4, 4)
    b, g, a = (matrix.astype(X.dtype) for matrix in (BT, G, AT))
    V = b @ d @ b.T  # (m, t, u, c_in, 4, 4)
    U = np.einsum("ir,rsco,js->coij", g, W, g)  # (c_in, c_out, 4, 4)
    M = np.einsum("mtucij,coij->mtuoij", V, U)  # (m, t, u, c_out, 4, 4)
    Y = a @ M @ a.T  # (m, t, u, c_out, 2, 2)
    Z: Array = Y.transpose(0, 1, 4, 2, 5, 3).reshape(m, 2 * Y.shape[1], 2 * Y.shape[2], -1)
    return Z[:, : h - 2, : w - 2]
