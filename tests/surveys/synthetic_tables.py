"""How the tests of tables read one."""

from astroclip_kit.surveys import TableReader
from astroclip_kit.types import Drop, Sample


def read(path, *arguments, **settings):
    items = list(TableReader(path, *arguments, **settings).read(path))
    return [item for item in items if isinstance(item, Sample)], [item for item in items if isinstance(item, Drop)]
