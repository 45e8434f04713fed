from serving.bundle import audience, catalog
from serving.explorer import example


def met_by(**users):
    return {item_id: audience.Audience(n, {}) for item_id, n in users.items()}


def items_of(*ids, withdrawn=()):
    return {
        item_id.encode(): catalog.Item(is_withdrawn=item_id in withdrawn)
        for item_id in ids
    }


def test_what_most_people_met_is_the_example():
    items = items_of("a", "b", "c", "d", "e", "f", withdrawn=["f"])
    audiences = met_by(a=1, b=9, c=5, d=9, f=99, gone=50)
    assert example.choose(audiences, items) == [
        ("b", ""),
        ("d", "like"),
        ("c", "like"),
        ("a", "dislike"),
    ]


def test_without_audiences_the_catalogue_gives_one():
    marks = ["", "like", "like", "dislike"]
    assert example.choose({}, items_of(*"abcde")) == list(
        zip("abcd", marks, strict=True)
    )


def test_too_small_a_catalogue_gives_none():
    assert example.choose({}, items_of("a", "b", "c")) == []
