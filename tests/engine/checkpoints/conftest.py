import pytest

from tests.engine.checkpoints.hub_server import serve


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A hub of our own; huggingface_hub talks to it alone and keeps its downloads in `tmp_path / "cache"`."""
    from huggingface_hub import constants

    from engine.checkpoints import hub

    server = serve()
    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "WAIT_S", 0.001)
    yield server
    server.shutdown()
    server.server_close()
