"""The files of our vocabularies are those that `tft.vocabulary` writes."""

import pathlib

import pytest

from tests.components import tiny_pipeline

# Ties, an empty value, line ends, spaces, what sorts by bytes and not by letters.
VALUES = [
    b"b",
    b"a",
    b"b",
    b"",
    b"a b",
    b"x\ny",
    b"x\r",
    "ü".encode(),
    b"Z",
    b"~",
    b"c",
]
CATALOG = [
    {**row, "categories": VALUES[n : n + 1], "creator_id": []}
    for n, row in enumerate(tiny_pipeline.make_catalog()[: len(VALUES)])
]


def both(inputs):
    """Ours and the library's, of a column with values and of one without."""
    import tensorflow_transform as tft

    from components.transform import vocabularies

    columns = [inputs[name].values for name in ("categories", "creator_id")]
    files = [
        vocabularies.VocabularyFile("some", 0),
        vocabularies.VocabularyFile("some_counts", 0, with_counts=True),
        vocabularies.VocabularyFile("none", 1),
        vocabularies.VocabularyFile("none_counts", 1, with_counts=True),
    ]
    found = vocabularies.analyze(columns, files)
    for file in files:
        tft.vocabulary(
            columns[file.column],
            vocab_filename=f"tft_{file.name}",
            store_frequency=file.with_counts,
        )
    return {
        "item_id": inputs["item_id"],
        "index": tft.apply_vocabulary(inputs["categories"], found[0]),
        "tft_index": tft.compute_and_apply_vocabulary(
            inputs["categories"], vocab_filename="tft_applied"
        ),
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("transform")
    examples = tiny_pipeline.transform(
        CATALOG, {"c": CATALOG}, "catalog_schema.pbtxt", both, str(folder)
    )["c"]
    parsed = [tf.train.Example.FromString(example) for example in examples]
    return folder, [example.features.feature for example in parsed]


@pytest.mark.parametrize("name", ["some", "some_counts", "none", "none_counts"])
def test_files_are_equal_byte_for_byte(written, name):
    assets = pathlib.Path(written[0], "transform_fn", "assets")
    ours = (assets / name).read_bytes()

    assert ours == (assets / f"tft_{name}").read_bytes()
    assert ours.endswith(b"\n")


def test_ties_stand_in_falling_order_of_their_bytes(written):
    """By hand: `b` came twice, the others once; "ü" is C3 BC, "~" 7E, "Z" 5A."""
    path = pathlib.Path(written[0], "transform_fn", "assets", "some_counts")

    assert path.read_text(encoding="utf-8").splitlines() == [
        "2 b", "1 ü", "1 ~", "1 c", "1 a b", "1 a", "1 Z",
    ]  # fmt: skip


def test_values_get_the_same_indices(written):
    rows = [
        [list(feature[name].int64_list.value) for name in ("index", "tft_index")]
        for feature in written[1]
    ]

    assert all(ours == theirs for ours, theirs in rows)
    assert len({index for ours, _ in rows for index in ours}) == 8


def test_the_graph_names_the_files(written):
    import tensorflow_transform as tft

    output = tft.TFTransformOutput(str(written[0]))

    assert output.vocabulary_by_name("some")[:2] == [b"b", "ü".encode()]
    assert output.vocabulary_size_by_name("some") == 7
