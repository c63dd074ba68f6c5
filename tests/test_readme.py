"""The README's Python, as it stands there, on a smaller survey."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_ten_lines_of_the_readme_run(tmp_path, monkeypatch):
    [code] = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert "count=600" in code and "epochs=20" in code
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("astroclip_kit.explorer.server.rehearse", lambda *given: None)
    names: dict[str, object] = {}
    exec(code.replace("count=600", "count=120").replace("epochs=20", "epochs=2"), names)
    space = names["space"]
    assert len(space.search("9000-57000-7", query="image", target="spectrum", k=10)) == 10
    assert (tmp_path / "results" / "report.html").stat().st_size > 10_000
    explorer = space.explore()  # the one that the last line opened
    assert explorer.is_open
    explorer.close()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\bak\.(\w+)", README))))
def test_the_readme_names_only_what_is_there(name):
    import astroclip_kit

    assert hasattr(astroclip_kit, name)
