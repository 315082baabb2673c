"""Downloads from a server of our own that speaks the hub's protocol, and what goes wrong on the way."""

import errno
import os
import resource
import shutil

import pytest
import torch
from huggingface_hub import constants

from engine.checkpoints import hub, store
from engine.checkpoints.hub import pull
from engine.checkpoints.loading import load
from engine.checkpoints.store import Wanted
from engine.errors import CheckpointError
from tests.engine.checkpoints.families.test_logits import llada_shapes
from tests.engine.checkpoints.families.vendors import CONFIGS, random_state, write
from tests.engine.checkpoints.hub_server import COMMIT, digest

REPO = "tiny/LLaDA"
WANTED = Wanted(REPO)
CONFIG = CONFIGS["llada"]
STATE = random_state(llada_shapes(CONFIG))
SHARD = "model-00002-of-00003.safetensors"


@pytest.fixture
def files(server, tmp_path):
    """What the server has: a checkpoint in three shards, and what must not be asked for."""
    folder = write(tmp_path / "vendor", CONFIG, STATE, shards=3)
    (folder / "tokenizer.json").write_text("{}")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    (folder / "consolidated.safetensors").write_bytes(b"twice")
    (folder / "README.md").write_text("words")
    server.repos[REPO] = {path.name: path.read_bytes() for path in folder.iterdir()}
    server.licences[REPO] = "mit"
    return server.repos[REPO]


def refused(words, wanted=WANTED):
    with pytest.raises(CheckpointError, match=words) as caught:
        pull(wanted)
    assert "\n" not in str(caught.value)
    assert store.find(wanted) is None
    assert store.downloads() == []
    assert not list(wanted.home.glob("snapshots/*/*")), "a half download is no folder of a model"
    return str(caught.value)


def assert_whole(download):
    network = load(download.folder, device="cpu", dtype=torch.float32).network
    assert torch.equal(network.embedding.weight, STATE["model.transformer.wte.weight"])
    assert download.damaged() == []
    download.check()


class TestNames:
    @pytest.mark.parametrize("text", ["a/b", "org/Name-1.5_x", "org/name@main", "org/name@refs/pr/1"])
    def test_of_the_hub(self, text):
        wanted = Wanted.read(text)
        assert wanted is not None
        assert str(wanted) == text

    @pytest.mark.parametrize(
        "text",
        ["a", "/a/b", "./a", "../a/b", "a/..", "a/b/c", "a/b@", "a/b@../x", "~/m", "a b/c", "a/b\n", ""],
    )
    def test_that_are_none(self, text):
        assert Wanted.read(text) is None


class TestPull:
    def test_a_checkpoint_arrives_whole(self, server, files):
        told = []
        download = pull(WANTED, lambda *line: told.append(line))
        assert_whole(download)
        assert (download.repo, download.commit, download.licence) == (REPO, COMMIT, "mit")
        assert store.find(WANTED) == store.find(Wanted(REPO, COMMIT)) == download
        assert store.downloads() == [download]
        assert told[-1][1:] == (download.size, download.size)

    def test_nothing_is_asked_for_but_weights_json_and_tokenizer(self, server, files):
        pull(WANTED)
        asked = server.fetched()
        assert {"config.json", "tokenizer.json", SHARD} <= asked
        assert not asked & {"pytorch_model.bin", "modeling_llada.py", "README.md", "consolidated.safetensors"}
        assert not list(WANTED.home.rglob("*.py"))

    def test_again_fetches_nothing(self, server, files):
        download = pull(WANTED)
        server.asked.clear()
        assert pull(WANTED) == download
        assert server.fetched() == set()

    def test_what_another_tool_downloaded_is_used(self, server, files, monkeypatch):
        from huggingface_hub import hf_hub_download

        for name in [name for name in files if name.endswith((".json", ".safetensors"))]:
            hf_hub_download(REPO, name)
        assert store.find(WANTED) is None, "nobody has looked at its checksums"
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        assert_whole(pull(WANTED))

    def test_another_tool_reads_ours(self, server, files, monkeypatch):
        from huggingface_hub import hf_hub_download

        folder = pull(WANTED).folder
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        assert hf_hub_download(REPO, SHARD) == str(folder / SHARD)

    def test_a_revision(self, server, files):
        assert pull(Wanted(REPO, COMMIT)).commit == COMMIT
        assert store.find(WANTED) is None, "the main branch may be another"

    def test_one_file_of_weights(self, server, files, tmp_path):
        folder = write(tmp_path / "one", CONFIG, STATE)
        server.repos[REPO] = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert_whole(pull(WANTED))


