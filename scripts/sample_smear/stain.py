"""Colours of a Wright-Giemsa stain as absorbances (natural log; R, G, B).

Chosen by eye to look like a peripheral blood smear under a white-balanced lamp
with a slightly warm mounting medium.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Colour = npt.NDArray[np.float32]


def _colour(red: float, green: float, blue: float) -> Colour:
    colour = np.array([red, green, blue], np.float32)
    colour.setflags(write=False)
    return colour


HAEMOGLOBIN = _colour(0.20, 0.36, 0.26)
CHROMATIN = _colour(1.10, 1.80, 0.45)
NUCLEOLUS = _colour(0.70, 0.98, 0.28)
BASOPHILIC = _colour(0.44, 0.44, 0.13)
SKY_BLUE = _colour(0.32, 0.32, 0.09)
GREY_BLUE = _colour(0.33, 0.37, 0.13)
PALE_PINK = _colour(0.13, 0.23, 0.11)
LILAC_GRANULE = _colour(0.42, 0.72, 0.22)
EOSIN_GRANULE = _colour(0.15, 0.56, 0.40)
PLATELET_BODY = _colour(0.26, 0.36, 0.11)
PLATELET_GRANULE = _colour(0.75, 1.25, 0.30)
PRECIPITATE = _colour(0.80, 1.30, 0.40)
PLASMA = _colour(0.010, 0.016, 0.010)

CREAM_RGB = _colour(252.0, 232.0, 209.0)
GREYISH_RGB = _colour(240.0, 230.0, 217.0)
