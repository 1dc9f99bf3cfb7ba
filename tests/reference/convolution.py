"""The slow, obvious twin of the demonstration's convolution: one loop per index."""

import numpy as np


def convolution(images: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """out[b, i, j, f] = sum over r, s, c of images[b, t i + r - 1, t j + s - 1, c] kernel[r, s, c, f].

    Stride t; images [B, H, W, C], zero outside, H and W multiples of t; kernel [3, 3, C, F]; float64.
    """
    n_images, height, width, n_channels = images.shape
    n_features = kernel.shape[3]
    out = np.zeros((n_images, height // stride, width // stride, n_features))
    for b, i, j, f in np.ndindex(out.shape):
        for r, s, c in np.ndindex(3, 3, n_channels):
            row, column = stride * i + r - 1, stride * j + s - 1
            if 0 <= row < height and 0 <= column < width:
                out[b, i, j, f] += float(images[b, row, column, c]) * float(kernel[r, s, c, f])
    return out
