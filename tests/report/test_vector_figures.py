"""Simulated vectors beside real ones."""

import numpy as np
import pytest

from astroclip_kit.errors import InputError
from astroclip_kit.report.figures import vectors_side_by_side

RNG = np.random.default_rng(0)
TRUE = np.array(["qso", "star"])[np.arange(60) % 2]
REAL = RNG.normal(size=(60, 8)) * [9, 3, 1, 1, 1, 1, 1, 1]


def test_all_sources_are_on_the_axes_of_the_real_vectors_and_say_how_much_they_scatter():
    figure = vectors_side_by_side({"real": REAL, "simulated": 0.5 * REAL, "none": 0 * REAL}, TRUE, title="60 objects")
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [
        "real\nvariance 1.00 of the real",
        "simulated\nvariance 0.25 of the real",
        "none\nvariance 0.00 of the real",
    ]
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    qso, star = figure.axes[0].lines
    assert (len(qso.get_xdata()), len(star.get_xdata()), qso.get_label()) == (30, 30, "qso")
    width = np.ptp(np.concatenate([qso.get_xdata(), star.get_xdata()]))
    assert width == pytest.approx(np.ptp(REAL[:, 0]), rel=0.1)  # the widest direction


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ({}, "vectors_side_by_side: expected the real vectors first, found none"),
        ({"real": REAL, "GAN": REAL[:9]}, "expected equal lengths, found 60 true, 60 real, 9 GAN"),
        ({"real": np.full((60, 8), np.nan)}, "real: found NaN or infinity"),
    ],
)
def test_what_cannot_be_drawn_is_refused(vectors, message):
    with pytest.raises(InputError, match=message):
        vectors_side_by_side(vectors, TRUE)
