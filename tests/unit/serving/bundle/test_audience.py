import pytest

from schema import errors
from serving.bundle import audience

FOUND = {
    "a": audience.Audience(8, {"ü": audience.Shared(4, 8), "b": audience.Shared(3, 9)}),
    "b": audience.Audience(9, {"a": audience.Shared(3, 8)}),
}


def test_what_is_written_is_read(tmp_path):
    audience.write(str(tmp_path), audience.lines(FOUND))

    found = audience.read(tmp_path)

    assert found == FOUND
    assert list(found["a"].nearest) == ["ü", "b"]  # nearest first


def test_a_model_without_audiences_has_none(tmp_path):
    assert audience.read(tmp_path) == {}


def test_likeness_is_the_cosine_of_who_met_what():
    assert FOUND["a"].likeness("ü") == pytest.approx(4 / 8)
    assert FOUND["a"].likeness("b") == pytest.approx(3 / 72**0.5)
    assert FOUND["a"].likeness("z") == 0.0


@pytest.mark.parametrize(
    "line", ["{", '{"item_id": "a"}', '{"item_id": "a", "users": 1, "nearest": [[1]]}']
)
def test_broken_line_is_named(tmp_path, line):
    audience.write(str(tmp_path), [*audience.lines(FOUND), line + "\n"])

    with pytest.raises(errors.InputError, match=r"audience\.jsonl, line 3: expected"):
        audience.read(tmp_path)
