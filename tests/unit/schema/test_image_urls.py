"""What a page may load as a picture, and what must never reach it."""

import pytest

from schema import image_urls


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://img.example/a/b.jpg?w=1&h=2#x", "https://img.example"),
        ("http://127.0.0.1:8080/1", "http://127.0.0.1:8080"),
        ("HTTPS://Img.Example", "https://img.example"),
        ("https://img.example?é", "https://img.example"),
        ("https://my_shop.example/1", "https://my_shop.example"),
        ("https://img.example/" + "a" * (2_048 - 20), "https://img.example"),
    ],
)
def test_addresses_of_the_web(address, origin):
    assert image_urls.origin(address) == origin


@pytest.mark.parametrize(
    "address",
    [
        "",
        "javascript:alert(1)",
        "JavaScript://img.example/%0aalert(1)",
        "java\nscript:alert(1)",
        "data:image/svg+xml,<svg onload=alert(1)>",
        "blob:https://img.example/1",
        "file:///etc/passwd",
        "ftp://img.example/1.jpg",
        "//img.example/1.jpg",
        "/posters/1.jpg",
        "posters/1.jpg",
        "https:///1.jpg",
        "https:img.example/1.jpg",
        " https://img.example/1.jpg",
        "https://img.example/1.jpg\n",
        "https://img.example/a b.jpg",
        "https://img.example\\@evil.example/1.jpg",
        "https://user:secret@img.example/1.jpg",
        # What would say more in the header than one host.
        "https://*/1.jpg",
        "https://*.example/1.jpg",
        "https://img.example;script-src/1.jpg",
        "https://img.example,x/1.jpg",
        "https://é.example/1.jpg",
        "https://img.example:99999999/1.jpg",
        "https://img.example/" + "a" * (2_049 - 20),
    ],
)
def test_what_is_none(address):
    assert image_urls.origin(address) is None
