"""Makes the event oracle of the property tests importable here."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "properties"))
