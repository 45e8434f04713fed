"""One worker of a local training, in a process of its own.

`local_workers.py` runs it with `python -m`; nothing imports it.
"""

from __future__ import annotations

import json
import sys
import types

from components import progress
from components.trainer import local_workers, run_fn
from schema import errors


def main(arguments: str) -> int:
    """Trains, tells of it on the standard output, and returns the exit code.

    Args:
      arguments: JSON of those attributes of TFX's FnArgs that `run_fn` reads.
    """
    progress.listen(
        lambda *report: print(  # noqa: T201 - the parent reads it
            local_workers.PROGRESS_MARK + json.dumps(report), flush=True
        )
    )
    try:
        run_fn.run_fn(types.SimpleNamespace(**json.loads(arguments)))
    except errors.InputError as error:
        sys.stderr.write(f"\n{error}\n")
        return local_workers.INPUT_ERROR_CODE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
