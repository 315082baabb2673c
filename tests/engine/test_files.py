import json

import pytest

from engine.files import replacing, write_json


def test_what_is_interrupted_leaves_the_old_file(tmp_path):
    path = tmp_path / "card.json"
    write_json(path, {"a": 1})

    def interrupted():
        with replacing(path) as partial:
            partial.write_text("{")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert json.loads(path.read_text()) == {"a": 1}


def test_what_is_whole_takes_the_name_and_leaves_nothing_beside(tmp_path):
    path = tmp_path / "card.json"
    for value in ({"a": 1}, [2]):
        write_json(path, value)
        assert json.loads(path.read_text()) == value
    assert [p.name for p in tmp_path.iterdir()] == ["card.json"]
