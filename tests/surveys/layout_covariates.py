"""DESI's spectra with their redshift as a channel: the wrapper keeps what every reader keeps to."""

from layout_desi import make_desi

from astroclip_kit.surveys import WithCovariates

READERS = {"desi_with_redshift": lambda folder: WithCovariates(make_desi(folder))}
