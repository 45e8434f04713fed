"""The checks of a catalogue before anything runs."""

import pytest

from components.item_catalog_gen import check
from schema import errors, settings

EVENTS = settings.EventMapping()


def run(item_mapping=None, **data):
    check.check_source(
        settings.DataSettings(**{name: str(path) for name, path in data.items()}),
        item_mapping or settings.ItemMapping(),
        EVENTS,
    )


def test_a_catalogue_with_ids_alone_is_enough(tmp_path):
    (tmp_path / "items.csv").write_text("item_id\n1\n")
    run(items=tmp_path / "items.csv", events="nowhere")


def test_a_column_named_by_hand_must_be_there(tmp_path):
    (tmp_path / "items.csv").write_text("item_id\n1\n")
    columns = settings.ItemColumns(categories="genres")
    with pytest.raises(errors.InputError, match="no column 'genres'"):
        run(settings.ItemMapping(columns=columns), items=tmp_path / "items.csv")


def test_a_missing_catalogue_names_its_key():
    with pytest.raises(errors.InputError, match=r"`data\.items`"):
        run(items="nowhere.csv")


def test_without_a_catalogue_the_log_is_looked_at(tmp_path):
    (tmp_path / "log.csv").write_text("user_id,item_id\n")
    run(events=tmp_path / "log.csv")
    (tmp_path / "log.csv").write_text("user_id,item\n")
    with pytest.raises(errors.InputError, match="'item_id'"):
        run(events=tmp_path / "log.csv")
