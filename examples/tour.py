# %% [markdown]
"""A tour in the cells of a notebook, which ends in the explorer: a survey, its space, what one reads from it, a look.

Open it in VS Code, PyCharm or Jupyter (with jupytext) and run it cell by cell, or run it as a script: then the page
stays open until Ctrl-C where somebody sits at a terminal, and is asked once whether it answers where nobody does.

The survey is a mock one of 600 galaxies. Takes about 20 seconds of a processor. ``python tour.py out`` keeps what it
makes, with the figures out/like-this.pdf, out/map.pdf and out/odd.pdf.
"""

import sys
import tempfile
import urllib.request
from pathlib import Path

import numpy as np
import torch
from astropy.table import Table

import astroclip_kit as ak
from astroclip_kit.report import figures

in_notebook = hasattr(sys, "ps1")
temporary = tempfile.TemporaryDirectory()
folder = Path(sys.argv[1] if sys.argv[1:] and not in_notebook else temporary.name)

# %% A survey of cutouts and spectra becomes a dataset, small networks learn from it, and the space is made
survey = ak.simulate("galaxies", folder / "survey", count=600)
paths = {"images": survey / "cutouts", "spectra": survey / "spectra", "catalogue": survey / "catalogue.fits"}
data = ak.ingest(folder / "data", **paths, labels="z,logmstar,ssfr,morphology")
networks = {"image": ak.ImageConvNet, "spectrum": ak.SpectrumConvNet}
torch.manual_seed(0)  # so that the networks begin at the same weights each time
encoders = {name: network.for_modality(data.modalities[name]) for name, network in networks.items()}
learn = ak.Alignment(trainable=dict.fromkeys(networks, "all"))
model = ak.align(data, folder / "model", encoders=encoders, alignment=learn, training=ak.Training(epochs=15))
space = ak.embed(model, data, folder / "embeddings")
print(space)

# %% Who is like this galaxy? By its image, among spectra
asked = space.object_ids[space.split == "test"][0]
answers = space.search(asked, query="image", target="spectrum", k=5)
figures.search_panel(answers, data).savefig(folder / "like-this.pdf")
answers["similarity"].info.format = answers["z"].info.format = ".3f"  # what is shown; the table keeps all digits
answers["object_id", "similarity", "z"].pprint()

# %% What is its redshift? Read off the neighbours, with an interval
said = ak.predict(space, "z", asked, query="image", memory="spectrum", coverage=0.9)
z, low, high = (said[name][0] for name in ("z", "z_low", "z_high"))
[truth] = space.labels["z"][space.object_ids == asked]
print(f"{asked}: z = {z:.3f} ({low:.3f} to {high:.3f}), in truth {truth:.3f}")
assert low < truth < high, "the interval should hold the truth, as it does for 9 of 10 galaxies"

# %% How is the space built? A map, and the groups on it
made = ak.project(space, folder / "map", on="spectrum", method="pca")
by_z = figures.map_by_property(made.coordinates, space.labels["z"], "z", method="PCA", title="PCA of spectra")
by_z.savefig(folder / "map.pdf")
groups = ak.cluster(space, folder / "clusters", on="spectrum", properties="z,logmstar,ssfr,morphology")
groups.pprint(max_width=-1)

# %% What does not belong? Odd galaxies, and why
odd = ak.anomalies(space, on="image")
figures.anomaly_sheet(odd, data, count=6).savefig(folder / "odd.pdf")
odd[:5]["object_id", "score", "reason"].pprint(max_width=-1)
known = Table.read(survey / "catalogue.fits", unit_parse_strict="silent")
flawed = known["object_id"][known["artifact"] != "none"]  # by a trail, a cosmic ray, a saturated star or bad columns
share, usual = np.isin(odd["object_id"][:12], flawed).mean(), len(flawed) / len(known)
print(f"Of the 12 oddest cutouts {share:.0%} have an artifact, of all {usual:.0%}")
assert share > 2 * usual, "odd cutouts should have artifacts more often than others"

# %% Now look for yourself: in a notebook the last line shows the page in place
explorer = space.explore(data.root)
explorer

# %% As a script: it stays open until Ctrl-C, or is asked once whether it answers
if sys.stdin.isatty():
    print(f"{explorer.address}\nOpen this address; Ctrl-C ends it.")
    explorer.wait()
elif not in_notebook:
    with urllib.request.urlopen(explorer.address) as page:
        print(f"{len(space)} galaxies to explore: the page answers with {page.status}, {len(page.read()):,} bytes")
        assert page.status == 200
    explorer.close()
