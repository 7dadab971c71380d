"""The glyphs travel with the project, and so does their licence."""

from training.atlas import ATLAS_PATH, LICENCE_PATH, load_atlas
from training.things import THINGS, thing_named


def test_the_licence_stands_beside_the_glyphs() -> None:
    text = LICENCE_PATH.read_text()
    assert LICENCE_PATH.parent == ATLAS_PATH.parent
    assert "SIL OPEN FONT LICENSE Version 1.1" in text
    assert "Noto Color Emoji" in text
    assert "PERMISSION & CONDITIONS" in text


def test_there_is_a_painted_glyph_for_every_thing_that_names_one() -> None:
    atlas = load_atlas()
    assert set(atlas) == {thing.name for thing in THINGS if thing.glyph}
    for picture in atlas.values():
        assert picture.mode == "RGBA"
        assert max(picture.size) > 80
        assert min(picture.size) > 40


def test_names_lead_to_their_thing() -> None:
    for thing in THINGS:
        assert thing_named(thing.name) is thing


def test_no_name_is_used_twice() -> None:
    names = [name for thing in THINGS for name in thing.names]
    assert len(set(names)) == len(names)
    assert len({thing.glyph for thing in THINGS}) == len(THINGS) >= 150


def test_the_first_48_things_stay_what_they_were() -> None:
    first = [thing.name for thing in THINGS[:48]]
    assert first[0] == "dragon"
    assert first[6] == "treasure chest"
    assert first[47] == "fire"
