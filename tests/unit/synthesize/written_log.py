"""Small logs on disk, and what their files hold."""

import hashlib

from pipeline.synthesize import settings as synthesis
from pipeline.synthesize import writer


def write(folder, **given):
    given = {"users": 200, "items": 300, "events": 20_000, "clusters": 12, **given}
    settings = synthesis.SynthesisSettings(**given)
    return settings, writer.synthesize(settings, folder)


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
