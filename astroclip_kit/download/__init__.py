"""Polite, resumable, checked downloads: a few connections, pauses, retries with back-off, and a journal.

Touch this when something comes from the network: `download` brings files by their addresses; a service that answers
in its own way asks through a `Client` and lets `run_tasks` keep the journal. Nothing gets its final name before it
was checked. The web is spoken with requests and urllib3 (extra ``fetch``).
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Client": ".client",
        "Job": ".files",
        "NotThere": ".problems",
        "Outcome": ".journal",
        "RequestFailed": ".problems",
        "Stored": ".files",
        "Task": ".journal",
        "TryAgain": ".problems",
        "acknowledged": ".journal",
        "download": ".journal",
        "file_task": ".journal",
        "get_file": ".files",
        "hash_file": ".files",
        "judge": ".problems",
        "run_tasks": ".journal",
    },
)
