"""Light of binary stars that eclipse each other, from the geometry of two limb-darkened discs.

Radii are in units of the orbit. A star that fills its Roche lobe has the radius of Eggleton (1983); its tides and the
heat of its companion change the light between the eclipses (Morris & Naftilan 1993). Detached pairs (EA) are flat
there, tidal ones of unequal minima are EB, and two stars in contact, of one temperature, EW (Kopal 1959).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .catalogue import Rows

__all__ = ["draw_orbits", "eclipse_light", "roche_radius"]

Array = npt.NDArray[np.float64]

_DARKENED = (
    (0.5, 0.035),
    (0.8, 0.159),
    (1.0, 0.806),
)  # uniform discs (radius, light) that add up to a linear law of 0.6
_VISUAL = 1.438777e8 / 5500  # K: h c / (k lambda) in V
_TIDE = 1.3  # first order of Morris & Naftilan (1993) for convective envelopes


def roche_radius(ratio: Array) -> Array:
    """Radius [B] of the Roche lobe of a star of `ratio` times the mass of the other (Eggleton 1983, equation 2)."""
    third = np.cbrt(ratio)
    return np.asarray(0.49 * third**2 / (0.6 * third**2 + np.log1p(third)))


def draw_orbits(kind: npt.NDArray[np.str_], period: Array, teff: Array, rng: np.random.Generator) -> Rows:
    """Draws two stars and how we see them.

    Args:
        kind: "EA", "EB" or "EW" [B]; of others what is drawn has no meaning.
        period: Orbital periods [B] in days.
        teff: Of the hotter star [B] in K.
        rng: Source of all randomness.

    Returns:
        Arrays [B]: mass_ratio (second over first), radius_1, radius_2, cos_inclination, eccentricity, argument
        (radians, of the periastron), teff_2 (K), share_2 (of the light in V that is the second star's) and oconnell
        (mag by which one maximum is higher).
    """
    count = len(kind)
    one, two, three, four = rng.random((4, count))
    normal = rng.standard_normal((3, count))
    contact, near = kind == "EW", kind == "EB"
    algol = (kind == "EA") & (rng.random(count) < 0.3)  # the cooler star fills its lobe
    ratio = np.select([contact, algol], [0.12 + 0.8 * one, 0.15 + 0.35 * one], 0.45 + 0.55 * one)
    lobe_1, lobe_2 = roche_radius(1 / ratio), roche_radius(ratio)
    detached = np.clip(0.62 * (period / 0.8) ** -0.5 * 10 ** (0.12 * normal[0]), np.where(algol, 0.3, 0.05), 0.75)
    filled_1 = np.select([contact, near], [1 + 0.08 * two, 0.6 + 0.4 * two], detached)
    filled_2 = np.select([contact, near, algol], [1 + 0.08 * two, 0.7 + 0.3 * one, np.ones(count)], detached)
    radius_1, radius_2 = lobe_1 * filled_1, lobe_2 * filled_2
    cooler = np.select(
        [contact, near, algol], [1 - 0.09 * np.abs(normal[1]), 1 - 0.33 * three**1.5, 0.5 + 0.2 * three], ratio**0.55
    )
    teff_2 = np.maximum(teff * cooler, np.where(algol, np.minimum(teff, 4200), 3000))
    brightness = np.expm1(_VISUAL / teff) / np.expm1(_VISUAL / teff_2) * (radius_2 / radius_1) ** 2
    steepest = np.select([contact, near], [0.72, 0.75 * (radius_1 + radius_2)], 0.8 * (radius_1 + radius_2))
    wide = np.clip(np.log10(np.maximum(period, 1) / 3), 0, 1) * ~(contact | near | algol)
    return {
        "mass_ratio": ratio,
        "radius_1": radius_1,
        "radius_2": radius_2,
        "cos_inclination": np.minimum(four * steepest, 0.95),
        "eccentricity": np.minimum(0.5, np.abs(0.3 * normal[1])) * wide,
        "argument": 2 * np.pi * rng.random(count),
        "teff_2": teff_2,
        "share_2": brightness / (1 + brightness),
        "oconnell": 0.02 * normal[2] * (contact | near),
    }


def _hidden(distance: Array, radius: Array, front: Array) -> Array:
    """Share [M] of a uniform disc that another of radius `front` hides."""
    d = np.clip(distance, 1e-6, None)
    first = np.clip((d**2 + radius**2 - front**2) / (2 * d * radius), -1, 1)
    second = np.clip((d**2 + front**2 - radius**2) / (2 * d * front), -1, 1)
    kite = (radius + front - d) * (d + radius - front) * (d - radius + front) * (d + radius + front)
    lens = radius**2 * np.arccos(first) + front**2 * np.arccos(second) - 0.5 * np.sqrt(np.maximum(kite, 0))
    inside = np.where(radius <= front, 1.0, (front / radius) ** 2)
    share = np.where(d <= np.abs(radius - front), inside, lens / (np.pi * radius**2))
    return np.asarray(np.where(d >= radius + front, 0.0, share))


def _eclipsed(distance: Array, radius: Array, front: Array) -> Array:
    """The same of a limb-darkened disc."""
    shares = [light * _hidden(distance, size * radius, front) for size, light in _DARKENED]
    return np.asarray(sum(shares))


def eclipse_light(orbits: Rows, phase: Array) -> Array:
    """Magnitudes [M] above those of both stars as spheres side by side.

    Args:
        orbits: See `draw_orbits`, a value per point [M].
        phase: Of the orbit [M], in periods; the first star is hidden at 0 if the orbit is circular.
    """
    e, mean = orbits["eccentricity"], 2 * np.pi * phase
    anomaly = mean + 2 * e * np.sin(mean) + 1.25 * e**2 * np.sin(2 * mean)  # of the centre, to second order
    angle = np.where(e > 0, anomaly + orbits["argument"], mean)
    apart = (1 - e**2) / (1 + e * np.cos(anomaly))
    tilt = 1 - orbits["cos_inclination"] ** 2
    distance = apart * np.sqrt(np.maximum(1 - tilt * np.cos(angle) ** 2, 0))
    front = np.cos(angle) > 0  # the second star is
    first, second, ratio, share = (orbits[name] for name in ("radius_1", "radius_2", "mass_ratio", "share_2"))
    light = np.zeros(len(phase))
    for own, other, part, mass, behind in (
        (first, second, 1 - share, ratio, front),
        (second, first, share, 1 / ratio, ~front),
    ):
        seen = np.ones(len(phase))
        near = behind & (distance < own + other)
        seen[near] -= _eclipsed(distance[near], own[near], other[near])
        bulge = _TIDE * mass * own**3 * (1 + 2 * own) * tilt
        light += part * seen * (1 - bulge * np.cos(angle) ** 2)
    heated = 0.4 * (1 - share) * second**2 * np.sqrt(tilt) * (1 - np.cos(angle)) / 2
    light += heated * np.where(front, 1, np.clip((distance - first + second) / (2 * second), 0, 1))
    return np.asarray(-2.5 * np.log10(np.maximum(light, 1e-3)) + orbits["oconnell"] * np.sin(angle))
