"""The README's Python, as it stands there, on a smaller survey; its commands, and the files that it names."""

import re
import shlex
from pathlib import Path

import pytest

from astroclip_kit import cli, pipeline

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
FENCE = re.compile(r"^```\w*\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
BLOCKS = "\n".join(FENCE.findall(README)).replace("\\\n", " ")
INLINE = "\n".join(one.replace("\n", " ") for one in re.findall(r"`(astroclip-kit [^`]+)`", FENCE.sub("", README)))
COMMANDS = re.findall(r"\bastroclip-kit ([a-z]+)\b([^\n&#]*)", f"{BLOCKS}\n{INLINE}")


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


def test_every_verb_is_listed():
    assert set(re.findall(r"\w+", README.partition("every verb: `")[2].partition("`")[0])) == set(pipeline.VERBS)
    assert len(COMMANDS) > 30


@pytest.mark.parametrize(("verb", "words"), COMMANDS)
def test_the_command_line_takes_every_command(verb, words, monkeypatch):
    monkeypatch.chdir(ROOT)
    function = getattr(pipeline, verb)
    if (given := shlex.split(words)) and "..." not in given:
        assert cli._parse(cli._parser(verb, function), verb, given)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\b((?:configs|examples|benchmarks|tests)/[\w/.]*)", README))))
def test_what_the_readme_points_at_is_there(path):
    assert (ROOT / path).exists()
