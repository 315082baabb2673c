import pytest
import torch

from engine.diffusion.layout import prefix
from engine.sampling import labels as module
from engine.sampling.batch import like_lengths, read_canvases, read_distinct, read_prefixes
from engine.sampling.labels import Labels


@pytest.fixture(scope="module")
def read(network, tokenizer):
    c = tokenizer.controls
    canvases = [[*tokenizer.encode(text), c.end] for text in ("def f(x):\n    return x + 1\n", "x = 1\n", "")]
    where = prefix((), tokenizer.encode("fix"), marks=c.marks)
    with torch.inference_mode():
        cache = read_prefixes(network, [where], c.pad)
        return canvases, read_canvases(network, cache.rows([0, 0, 0]), canvases, c.pad)


@pytest.mark.parametrize("tile", [1, 3, 64])
def test_views_are_those_of_the_whole_distribution(network, tokenizer, read, tile, monkeypatch):
    monkeypatch.setattr(module, "TILE", tile)
    monkeypatch.setattr(module, "LOGITS", 5 * network.config.vocabulary)
    c, (canvases, features) = tokenizer.controls, read
    with torch.inference_mode():
        views = Labels(network, c.edits, c.never).views(features, canvases, [True, False, True])
        for i, (canvas, view) in enumerate(zip(canvases, views, strict=True)):
            scores = network.logits(features[i, : len(canvas)]).float()
            scores[:, c.never] = -torch.inf
            scores[:-1, c.end] = -torch.inf
            if i == 1:
                scores[:, c.insert] = -torch.inf
            wanted = scores.softmax(-1)
            own = wanted[range(len(canvas)), canvas]
            torch.testing.assert_close(torch.tensor(view.keep), own)
            torch.testing.assert_close(torch.tensor(view.probability), wanted.amax(-1))
            torch.testing.assert_close(wanted[range(len(canvas)), view.best], wanted.amax(-1))


def test_of_equal_labels_the_token_itself_is_the_best(network, tokenizer, read, monkeypatch):
    monkeypatch.setattr(network, "logits", lambda features: features.new_zeros(len(features), tokenizer.size))
    c, (canvases, features) = tokenizer.controls, read
    views = Labels(network, c.edits, c.never).views(features, canvases, [True] * 3)
    assert [view.best for view in views] == canvases


def test_rows_of_unlike_length_share_no_forward_unless_it_is_small():
    assert like_lengths([100, 10, 110, 12, 300, 290], 1000) == [[1, 3], [0, 2], [5, 4]]
    assert like_lengths([10, 60, 30], 1000) == [[0, 2, 1]]
    assert like_lengths([600, 600], 1000) == [[0], [1]]


def test_equal_prefixes_are_read_once(network, tokenizer):
    c = tokenizer.controls
    fix, rename = (prefix((), tokenizer.encode(text), marks=c.marks) for text in ("fix", "rename a to b"))
    with torch.inference_mode():
        cache, where = read_distinct(network, [fix, rename, fix], c.pad)
        whole = read_prefixes(network, [fix, rename, fix], c.pad)
    assert len(cache.lengths) == 2
    torch.testing.assert_close(cache.rows(where).last_BD, whole.last_BD)
