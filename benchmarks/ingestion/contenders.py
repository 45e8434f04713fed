"""Three ways from the same Parquet log to the same TFRecords of windows.

`columnar` is the product's Beam path. `per_event` is the Beam pipeline one would
write first: a Python object an event, a protocol buffer an example. `in_memory` is a
script for one machine: pandas sorts the whole log, and a C++ coder encodes it.

Run as a program: `python -m benchmarks.ingestion.contenders NAME LOG OUTPUT [ARGS]`.
"""

from __future__ import annotations

import pathlib
import sys

MAX_LENGTH = 100
MIN_CONTEXT = 20
SPLITS = ("train", "eval", "test")


def window_bounds(num: int) -> list[tuple[str, int, int, int]]:
    """Returns (split, start, first label, end) of a user's windows, leave-last-out."""
    if num >= 3:
        ranges = [(0, num - 2), (num - 2, num - 1), (num - 1, num)]
    else:
        ranges = [(0, num)]
    result = []
    for split, (label, last) in zip(SPLITS, ranges, strict=False):
        while label < last:
            end = min(last, max(0, label - MIN_CONTEXT) + MAX_LENGTH)
            result.append((split, max(0, end - MAX_LENGTH), label, end))
            label = end
    return result


def columnar(log: str, output: str, beam_args: list[str]) -> None:
    """Runs the product's transform."""
    import apache_beam as beam

    from components.event_example_gen import locations, plan, transforms
    from schema import settings

    ingestion = plan.IngestionPlan(
        files=tuple(locations.local_files(log, "log")),
        data=settings.DataSettings(events=log, split="leave_last_out"),
        mapping=settings.EventMapping(),
        feedback=settings.FeedbackSettings(),
        history=settings.HistorySettings(
            max_length=MAX_LENGTH, min_context=MIN_CONTEXT
        ),
        examples_dir={split: f"{output}/Split-{split}" for split in SPLITS},
        report_dir=f"{output}/report",
        spill_dir=f"{output}/spill",
    )
    with beam.Pipeline(argv=["--runner=FnApiRunner", *beam_args]) as pipeline:
        _ = pipeline | transforms.IngestEvents(ingestion)


def _user_examples(element):
    from tensorflow.core.example import example_pb2

    user, events = element
    ordered = sorted(set(events), key=lambda e: (e[0], e[1]))
    merged: list[tuple] = []
    for time, item, action, value in ordered:
        if merged and merged[-1][:2] == (time, item):
            actions = merged[-1][2] | {action}
            merged[-1] = (time, item, actions, value or merged[-1][3])
        else:
            merged.append((time, item, {action}, value))
    for split, start, label, end in window_bounds(len(merged)):
        example = example_pb2.Example()
        feature = example.features.feature
        feature["user_id"].bytes_list.value.append(user.encode())
        for position in range(start, end):
            time, item, actions, value = merged[position]
            feature["item_id"].bytes_list.value.append(item.encode())
            feature["timestamp"].int64_list.value.append(time)
            feature["action"].bytes_list.value.append(
                "|".join(sorted(actions)).encode()
            )
            feature["value"].float_list.value.append(value or 0.0)
            feature["value_present"].int64_list.value.append(int(value is not None))
            feature["is_label"].int64_list.value.append(int(position >= label))
        yield split, example.SerializeToString()


def per_event(log: str, output: str, beam_args: list[str]) -> None:
    """Runs a pipeline whose elements are events."""
    import apache_beam as beam

    known = {"view", "like", "skip", "dislike"}

    def to_event(row):
        user, item, time = row["user_id"], row["item_id"], row["timestamp"]
        if user and item and time > 315_532_800_000 and row["action"] in known:
            yield user, (time, item, row["action"], row["value"])

    with beam.Pipeline(argv=["--runner=FnApiRunner", *beam_args]) as pipeline:
        examples = (
            pipeline
            | beam.io.ReadFromParquet(f"{log}/*.parquet")
            | beam.FlatMap(to_event)
            | beam.GroupByKey()
            | beam.FlatMap(_user_examples)
        )
        for split in SPLITS:
            _ = (
                examples
                | f"Only-{split}" >> beam.Filter(lambda e, s=split: e[0] == s)
                | f"Bytes-{split}" >> beam.Map(lambda e: e[1])
                | f"Write-{split}"
                >> beam.io.WriteToTFRecord(
                    f"{output}/Split-{split}/examples",
                    file_name_suffix=".gz",
                    num_shards=4,
                )
            )


