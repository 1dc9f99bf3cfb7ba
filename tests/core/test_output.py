"""Results appear whole or not at all."""

import contextlib
import threading
import time

import pytest

from infogeo import InputError
from infogeo.core import output
from infogeo.core.output import check_free, written_beside


def ours(path):
    return path.read_text().startswith("ours") if path.is_file() else (path / "ours").exists()


def test_what_was_written_takes_its_place(tmp_path):
    with written_beside(tmp_path / "a" / "file", False, ours) as target:
        target.write_text("ours")
    assert (tmp_path / "a" / "file").read_text() == "ours"
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["file"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, OSError])
def test_a_failure_leaves_the_old_result_and_nothing_else(tmp_path, failure):
    place = tmp_path / "dir"
    place.mkdir()
    (place / "ours").write_text("old")
    with pytest.raises(failure), written_beside(place, True, ours) as target:
        target.mkdir()
        (target / "ours").write_text("new")
        raise failure
    assert (place / "ours").read_text() == "old"
    assert list(tmp_path.iterdir()) == [place]


def test_a_place_where_no_folder_can_be_made_is_refused_before_any_work(tmp_path, monkeypatch):
    def full(**where):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output.tempfile, "mkdtemp", full)
    with pytest.raises(InputError, match="cannot be written .*choose another place"):
        check_free(tmp_path / "new" / "map", False, ours)
    monkeypatch.undo()
    check_free(tmp_path / "new" / "map", False, ours)
    assert list(tmp_path.iterdir()) == []


def test_our_result_is_replaced_only_when_asked(tmp_path):
    place = tmp_path / "file"
    place.write_text("ours, old")
    with pytest.raises(InputError, match="exists; .*--overwrite"), written_beside(place, False, ours):
        pass
    with written_beside(place, True, ours) as target:
        target.write_text("ours, new")
    assert place.read_text() == "ours, new"


def test_what_is_not_ours_is_never_replaced(tmp_path):
    (tmp_path / "thesis").write_text("mine")
    with pytest.raises(InputError, match="something else lies there"), written_beside(tmp_path / "thesis", True, ours):
        pass
    assert (tmp_path / "thesis").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_said_before_any_work(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"), written_beside(tmp_path / "file" / "x", False, ours):
        pass
    with pytest.raises(InputError, match="file is no directory to write in"):
        check_free(tmp_path / "file" / "deeper" / "x", False, ours)


def test_a_link_keeps_its_place_and_what_it_points_to_is_filled(tmp_path):
    (tmp_path / "big").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "big")
    with written_beside(tmp_path / "link", False, ours) as target:
        target.mkdir()
        (target / "ours").write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "big" / "ours").read_text() == "new"


def test_a_directory_that_cannot_be_replaced_is_put_back(tmp_path, monkeypatch):
    place = tmp_path / "dir"
    place.mkdir()
    (place / "ours").write_text("old")
    rename = output.os.rename

    def fail_for_the_new_one(source, target):
        if target == place and source.name == "dir":
            raise OSError("no")
        rename(source, target)

    monkeypatch.setattr(output.os, "rename", fail_for_the_new_one)
    with pytest.raises(OSError, match="no"), written_beside(place, True, ours) as target:
        target.mkdir()
    assert (place / "ours").read_text() == "old"
    assert list(tmp_path.iterdir()) == [place]


def test_a_write_that_is_still_under_way_leaves_nothing_behind(tmp_path):
    """An interrupt leaves threads that go on writing for a moment."""
    stop = time.monotonic() + 0.3

    def go_on_writing(folder):
        while time.monotonic() < stop:
            with contextlib.suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"chunk-{time.monotonic()}").write_text("late")

    with pytest.raises(KeyboardInterrupt), written_beside(tmp_path / "dir", False, ours) as target:
        target.mkdir()
        thread = threading.Thread(target=go_on_writing, args=(target / "array",))
        thread.start()
        raise KeyboardInterrupt
    thread.join()
    assert list(tmp_path.iterdir()) == []
