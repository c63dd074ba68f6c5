"""The REST service of SPARCL, the archive of single spectra at NOIRLab (https://astrosparcl.datalab.noirlab.edu).

Its own client, sparclclient, is not used: no release of it can be installed beside this kit (1.3.1 needs numpy below
2.4 and, with Python below 3.13, pandas below 2.2; older ones pin numpy 1), and it asks the server for pickles and
loads them, which lets the server run any code here. The same three requests with ``format=json`` carry the same
content as plain values:

    GET  api/datafields/                          which internal name stands for which published one, per release
    POST api/find/?limit=N                        {"outfields": [...], "search": [[field, value, ...], ...]}
    POST api/spectras/?include=...&format=json    [sparcl_id, ...]

The answers are lists whose first element describes the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from ...download import Client, TryAgain
from ...errors import UsageError

__all__ = ["Record", "Sparcl"]

MOST_FOUND = 5000
CORE = ("sparcl_id", "specid", "ra", "dec", "specprimary")
Record = dict[str, Any]  # published name to value


class Sparcl:
    """Asks SPARCL about one data release.

    Args:
        client: Who asks.
        url: Address of the server.
        release: Name of the data set, such as "DESI-DR1".

    Raises:
        UsageError: If the server has no such data set.
        RequestFailed: If it does not answer.
    """

    def __init__(self, client: Client, url: str, release: str) -> None:
        self.client = client
        self.url = url
        self.release = release
        self._internal = client.get_json(f"{url}/api/datafields/", self._names)
        self._published = {internal: name for name, internal in self._internal.items()}

    def _names(self, fields: Any) -> dict[str, str]:
        """Published name to internal name of the fields of the release."""
        releases: dict[str, dict[str, str]] = {}
        try:
            for field in fields:
                releases.setdefault(field["data_release"], {})[field["newdp"]] = field["origdp"]
        except (TypeError, KeyError) as error:
            raise TryAgain("SPARCL's list of fields cannot be understood") from error
        if not releases:
            raise TryAgain("SPARCL's list of fields is empty")
        if self.release not in releases:
            raise UsageError(f"services.desi_release is {self.release!r}, SPARCL has {', '.join(sorted(releases))}.")
        return releases[self.release]

    def find(self, *search: Sequence[Any]) -> list[Record]:
        """What the release has, without the spectra: sparcl_id, specid (TARGETID), ra, dec, specprimary.

        Args:
            search: Constraints that all hold: a field with its values, or with its range.

        Raises:
            RequestFailed: If it does not say.
        """
        constraints = [[self._internal.get(name, name), *values] for name, *values in search]
        constraints.append([self._internal.get("data_release", "data_release"), self.release])
        body = {"outfields": [self._internal.get(name, name) for name in CORE], "search": constraints}
        url = f"{self.url}/api/find/?{urlencode({'limit': MOST_FOUND})}"
        found: list[Record] = self.client.get_json(url, partial(self._records, needed=CORE[:4]), body)
        return found

    def retrieve(self, ids: Sequence[str], needed: Sequence[str], wanted: Sequence[str]) -> dict[str, Record]:
        """Spectra by sparcl_id.

        Args:
            ids: Which.
            needed: Fields that each must have.
            wanted: Further fields, left out where the release has none.

        Raises:
            RequestFailed: If they cannot be had.
        """
        needed = ("sparcl_id", "specid", *needed)
        names = [self._internal[name] for name in (*needed, *wanted) if name in self._internal]
        url = f"{self.url}/api/spectras/?{urlencode({'include': ','.join(names), 'format': 'json'})}"
        records = self.client.get_json(url, partial(self._records, needed=needed), list(ids))
        return {str(record["sparcl_id"]): record for record in records}

    def _records(self, answer: Any, needed: Sequence[str]) -> list[Record]:
        """The records of an answer, by published names."""
        if not (isinstance(answer, list) and answer and all(isinstance(one, dict) for one in answer)):
            raise TryAgain("SPARCL's answer cannot be understood")
        records = [{self._published.get(name, name): value for name, value in one.items()} for one in answer[1:]]
        for record in records:
            if missing := [name for name in needed if record.get(name) is None]:
                raise TryAgain(f"SPARCL's answer has no {missing[0]}")
            try:
                record |= {"specid": int(record["specid"])}
                record |= {name: float(record[name]) for name in ("ra", "dec") if name in needed}
            except (TypeError, ValueError):
                raise TryAgain("SPARCL's answer has a specid, ra or dec that is no number") from None
        return records
