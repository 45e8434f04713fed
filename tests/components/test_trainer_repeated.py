"""The same data, configuration and seed give the same weights in any process."""

import pytest

from tests.components import busy_machine, tiny_pipeline

pytestmark = pytest.mark.slow

_TRAIN = """
import hashlib, json, os, sys
import tensorflow_transform as tft
from components.trainer import candidates, training, warm_start
from schema import settings
from tests.components import tiny_pipeline

events, catalogue, items, train, folder, seed = sys.argv[1:]
events, catalogue = tft.TFTransformOutput(events), tft.TFTransformOutput(catalogue)
table = candidates.read_candidate_table(
    [items], catalogue, events, settings.ModelSettings(max_categories=4)
)
vocabularies = warm_start.read_vocabularies(table, catalogue)
two_tower, _ = training.train(
    training.Training(
        training.Data(table, vocabularies, events, [train], [train]),
        tiny_pipeline.trainer_config(
            query_tower="transformer", avoidance_strength=1.0, seed=int(seed)
        ),
        os.path.join(folder, "run"),
        os.path.join(folder, "state"),
    )
)
values = [weight.numpy() for weight in two_tower.trainable_weights]
values += [two_tower.avoidance.query.numpy(), two_tower.avoidance.candidate.numpy()]
content = b"".join(value.tobytes() for value in values)
print(json.dumps(hashlib.sha256(content).hexdigest()))
"""


def test_weights_are_the_same_to_the_last_bit(tiny_log, tmp_path):
    """Another seed gives others, or the digest would be of nothing."""
    train = tiny_pipeline.write_records(
        tmp_path / "train.gz", tiny_log.transformed["train"]
    )
    items = tiny_pipeline.write_records(
        tmp_path / "items.gz", tiny_log.transformed_catalog
    )

    def arguments(number, seed=1):
        return [
            *(tiny_log.transform_dir, tiny_log.catalog_transform_dir, items, train),
            *(str(tmp_path / f"{number} {seed}"), str(seed)),
        ]

    same = busy_machine.answers(_TRAIN, arguments)
    other = busy_machine.answers(_TRAIN, lambda number: arguments(number, number + 2))

    assert len(set(same)) == 1
    assert len({*same, *other}) == 4
