"""How results are written down: with the commit and the date that they belong to; and shown."""

import datetime as dt
import json
import platform
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mnist_net.files import atomic_write

ROOT = Path(__file__).resolve().parent.parent


def commit() -> str:
    """Commit of this checkout, marked if tracked files differ from it; "unknown" without git."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        # Results are what is being made, and change nothing that makes them.
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!results")
        return git("rev-parse", "--short=12", "HEAD") + ("-changed" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def now() -> str:
    """Date and time, UTC."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def stamp() -> dict[str, str]:
    """When, with which code, and on what something was measured."""
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    return {"date": now(), "commit": commit(), "machine": machine}


def read_json(path: Path) -> dict[str, Any]:
    """What `write_json` wrote, or nothing yet."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write_json(path: Path, value: Any, width: int = 160, apart: str = "") -> None:
    """Write as JSON, atomically; what is short, and is not to be taken apart, stands on one line.

    Short is what has so many characters at most; taken apart is what has this key, at any depth.
    """

    def compact(value: Any, depth: int) -> str:
        flat = json.dumps(value, ensure_ascii=False)
        short = depth and len(flat) + depth <= width and not (apart and f'"{apart}":' in flat)
        if short or not isinstance(value, dict | list | tuple):
            return flat
        if isinstance(value, dict):
            lines = [
                f"{json.dumps(key, ensure_ascii=False)}: {compact(item, depth + 1)}"
                for key, item in value.items()
            ]
        else:
            lines = [compact(item, depth + 1) for item in value]
        begin, end = "{}" if isinstance(value, dict) else "[]"
        indent = "\n" + " " * (depth + 1)
        return begin + indent + f",{indent}".join(lines) + indent[:-1] + end

    with atomic_write(path) as stream:
        stream.write((compact(value, 0) + "\n").encode())


def append_line(path: Path, record: dict[str, Any]) -> None:
    """Add one line of JSON, with date and commit, whole, even if other processes add theirs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as stream:
        stream.write((json.dumps({"date": now(), "commit": commit(), **record}) + "\n").encode())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """What `append_line` added so far."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table in Markdown: words to the left in the first column, figures to the right after it."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
