"""Light curves with what they repeat, and of several surveys at once: what wraps readers keeps to what they keep to."""

from pathlib import Path

from layout_lightcurves import make_asas, make_asas_sn, make_asas_sn_variables

from astroclip_kit.surveys import JoinedReaders, WithVariability


def make_joined(folder: Path) -> JoinedReaders:
    (folder / "asas").mkdir()
    (folder / "asas_sn").mkdir()
    return JoinedReaders([make_asas(folder / "asas"), make_asas_sn(folder / "asas_sn")])


READERS = {
    "joined_surveys": make_joined,
    "variability": lambda folder: WithVariability(make_asas_sn_variables(folder)),
}
