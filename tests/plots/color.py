"""How far apart two colors are: for reading (WCAG 2.2), and for telling lines from each other."""

import numpy as np
from matplotlib.colors import to_rgb

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
)
WHITE_POINT = np.array([0.95047, 1.0, 1.08883])

# Machado, Oliveira and Fernandes (2009), full severity, on linear RGB.
VISION = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]]
    ),
}


def linear(color, brightness: float = 1.0) -> np.ndarray:
    """Give linear RGB of a color that matplotlib knows, after CSS's filter brightness()."""
    values = np.array(to_rgb(color)) * brightness
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(color, background, brightness: float = 1.0) -> float:
    """Give the contrast ratio of WCAG 2.2, from 1 to 21, of two colors under the same filter."""
    low, high = sorted(linear(c, brightness) @ LUMINANCE for c in (color, background))
    return float((high + 0.05) / (low + 0.05))


def lab(rgb: np.ndarray) -> np.ndarray:
    """Give CIE L*a*b* of linear RGB."""
    xyz = TO_XYZ @ np.clip(rgb, 0, 1) / WHITE_POINT
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one, other, vision: str = "usual") -> float:
    """Give the distance of two colors in L*a*b*, as eyes of that vision see them."""
    return float(np.linalg.norm(lab(VISION[vision] @ linear(one)) - lab(VISION[vision] @ linear(other))))
