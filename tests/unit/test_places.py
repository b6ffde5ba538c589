from tumorseg.places import places


def test_a_folder_of_links_and_a_linked_folder_lie_in_the_cache_too(tmp_path):
    cached = tmp_path / "cached"
    cached.mkdir()
    (cached / "case").touch()
    (tmp_path / "linked").symlink_to(cached)
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "case").symlink_to(cached / "case")
    for name in ("linked", "links"):
        assert places(tmp_path / name) == [tmp_path / name, cached]
    assert places(cached) == [cached]
