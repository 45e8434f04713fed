"""A small log through the real Transforms, and models exported from it untrained.

Random weights are enough: what is tested here is that the same numbers come out of
training, export, index and serving.
"""

from __future__ import annotations

import dataclasses
import functools
import os

import numpy as np

from schema import features, settings

NUM_ITEMS = 150
NUM_LOGGED = 120
"""Items beyond it are in the catalogue alone."""
MAX_LENGTH = 12
ACTIONS = ("view", "like", "skip", "dislike|view", "dislike", "like|view")
FEEDBACK = settings.FeedbackSettings()


def item_id(number):
    """Ids with spaces and in more than one alphabet."""
    return (f"item {number}" if number % 2 else f"é-{number}").encode()


@dataclasses.dataclass
class Window:
    """One raw example as lists."""

    user_id: bytes
    item_id: list
    timestamp: list
    action: list
    value: list
    is_label: list

    def columns(self):
        present = [int(not np.isnan(v)) for v in self.value]
        return {
            features.USER_ID: [self.user_id],
            features.ITEM_ID: self.item_id,
            features.TIMESTAMP: self.timestamp,
            features.ACTION: self.action,
            features.VALUE: [0.0 if np.isnan(v) else v for v in self.value],
            features.VALUE_PRESENT: present,
            features.IS_LABEL: self.is_label,
        }


def make_window(rng, user, length, is_label=None):
    """A history over the logged items, each at most once, minutes to hours apart."""
    items = rng.choice(NUM_LOGGED, length, replace=False)
    gaps_ms = rng.integers(1_000, 20_000_000, length)
    value = np.where(rng.random(length) < 0.6, rng.random(length), np.nan)
    return Window(
        user_id=f"ü{user}".encode(),
        item_id=[item_id(i) for i in items],
        timestamp=(1_700_000_000_000 + np.cumsum(gaps_ms)).tolist(),
        action=[str(a).encode() for a in rng.choice(ACTIONS, length)],
        value=value.astype(np.float32).tolist(),
        is_label=[1] * length if is_label is None else is_label,
    )


def later_window(rng, before):
    """A user's next window: four elements of the one before as context, four labels."""
    window = make_window(rng, 0, 20)
    new = [n for n, item in enumerate(window.item_id) if item not in before.item_id][:4]
    gap_ms = before.timestamp[-1] - window.timestamp[0] + 60_000

    def joined(name):
        return getattr(before, name)[-4:] + [getattr(window, name)[n] for n in new]

    return Window(
        user_id=before.user_id,
        item_id=joined("item_id"),
        timestamp=before.timestamp[-4:] + [window.timestamp[n] + gap_ms for n in new],
        action=joined("action"),
        value=joined("value"),
        is_label=[0] * 4 + [1] * 4,
    )


def make_catalog():
    """Three creators, five category sets, some items without either."""
    sets = ([b"drama"], [b"comedy"], [b"drama", b"comedy"], [b"news"], [])
    items = []
    for number in range(NUM_ITEMS):
        items.append(
            {
                features.ITEM_ID: [item_id(number)],
                features.CREATOR_ID: [b"c%d" % (number % 3)] if number % 7 else [],
                features.CATEGORIES: list(sets[number % len(sets)]),
                features.TITLE: [f"Title of {number}".encode()],
                features.IMAGE_URL: [b"https://i.example/2"] if number == 2 else [],
                features.ATTRIBUTES: [b"size=%d" % (number % 4)],
                features.CREATED_AT: [],
                features.WITHDRAWN: [],
            }
        )
    return items


