"""Mock surveys with known truth, in the file formats of real ones.

Touch this room to make data for tests, examples and benchmarks, or to deepen the physics. A survey draws latent
properties, turns them into light, observes it (`instruments`, `camera` with `background` and `artifacts`,
`spectrograph`) and writes files and tables (`chunks`, `files`, `catalogue`). Of `galaxies` the latents are in
`population`, the light in `spectra` (`stellar_populations`, `emission_lines`, `dust`, `templates`) and `components`,
and what surveys would measure in `published`; of `stars` they are in `star_population` and in `star_spectra`
(`atmospheres` of `hydrogen`, `metal_lines`); of `point_sources` in `star_counts` and `quasar_population`, and in
`stellar_sequence`, `quasars` and `intergalactic`. `observed_points` makes images and spectra of both. Of `wise` they
are in `wise_population`, the infrared light and the telescope in `mid_infrared`, the images in `wise_images` with
`confusion` and `wise_artifacts`. Of `variables` they are in `variable_population` and `galactic_places`, the light
curves in `eclipses`, `pulsation`, `long_period` and `spots`, seen by `cadence` and `light_curve_features`, the spectra
in `variable_spectra` with `cool_giants`, and the catalogue in `variable_metadata` with `stellar_colours`. Another kind
of object is another such survey.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "simulate_galaxies": ".galaxies",
        "simulate_point_sources": ".point_sources",
        "simulate_stars": ".stars",
        "simulate_variables": ".variables",
        "simulate_wise": ".wise",
    },
)
