"""The page of measured figures, from `benchmarks/results/*.json`.

One file is one table; `Result` below is its form, benchmarks/results/README.md says it
in words. The order of the page is that of the file names.
"""

from __future__ import annotations

import json
import pathlib

import pydantic

from docs.site import fields

_HEAD = """# Results

Every table names the command that gave it, the commit, the machine and the date. It
comes from `benchmarks/results/*.json`. An interval is of 95 % unless it says otherwise.
"""


class Result(pydantic.BaseModel):
    """One table of measured figures."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    title: str
    says: str
    """What the table answers, in one or two sentences."""
    command: str
    """What was run, ready to paste; several lines may follow one another."""
    commit: str = pydantic.Field(pattern="^[0-9a-f]{7,40}$")
    """The code that was measured, or the first commit that holds the figures."""
    machine: str
    date: str = pydantic.Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    columns: tuple[str, ...] = pydantic.Field(min_length=2)
    rows: tuple[tuple[str | int | float, ...], ...] = pydantic.Field(min_length=1)
    notes: tuple[str, ...] = ()
    """What a reader must know of the figures, a sentence or two each."""

    @pydantic.model_validator(mode="after")
    def _rows_fit_the_columns(self) -> Result:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"each row needs {len(self.columns)} cells; got {list(row)}"
                )
        return self


def read(path: pathlib.Path) -> Result:
    """Returns the result of one file."""
    return Result.model_validate(json.loads(path.read_text(encoding="utf-8")))


def render(folder: pathlib.Path) -> str:
    """Returns the page of all results of a folder."""
    return "\n".join(
        [_HEAD, *(_section(read(p)) for p in sorted(folder.glob("*.json")))]
    )


def _section(result: Result) -> str:
    lines = [
        f"## {result.title}\n",
        result.says + "\n",
        fields.row(*result.columns),
        fields.row(*["---"] * len(result.columns)),
        *(fields.row(*map(str, row)) for row in result.rows),
        "",
        *(f"- {note}" for note in result.notes),
        "",
        f"```\n{result.command}\n```\n",
        f"{result.date}, commit `{result.commit}`, {result.machine}.\n",
    ]
    return "\n".join(lines)