class TestConnections:
    def test_cut_ones_are_resumed(self, server, files):
        server.cut_after, server.cuts = 2000, 20
        assert_whole(pull(WANTED))
        assert server.cuts == 0
        assert any(rng and rng != "bytes=0-" for rng in server.served()), "nothing was asked for twice"

    def test_a_server_without_ranges(self, server, files):
        server.cut_after, server.cuts, server.knows_ranges = 2000, 4, False
        assert_whole(pull(WANTED))

    def test_one_that_brings_nothing_is_given_up_and_gone_on_with_later(self, server, files):
        server.cut_after, server.cuts = 2000, 1
        server.knows_ranges = True
        cut_for_good(server)
        words = refused(
            "tiny/LLaDA: the hub cannot be reached .*; `seed models pull tiny/LLaDA` goes on from"
        )
        assert "closed" in words or "without sending" in words
        assert list(WANTED.home.glob("blobs/*.seed-partial"))
        server.cuts, server.cut_after = 0, None
        server.asked.clear()
        assert_whole(pull(WANTED))
        assert any(server.served()), "it began anew"
        assert not list(WANTED.home.glob("blobs/*.seed-partial"))

    def test_a_busy_server_is_asked_again(self, server, files):
        server.busy = 3
        assert_whole(pull(WANTED))

    def test_a_server_that_stays_busy_is_given_up(self, server, files):
        server.busy = 1000
        refused("tiny/LLaDA: the hub answers 503")
        assert 1000 - server.busy == hub.TRIES

    def test_no_network(self, server, files):
        server.shutdown()
        server.server_close()
        refused("tiny/LLaDA: the hub cannot be reached")

    def test_offline(self, server, files, monkeypatch):
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        refused("tiny/LLaDA is not here, and offline mode is on; unset HF_HUB_OFFLINE")
        assert server.asked == []

    def test_offline_with_a_download(self, server, files, monkeypatch):
        download = pull(WANTED)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        assert (pull(WANTED), store.find(WANTED)) == (download, download)


def cut_for_good(server):
    """From the next file on every connection brings nothing more."""
    server.cut_after, server.cuts = 0, 10**6
    original = server.RequestHandlerClass.content

    def content(self, repo, name, body):
        if name == SHARD:
            server.cut_after = 0 if self.headers.get("Range") else 2000
            return original(self, repo, name, body)
        cuts, server.cuts = server.cuts, 0
        original(self, repo, name, body)
        server.cuts = cuts

    server.RequestHandlerClass = type("Cutting", (server.RequestHandlerClass,), {"content": content})


class TestChecksums:
    def test_a_wrong_one_is_refused_and_deleted(self, server, files):
        server.wrong.add(SHARD)
        refused(rf"tiny/LLaDA: {SHARD} arrived with another checksum than the hub names")
        assert not list(WANTED.home.glob("blobs/*.seed-partial"))
        server.wrong.clear()
        assert_whole(pull(WANTED))

    def test_of_a_small_file(self, server, files):
        server.wrong.add("tokenizer.json")
        refused("tokenizer.json arrived with another checksum")

    def test_a_damaged_beginning_is_fetched_anew(self, server, files):
        server.wrong.add(SHARD)
        refused("checksum")
        partial = WANTED.home / "blobs" / f"{digest(files[SHARD])}.seed-partial"
        partial.write_bytes(b"\0" * 100)
        server.wrong.clear()
        assert_whole(pull(WANTED))

    def test_a_blob_that_was_damaged_here_is_fetched_anew(self, server, files):
        download = pull(WANTED)
        path = (download.folder / SHARD).resolve()
        path.write_bytes(b"\0" * path.stat().st_size)
        assert download.damaged() == [SHARD]
        assert_whole(pull(WANTED))

    def test_a_file_that_is_gone(self, server, files):
        download = pull(WANTED)
        (download.folder / SHARD).resolve().unlink()
        with pytest.raises(CheckpointError, match=rf"{SHARD} is gone; run `seed models pull tiny/LLaDA@0123"):
            download.check()