def serialized(columns):
    """A tf.Example of lists of bytes, ints and floats."""
    import tensorflow as tf

    def feature(values):
        if values and isinstance(values[0], bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        if values and isinstance(values[0], float):
            return tf.train.Feature(float_list=tf.train.FloatList(value=values))
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    found = {name: feature(values) for name, values in columns.items() if values}
    message = tf.train.Example(features=tf.train.Features(feature=found))
    return message.SerializeToString(deterministic=True)


@dataclasses.dataclass
class Log:
    """Raw windows and their transformed form on disk."""

    train: list
    eval: list
    test: list
    transform_dir: str
    catalog_transform_dir: str
    transformed: dict
    """Split to the serialised transformed examples."""
    transformed_catalog: list


def build_log(root):
    """Runs the two preprocessing functions as TFX would, over the curated schemas."""
    from components.transform import catalog, events

    rng = np.random.default_rng(6)
    train = [
        make_window(rng, u, int(rng.integers(4, MAX_LENGTH + 1))) for u in range(40)
    ]
    train += [later_window(rng, window) for window in train[:10]]
    held_out = [
        [make_window(rng, u, 8, [0] * 6 + [1] * 2) for u in range(first, first + 10)]
        for first in (0, 20)
    ]
    transform_dir, catalog_dir = (
        os.path.join(root, name) for name in ("transform", "catalog_transform")
    )
    preprocess = functools.partial(
        events.preprocessing_fn, custom_config={"feedback": FEEDBACK.to_json()}
    )
    rows = {
        split: [window.columns() for window in windows]
        for split, windows in (("train", train), ("eval", held_out[0]))
    }
    transformed = transform(
        rows["train"], rows, "events_schema.pbtxt", preprocess, transform_dir
    )
    items = make_catalog()
    transformed_catalog = transform(
        items,
        {"c": items},
        "catalog_schema.pbtxt",
        catalog.preprocessing_fn,
        catalog_dir,
    )
    return Log(
        train,
        *held_out,
        transform_dir,
        catalog_dir,
        transformed,
        transformed_catalog["c"],
    )


def transform(analysed, splits, schema_file, preprocessing_fn, output_dir):
    """Writes the transform graph; returns the transformed examples of each split."""
    import importlib.resources
    import tempfile

    import apache_beam as beam
    import tensorflow_transform as tft
    import tensorflow_transform.beam as tft_beam
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2
    from tensorflow_transform.tf_metadata import dataset_metadata

    text = (importlib.resources.files("schema") / schema_file).read_text()
    schema = text_format.Parse(text, schema_pb2.Schema())
    scalar = {f.name for f in schema.feature if f.HasField("shape")}
    metadata = dataset_metadata.DatasetMetadata(schema)

    def instances(rows):
        return [{k: v[0] if k in scalar else v for k, v in row.items()} for row in rows]

    results = {}
    with (
        tempfile.TemporaryDirectory() as temporary,
        beam.Pipeline(runner="FnApiRunner") as pipeline,
        tft_beam.Context(temporary),
    ):
        raw = pipeline | "Analysed" >> beam.Create(instances(analysed))
        graph = (raw, metadata) | tft_beam.AnalyzeDataset(preprocessing_fn)
        _ = graph | tft_beam.WriteTransformFn(output_dir)
        raw_dir = os.path.join(output_dir, tft.TFTransformOutput.RAW_METADATA_DIR)
        _ = metadata | tft_beam.WriteMetadata(raw_dir, pipeline)
        for split, rows in splits.items():
            results[split] = os.path.join(output_dir, f"{split}.examples")
            data = pipeline | f"Read {split}" >> beam.Create(instances(rows))
            transformed, found = (
                (data, metadata),
                graph,
            ) | f"Transform {split}" >> tft_beam.TransformDataset()
            coder = tft.coders.ExampleProtoCoder(found.schema)
            _ = (
                transformed
                | f"Encode {split}" >> beam.Map(coder.encode)
                | f"Write {split}"
                >> beam.io.WriteToTFRecord(results[split], shard_name_template="")
            )
    import tensorflow as tf

    # Beam writes in any order, and protobuf its maps in any order: make both the same.
    parsed = {
        split: [
            tf.train.Example.FromString(record)
            for record in tf.data.TFRecordDataset([path]).as_numpy_iterator()
        ]
        for split, path in results.items()
    }
    return {
        split: sorted(e.SerializeToString(deterministic=True) for e in examples)
        for split, examples in parsed.items()
    }


def trainer_config(
    arm="feature_and_label", query_tower="gru", avoidance_strength=0.0, **train
):
    """The Trainer's part of a small configuration."""
    from components.trainer import config

    return config.TrainerConfig(
        feedback=FEEDBACK,
        history=settings.HistorySettings(max_length=MAX_LENGTH, min_context=4),
        model=settings.ModelSettings(
            query_tower=query_tower,
            embedding_dim=8,
            hidden_dim=12,
            negative_signal=arm,
            avoidance_strength=avoidance_strength,
            avoidance_code_dim=8,
        ),
        train=settings.TrainSettings(
            **{"epochs": 2, "batch_size": 16, "dislike_dropout": 0.0, **train}
        ),
        control_action="view",
        control_value=1.0,
    )


def write_records(path, records):
    """Writes gzip TFRecords and returns the path."""
    import tensorflow as tf

    options = tf.io.TFRecordOptions(compression_type="GZIP")
    with tf.io.TFRecordWriter(str(path), options) as writer:
        for record in records:
            writer.write(record)
    return str(path)


def read_table(log, folder):
    """The candidate table, read as the Trainer reads it."""
    import tensorflow_transform as tft

    from components.trainer import candidates

    path = write_records(os.path.join(folder, "catalog.gz"), log.transformed_catalog)
    return candidates.read_candidate_table(
        [path],
        tft.TFTransformOutput(log.catalog_transform_dir),
        tft.TFTransformOutput(log.transform_dir),
        settings.ModelSettings(max_categories=4),
    )


def make_towers(log, folder, arm, query_tower):
    """Towers with random weights, and the candidate table."""
    import tensorflow_transform as tft

    from components.trainer import signatures
    from tests import two_towers

    table = read_table(log, folder)
    two_tower = two_towers.make_model(
        arm,
        query_tower,
        max_length=MAX_LENGTH,
        table=table,
        towers={"avoidance_strength": 2.5, "avoidance_code_dim": 8},
    )
    transform_output = tft.TFTransformOutput(log.transform_dir)
    return signatures.Towers(two_tower, transform_output, table, MAX_LENGTH), table


def make_model(log, towers_folder, folder, index=None):
    """IndexBuilder's model artifact folder for exported towers."""
    from components import artifacts
    from components.index_builder import build, servable

    queries = write_records(
        os.path.join(towers_folder, "queries.gz"),
        [serialized(window.columns()) for window in log.eval],
    )
    catalog_file = write_records(
        os.path.join(towers_folder, "raw_catalog.gz"),
        [serialized(columns) for columns in make_catalog()],
    )
    build.build_endpoint(
        os.path.join(towers_folder, "Format-Serving"),
        [queries],
        servable.read([catalog_file]),
        index or settings.IndexSettings(),
        {"made_by": "tests"},
        os.path.join(folder, "Format-Serving"),
        os.path.join(folder, artifacts.EXACT_TWIN),
    )
    return folder
