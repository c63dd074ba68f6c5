"""The command ``astroclip-kit VERB``: one verb, one function of `pipeline`.

The verb is read first and only its parser is built, from the signature and the docstring of its function,
so that ``--help`` never waits for torch.
"""

from __future__ import annotations

import inspect
import io
import json
import os
import re
import sys
import traceback
import warnings
from argparse import ArgumentError
from collections.abc import Callable
from typing import Any

from . import __version__, pipeline
from .arguments import explain, gathered, like
from .errors import KitError, UsageError

__all__ = ["main"]

DISTRIBUTED = ("align", "pretrain")  # verbs that torchrun may start; the others would write one folder several times
PARTS = ("Parts", "Encoders", "Parts | None", "Encoders | None")  # arguments that map names to parts
PLAIN = warnings.formatwarning
WIDEST_TEXT = 40  # characters
FORMATS = ("text", "csv", "json", "votable", "fits")


def main(argv: list[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: The words after ``astroclip-kit``; those of the process by default.

    Returns:
        0 done, 1 failed, 2 bad usage.
    """
    warnings.formatwarning = _told
    words = list(sys.argv[1:] if argv is None else argv)
    debug = _take(words, "--debug")
    if _take(words, "--quiet"):
        os.environ["TQDM_DISABLE"] = "1"
    try:
        return _dispatch(words)
    except UsageError as error:
        return _fail(error, debug, 2)
    except KitError as error:
        return _fail(error, debug, 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader went away, e.g. `| head`
        return 0
    except KeyboardInterrupt:
        print("astroclip-kit: interrupted. The same command goes on where it stopped.", file=sys.stderr)
        return 130
    except Exception as error:
        if debug:
            raise
        place = traceback.extract_tb(error.__traceback__)[-1]
        text = (
            f"unexpected {type(error).__name__} in {place.name}: {error}. Please report it with the output of --debug."
        )
        return _fail(KitError(text), debug, 1)


def _told(message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None) -> str:
    """A warning as a line of the terminal; what is meant for programmers keeps its place in the code."""
    return f"note: {message}\n" if category is UserWarning else PLAIN(message, category, filename, lineno, line)


def _take(words: list[str], flag: str) -> bool:
    found = flag in words
    if found:
        words.remove(flag)
    return found


def _fail(error: Exception, debug: bool, code: int) -> int:
    if debug:
        traceback.print_exception(error)
    print(f"astroclip-kit: {error}", file=sys.stderr)
    return code


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0 if words else 2
    if words[0] == "--version":
        print(f"astroclip-kit {__version__}")
        return 0
    verb, *rest = words
    if verb not in pipeline.VERBS:
        raise UsageError(f"no verb {verb!r}. One of: {', '.join(pipeline.VERBS)}.")
    if verb not in DISTRIBUTED and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError(
            f"{verb} runs in one process: start it without torchrun. Only {' and '.join(DISTRIBUTED)} use several."
        )
    function: Callable[..., Any] = getattr(pipeline, verb)
    parser = _parser(verb, function)
    arguments = _parse(parser, verb, rest)
    if arguments is None:
        return 0
    style = arguments.pop("format", "text")
    value = function(**arguments)
    _show(value, style)
    return int(bool(getattr(value, "meta", {}).get("failed")))


def _overview() -> str:
    width = max(map(len, pipeline.VERBS)) + 2
    lines = [f"  {verb:<{width}}{_first_line(getattr(pipeline, verb))}" for verb in pipeline.VERBS]
    head = (
        "usage: astroclip-kit VERB [ARGUMENTS]\n\nOne embedding space for what you have observed of your objects.\n\n"
    )
    tail = "\n\nastroclip-kit VERB --help explains a verb. --quiet hides progress, --debug shows tracebacks, --version."
    return head + "\n".join(lines) + tail


def _first_line(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]


def _parser(verb: str, function: Callable[..., Any]) -> Any:
    from jsonargparse import ArgumentParser

    text = (inspect.getdoc(function) or "").partition("\nArgs:")[0].strip()
    usage = " ".join([f"astroclip-kit {verb}", *_positions(function).values(), "[--OPTION VALUE ...]"])
    parser = ArgumentParser(usage=usage, description=text, exit_on_error=False, allow_abbrev=False)
    parser.add_function_arguments(pipeline.signature_of(function))
    if "Table" in str(inspect.signature(function).return_annotation):
        parser.add_argument("--format", choices=FORMATS, default="text", help="How the table is printed.")
    return parser


def _parse(parser: Any, verb: str, words: list[str]) -> dict[str, Any] | None:
    """Arguments by name, or None where help was printed."""
    function = getattr(pipeline, verb)
    words = _named(_joined(words, function), list(_positions(function)))
    words = gathered(words, [name for name, hint in function.__annotations__.items() if hint in PARTS])
    if verb in ("run", "reproduce", "classify"):
        words = _gather_changes(words)
    flags = [flag for action in parser._actions for flag in action.option_strings]
    switches = {f for one in parser._actions if getattr(one, "_typehint", None) is bool for f in one.option_strings}
    words = _switched([_full_flag(word, flags) for word in words], switches)
    try:
        namespace = parser.instantiate_classes(parser.parse_args(words))
    except (ArgumentError, TypeError, ValueError) as error:
        raise UsageError(f"{_complaint(error, parser, flags)} See astroclip-kit {verb} --help.") from error
    except SystemExit:
        return None
    return {key: value for key, value in vars(namespace).items() if not key.startswith("__")}


def _complaint(error: Exception, parser: Any, flags: list[str]) -> str:
    """What is wrong with the words, in one or two sentences."""
    message = explain(error, parser)
    if wrong := re.search(r"unrecognized arguments: --([\w.-]+)", message):
        word = wrong[1].replace("-", "_")
        several = [flag for flag in flags if flag.endswith(f".{word}")]
        if len(several) > 1:
            return f"--{word} stands for {' or '.join(several)}: write one of them in full."
        return f"{message}.{like(word, {flag.lstrip('-').rpartition('.')[2] for flag in flags}, '--')}"
    if stray := re.search(r"unrecognized arguments: (?!-)(\S+)", message):
        return f"{message}. Write {stray[1]} before the options."
    return f"--{message}." if re.match(r"[\w.]+: expected", message) else f"{message}."


def _positions(function: Callable[..., Any]) -> dict[str, str]:
    """Arguments that may be given without a flag, by name, as the usage shows them."""
    parameters = inspect.signature(function).parameters.values()
    given = [
        one
        for one in parameters
        if one.kind is one.POSITIONAL_OR_KEYWORD and one.annotation not in ("Parts", "Encoders")
    ]
    return {one.name: one.name.upper() if one.default is one.empty else f"[{one.name.upper()}]" for one in given}


def _joined(words: list[str], function: Callable[..., Any]) -> list[str]:
    """Words beyond the last position, if that takes several names, as names of it: ``get a b`` is ``get a,b``."""
    names = list(_positions(function))
    count = next((number for number, word in enumerate(words) if word.startswith("-")), len(words))
    if not names or count <= len(names) or "list[str]" not in str(function.__annotations__[names[-1]]):
        return words
    last = len(names) - 1
    return [*words[:last], ",".join(words[last:count]), *words[count:]]


def _named(words: list[str], names: list[str]) -> list[str]:
    """The words before the first flag, as flags."""
    count = next((number for number, word in enumerate(words) if word.startswith("-")), len(words))
    named = [f"--{name}={word}" for name, word in zip(names, words[:count], strict=False)]
    return [*named, *words[len(named) :]]


def _gather_changes(words: list[str]) -> list[str]:
    """Every ``--set a.b=VALUE`` of a run, as one argument."""
    rest, changes = [], []
    stream = iter(words)
    for word in stream:
        if word.partition("=")[0] != "--set":
            rest.append(word)
        else:
            changes.append(word.partition("=")[2] or next(stream, ""))
    return [*rest, f"--overrides={json.dumps(changes)}"] if changes else rest


def _switched(words: list[str], switches: set[str]) -> list[str]:
    """``--strict`` alone stands for ``--strict true``."""
    pairs = zip(words, [*words[1:], "--"], strict=False)
    return [f"{word}=true" if word in switches and after.startswith("-") else word for word, after in pairs]


def _full_flag(word: str, flags: list[str]) -> str:
    """``--learning-rate`` stands for ``--training.optimizer.learning_rate`` where only one flag ends so."""
    if re.fullmatch(r"-[a-z]", word):
        word = f"-{word}"  # -k 5
    if not word.startswith("--"):
        return word
    name, equals, value = word.partition("=")
    name = "--" + name[2:].replace("-", "_")
    matches = [flag for flag in flags if flag.endswith(f".{name[2:]}")]
    if name not in flags and len(matches) == 1:
        name = matches[0]
    return name + equals + value


def _show(value: Any, style: str) -> None:
    if value is None or os.environ.get("RANK", "0") != "0":  # the first of several processes speaks
        return
    if hasattr(value, "state_dict"):  # a model shows its folder, not its layers
        value = pipeline.info(value.root)
    if not hasattr(value, "colnames"):
        print(value)
        return
    if style == "text":
        shown = _readable(value[value.meta.get("shown", value.colnames)])
        more = (*value.meta.get("details", []), *value.meta.get("notes", []))
        print("\n".join([*shown.pformat(max_lines=-1, max_width=-1), *more]))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(serialise(value, style))
    sys.stdout.flush()
    print(*filter(None, value.meta.get("notes", [])), sep="\n", end="\n", file=sys.stderr)


def _readable(table: Any) -> Any:
    """The table with numbers of six digits and long texts cut; files get all of both."""
    shown = table.copy()
    for name in shown.colnames:
        column = shown[name]
        if column.dtype.kind == "f" and column.format is None:
            column.format = ".6g"
        elif column.dtype.kind == "U" and column.dtype.itemsize > 4 * WIDEST_TEXT:
            shown[name] = [text if len(text) <= WIDEST_TEXT else text[:WIDEST_TEXT] + "…" for text in column]
    return shown


def serialise(table: Any, style: str) -> bytes:
    """An astropy Table as the bytes of a file.

    Args:
        table: The table.
        style: "csv", "json" (a list of rows), "votable" or "fits".

    Returns:
        The file's content.
    """
    if style == "json":
        names = table.colnames
        rows = [dict(zip(names, (_json_value(value) for value in row), strict=True)) for row in table.iterrows()]
        return (json.dumps(rows, indent=1) + "\n").encode()
    table = table.copy()
    table.meta.clear()  # notes for the reader of a terminal, which are no FITS keywords
    buffer = io.BytesIO()
    if style == "csv":
        text = io.StringIO()
        table.write(text, format="ascii.csv")
        return text.getvalue().encode()
    table.write(buffer, format=style)
    return buffer.getvalue()


def _json_value(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bytes):
        return value.decode()
    is_missing = value is None or value != value or type(value).__name__ == "MaskedConstant"
    return None if is_missing else value


if __name__ == "__main__":
    sys.exit(main())