def in_memory(log: str, output: str, beam_args: list[str]) -> None:
    """Sorts the whole log in memory and encodes it, without Beam."""
    del beam_args
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from tfx_bsl.coders import example_coder

    from components.event_example_gen import tfrecords

    frame = pd.read_parquet(log)
    for name in ("user_id", "item_id", "action"):
        frame[name] = frame[name].astype("category")
    frame = frame.drop_duplicates()
    frame = frame.sort_values(["user_id", "timestamp", "item_id"], kind="stable")
    keys = ["user_id", "timestamp", "item_id"]
    repeated = frame.duplicated(keys, keep=False)
    actions = frame["action"].astype(str)
    if repeated.any():
        joined = (
            frame[repeated]
            .assign(action=actions[repeated])
            .groupby(keys, observed=True)
            .agg({"action": lambda a: "|".join(sorted(set(a))), "value": "last"})
        )
        frame = frame.drop_duplicates(keys)
        actions = actions.loc[frame.index]
        again = repeated.loc[frame.index]
        actions[again] = joined["action"].to_numpy()
        frame.loc[again, "value"] = joined["value"].to_numpy()
    _, begins = np.unique(frame["user_id"].cat.codes, return_index=True)
    ends = np.append(begins[1:], len(frame))
    users = frame["user_id"].cat.categories[frame["user_id"].cat.codes.iloc[begins]]
    items = pa.array(frame["item_id"].cat.categories).cast(pa.large_binary())
    item = frame["item_id"].cat.codes.to_numpy()
    set_code, sets = pd.factorize(actions)
    sets = pa.array(sets).cast(pa.large_binary())
    time = frame["timestamp"].to_numpy()
    value = frame["value"].to_numpy()
    per_split: dict[str, list] = {split: [] for split in SPLITS}
    for user, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        for split, start, label, last in window_bounds(end - begin):
            per_split[split].append((user, begin + start, begin + label, begin + last))
    encoder = example_coder.RecordBatchToExamplesEncoder()
    for split, bounds in per_split.items():
        folder = pathlib.Path(output) / f"Split-{split}"
        folder.mkdir(parents=True)
        for shard in range(4):
            cut = np.array(bounds[shard::4]).reshape(-1, 4)
            with (folder / f"examples-{shard}.gz").open("wb") as sink:
                for part in np.array_split(cut, max(1, len(cut) // 2000)):
                    user, start, label, last = part.T
                    lengths = last - start
                    offsets = np.concatenate([[0], np.cumsum(lengths)])
                    rows = np.arange(offsets[-1])
                    rows += np.repeat(start - offsets[:-1], lengths)
                    present = ~np.isnan(value[rows])
                    flags = rows >= np.repeat(label, lengths)
                    columns = {
                        "item_id": items.take(pa.array(item[rows])),
                        "timestamp": pa.array(time[rows]),
                        "action": sets.take(pa.array(set_code[rows])),
                        "value": pa.array(np.nan_to_num(value[rows]), pa.float32()),
                        "value_present": pa.array(present.astype(np.int64)),
                        "is_label": pa.array(flags.astype(np.int64)),
                    }
                    lists = {
                        name: pa.LargeListArray.from_arrays(pa.array(offsets), column)
                        for name, column in columns.items()
                    }
                    lists["user_id"] = pa.LargeListArray.from_arrays(
                        pa.array(np.arange(len(user) + 1)),
                        pa.array(users[user]).cast(pa.large_binary()),
                    )
                    batch = pa.RecordBatch.from_arrays(
                        list(lists.values()), list(lists)
                    )
                    sink.write(tfrecords.compressed(encoder.encode(batch)))


CONTENDERS = {"columnar": columnar, "per_event": per_event, "in_memory": in_memory}

if __name__ == "__main__":
    name, log, output, *beam_args = sys.argv[1:]
    CONTENDERS[name](log, output, beam_args)
