import subprocess
import sys

import pytest
import torch

from engine.checkpoints.folder import load, save

pytestmark = pytest.mark.slow


def test_transformers_loads_and_saves_a_checkpoint(tmp_path, network, tokenizer):
    from transformers import AutoConfig, AutoModel

    from engine.checkpoints import registration

    ours = tmp_path / "ours"
    save(ours, network, tokenizer, {"threshold": 0.6})
    model = AutoModel.from_pretrained(ours, dtype=torch.float32).eval()
    assert isinstance(model, registration.SeedModel)
    assert AutoConfig.from_pretrained(ours).seed == {"threshold": 0.6}
    mine, _, _ = load(ours, device="cpu", dtype=torch.float32)
    ids = torch.arange(8, 28)[None]
    args = (ids, torch.arange(20)[None], None)
    with torch.inference_mode():
        torch.testing.assert_close(model.logits(model(*args)), mine.logits(mine(*args)))

    theirs = tmp_path / "theirs"
    model.save_pretrained(theirs)
    tokenizer.save(theirs)
    back, _, settings = load(theirs, device="cpu", dtype=torch.float32)
    assert settings == {"threshold": 0.6}
    with torch.inference_mode():
        assert torch.equal(back(*args), mine(*args))


def test_editing_does_not_import_transformers():
    code = "import engine.editor, sys; sys.exit('transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