class TestDisk:
    def test_too_small_a_disk_is_told_before_weights_are_fetched(self, server, files, monkeypatch):
        usage = shutil.disk_usage("/")
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1 << 20))
        refused(r"does not fit on the disk of .*: 0\.00 GiB to fetch, 0\.00 GiB free; .* HF_HUB_CACHE")
        assert SHARD not in server.fetched()

    def test_a_full_disk(self, server, files):
        """A limit on files' lengths stops writing where a full disk would."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, limits[1]))
        try:
            refused(
                "tiny/LLaDA: the disk of .* is full; free some, and `seed models pull tiny/LLaDA` goes on"
            )
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        server.asked.clear()
        assert_whole(pull(WANTED))
        assert any(server.served()), "what had arrived was thrown away"

    @pytest.mark.parametrize("number", hub.NO_ROOM)
    def test_the_numbers_of_a_full_disk(self, number):
        assert number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

    def test_no_permission(self, server, files, tmp_path):
        (tmp_path / "cache").write_text("a file, where a folder is to be made")
        refused(r"tiny/LLaDA: .*cache.* cannot be written: ")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_of_others(self, server, files, tmp_path):
        (tmp_path / "cache").mkdir(mode=0o500)
        refused(r"tiny/LLaDA: .*cache.* cannot be written: Permission denied")


class TestRefusals:
    def test_no_such_repository(self, server):
        refused("the hub has no tiny/nosuch, or shows it only to others", Wanted("tiny/nosuch"))

    def test_no_such_revision(self, server, files):
        refused("tiny/LLaDA has no revision 'nosuch'", Wanted(REPO, "nosuch"))

    def test_terms_to_accept(self, server):
        server.refusals[REPO] = (403, "GatedRepo")
        refused("accept its terms at https://huggingface.co/tiny/LLaDA and set HF_TOKEN")

    def test_a_server_that_fails(self, server):
        server.refusals[REPO] = (500, "")
        refused("tiny/LLaDA: the hub answers 500")

    def test_pickles_only(self, server, files):
        for name in [name for name in files if name.startswith("model")]:
            del files[name]
        refused("has its weights as pickles only .'pytorch_model.bin'., .*nothing was fetched")

    def test_no_weights(self, server, files):
        for name in [name for name in files if name.startswith(("model", "pytorch"))]:
            del files[name]
        refused("has no weights")

    def test_no_config(self, server, files):
        del files["config.json"]
        refused("has no config.json")

    def test_an_unknown_family_before_its_weights(self, server, files):
        files["config.json"] = b'{"model_type": "gpt2"}'
        refused("model_type 'gpt2' .* is of no known family")
        assert server.fetched() == {"config.json"}

    def test_a_digest_that_would_name_another_file(self, server, files, tmp_path):
        victim = WANTED.home / "blobs" / "../../../victim.txt"
        (WANTED.home / "blobs").mkdir(parents=True)
        victim.write_text("mine")
        server.digests["config.json"] = "../../../victim.txt"
        refused("has no config.json")
        assert victim.read_text() == "mine"
        with pytest.raises(ValueError, match="no digest"):
            store.blob(WANTED, store.RemoteFile("config.json", 4, "../../../victim.txt"))

    @pytest.mark.parametrize("table", ['{"a": 1, "b": "x.safetensors"}', '{"a": ["x"]}', '["x"]'])
    def test_an_odd_index(self, server, files, table):
        files["model.safetensors.index.json"] = f'{{"weight_map": {table}}}'.encode()
        refused("model.safetensors.index.json names ")

    @pytest.mark.parametrize(
        "name", ["../../x.safetensors", "sub/x.safetensors", "nosuch.safetensors", "run.py"]
    )
    def test_an_index_that_names_what_is_not_there(self, server, files, name):
        files["model.safetensors.index.json"] = f'{{"weight_map": {{"a": "{name}"}}}}'.encode()
        files["run.py"] = b"raise SystemExit"
        refused("model.safetensors.index.json names ")
        assert "run.py" not in server.fetched()


class TestRemoval:
    def test_what_another_revision_uses_stays(self, server, files):
        first = pull(WANTED)
        server.commit = "f" * 40
        files["config.json"] += b"\n"
        second = pull(WANTED)
        assert store.find(WANTED) == second
        freed = store.remove(first)
        assert 0 < freed < 4000
        assert_whole(second)
        assert store.downloads() == [second]
        store.remove(second)
        assert not WANTED.home.exists()

    def test_a_record_cut_short_is_none(self, server, files):
        download = pull(WANTED)
        download.record.write_text(download.record.read_text()[:50])
        assert store.find(WANTED) is None
        assert_whole(pull(WANTED))
