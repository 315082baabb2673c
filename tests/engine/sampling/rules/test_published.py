"""Every family's rule against the same rule written out as its authors run it: one text at a time, without cache.

Written from the papers and the reference decoders' behaviour, in the plainest way: every forward computes the whole
sequence anew. Our answers are all written in one call, so that they share forwards. In both, a mask is never an answer.
"""

import dataclasses

import pytest
import torch

from engine.checkpoints.families.registry import FAMILIES
from engine.sampling.rules.writer import writer
from tests.engine.sampling.rules.conftest import DELETE, IDS, INSERT, MASK, STOP, cases

FAMILY = {family.name: family for family in FAMILIES}
BLOCK = 4


def read(network, ids, mask=None):
    """Logits of a whole sequence."""
    ids = torch.tensor([ids])
    positions = torch.arange(ids.shape[1])[None]
    logits = network.logits(network(ids, positions, None if mask is None else mask[None]))[0]
    logits[:, MASK] = -torch.inf
    return logits


def causal_blocks(length, block):
    of = torch.arange(length) // block
    return of[None, :] <= of[:, None]


def best(confidence, count):
    """The most confident places, masks only."""
    order = sorted(confidence, key=lambda i: -confidence[i])
    return order[:count]


def stable_diffcoder(network, prompt, most, threshold):
    x = [*prompt, *[MASK] * most]
    x += [MASK] * (-len(x) % BLOCK)
    for start in range(len(prompt) // BLOCK * BLOCK, len(x), BLOCK):
        end = start + BLOCK
        while MASK in x[start:end]:
            logits = read(network, x[:end], causal_blocks(end, BLOCK))
            p = logits.to(torch.float64).softmax(-1)
            x0 = logits.argmax(-1)
            confidence = {i: float(p[i, x0[i]]) for i in range(start, end) if x[i] == MASK}
            order = best(confidence, len(confidence))
            for i in order[:1] + [i for i in order[1:] if confidence[i] >= threshold]:
                x[i] = int(x0[i])
    return x[len(prompt) :]


def count_or_threshold(network, prompt, most, threshold, block, edits=None):
    """SDAR and LLaDA2; with `edits`, LLaDA2.1."""
    x = [*prompt, *[MASK] * most]
    x += [MASK] * (-len(x) % block)
    for start in range(len(prompt) // block * block, len(x), block):
        end, post = start + block, 0
        while True:
            masks = [i for i in range(start, end) if x[i] == MASK]
            if not masks and edits is None:
                break
            post += not masks
            if post > 16:
                break
            logits = read(network, x[:end], causal_blocks(end, block))
            p, x0 = logits.softmax(-1).max(-1)
            confidence = {i: float(p[i]) for i in masks}
            above = [i for i in masks if p[i] > threshold]
            chosen = above if len(above) >= 1 else best(confidence, 1)
            changed = []
            if edits is not None:
                visible = [i for i in range(start, end) if x[i] != MASK and i >= len(prompt)]
                changed = [i for i in visible if p[i] > edits and int(x0[i]) != x[i]]
            for i in chosen + changed:
                x[i] = int(x0[i])
            if not masks and not changed:
                break
    return x[len(prompt) :]


def joint_with_edits(network, prompt, most, threshold, edits, block, seen_to=None):
    """LLaDA2.2, as SGLang's JointThresholdInDel is described; `seen_to` counts what happens."""
    counts = {} if seen_to is None else seen_to
    x = [*prompt, *[MASK] * most]
    x += [MASK] * (-len(x) % block)
    for start in range(len(prompt) // block * block, len(x), block):
        end, post, known, sampled = start + block, 0, set(), {}
        original = [x[i] == MASK for i in range(start, end)]
        for step in range(block + 17):
            logits = read(network, x[:end], causal_blocks(end, block))[start:]
            p, x0 = logits.softmax(-1).max(-1)
            x0 = x0.tolist()
            old = x[start:end]
            masks = [i for i in range(block) if old[i] == MASK]
            old_masks = [i for i in masks if original[i]]
            post += not old_masks
            force = post > 16 or step == block + 16
            counts["out of steps"] = counts.get("out of steps", 0) + (force and post <= 16)
            if force:
                for i in range(block):
                    if x0[i] in (DELETE, INSERT):
                        counts["cleaned"] = counts.get("cleaned", 0) + 1
                        allowed = logits[i].clone()
                        allowed[[DELETE, INSERT]] = -torch.inf
                        x0[i] = int(allowed.argmax())
            need = 1 + len(masks) - len(old_masks)
            high = [i for i in masks if p[i] > threshold]
            transfer = masks
            if old_masks and not force:
                which = "above" if len(high) >= need else "fewest"
                counts[which] = counts.get(which, 0) + 1
                transfer = high if which == "above" else best({i: float(p[i]) for i in masks}, need)
            for i in range(block):
                if start + i >= len(prompt) and old[i] != MASK and p[i] > edits and x0[i] != old[i]:
                    transfer = [*transfer, i]
            if not transfer:
                break
            if tuple(old) in known and not force:
                counts["circles"] = counts.get("circles", 0) + 1
                weakest = min(sorted(transfer), key=lambda i: float(p[i]))
                allowed = logits[weakest].clone()
                allowed[list(sampled.get(weakest, ()))] = -torch.inf
                x0[weakest] = int(allowed.argmax())
            known.add(tuple(old))
            made, flags = [], []
            for i in range(block):
                token = x0[i] if i in transfer else old[i]
                if i in transfer:
                    sampled.setdefault(i, set()).add(token)
                if i in transfer and token == DELETE:
                    counts["deletes"] = counts.get("deletes", 0) + 1
                    continue
                if i in transfer and token == INSERT:
                    counts["inserts"] = counts.get("inserts", 0) + 1
                    made, flags, token = [*made, MASK], [*flags, False], old[i]
                made, flags = [*made, token], [*flags, original[i]]
            x[start:end] = [*made, *[MASK] * block][:block]
            original = [*flags, *[False] * block][:block]
            if force:
                break
    return x[len(prompt) :]


def fast_dllm(network, prompt, most, threshold, block, part):
    x = list(prompt)
    while len(x) < len(prompt) + most:
        if len(x) % block == 0:
            x.append(int(read(network, x, causal_blocks(len(x), block))[-1].argmax()))
        start = len(x) // block * block
        end = start + block
        x += [MASK] * (end - len(x))
        for first in range(start, end, part):
            while MASK in x[first : first + part]:
                logits = read(network, x, causal_blocks(end, block))
                logits = torch.cat([logits[:1], logits[:-1]])
                p, x0 = logits.softmax(-1).max(-1)
                masks = [i for i in range(first, first + part) if x[i] == MASK]
                sure = [i for i in masks if p[i] > threshold]
                for i in {*sure, *best({i: float(p[i]) for i in masks}, 1)}:
                    x[i] = int(x0[i])
    return x[len(prompt) :]


def nemotron(network, prompt, most, threshold, block):
    x = list(prompt)
    while len(x) < len(prompt) + most:
        past = torch.ones(len(x), len(x), dtype=torch.bool).tril()
        x.append(int(read(network, x, past)[-1].argmax()))
        start, end = len(x) - 1, len(x) - 1 + block
        x += [MASK] * (block - 1)
        mask = torch.ones(end, end, dtype=torch.bool).tril()
        mask[start:, start:] = True
        while MASK in x:
            logits = read(network, x, mask)
            p, x0 = logits.softmax(-1).max(-1)
            confidence = {i: float(p[i]) for i in range(start, end) if x[i] == MASK}
            order = best(confidence, len(confidence))
            for i in order[:1] + [i for i in order[1:] if p[i] >= threshold]:
                x[i] = int(x0[i])
    return x[len(prompt) :]


def llada(network, prompt, most, block):
    length = -(-most // block) * block
    x = [*prompt, *[MASK] * length]
    for start in range(len(prompt), len(x), block):
        for _ in range(block):
            logits = read(network, x)
            p, x0 = logits.softmax(-1).max(-1)
            (i,) = best({i: float(p[i]) for i in range(start, start + block) if x[i] == MASK}, 1)
            x[i] = int(x0[i])
    return x[len(prompt) :]


def dream(network, prompt, most, top_p):
    x = [*prompt, *[MASK] * most]
    times = torch.linspace(1, 1e-3, most + 1)
    for step in range(most):
        masks = [i for i in range(len(x)) if x[i] == MASK]
        logits = read(network, x)
        logits = torch.cat([logits[:1], logits[:-1]])
        if top_p < 1:
            ordered, order = logits.sort(descending=True)
            remove = ordered.softmax(-1).cumsum(-1) > top_p
            remove[:, 1:] = remove[:, :-1].clone()
            remove[:, 0] = False
            for row in range(len(x)):
                logits[row, order[row, remove[row]]] = torch.finfo(torch.float32).min
        p = logits.softmax(-1)
        entropy = (p * (p + 1e-10).log()).sum(-1)
        t, s = times[step], times[step + 1]
        left = torch.tensor(len(masks)) / 1
        number = int(left * (1 - s / t)) if step < most - 1 else int(left)
        for i in best({i: float(entropy[i]) for i in masks}, number):
            x[i] = int(p[i].argmax())
    return x[len(prompt) :]


def next_token(network, prompt, most):
    x = list(prompt)
    for _ in range(most):
        past = torch.ones(len(x), len(x), dtype=torch.bool).tril()
        x.append(int(read(network, x, past)[-1].argmax()))
    return x[len(prompt) :]


def thresholds(name, value, edits=None):
    return dataclasses.replace(FAMILY[name].rule, threshold=value, edit_threshold=edits)


PUBLISHED = {
    "stable-diffcoder": (BLOCK, 0.6, None, lambda n, p, m: stable_diffcoder(n, p, m, 0.6)),
    "sdar": (BLOCK, 0.6, None, lambda n, p, m: count_or_threshold(n, p, m, 0.6, BLOCK)),
    "sdar-moe": (8, 0.5, None, lambda n, p, m: count_or_threshold(n, p, m, 0.5, 8)),
    "llada2": (8, 0.7, None, lambda n, p, m: count_or_threshold(n, p, m, 0.7, 8)),
    "llada2.1": (8, 0.5, 0.4, lambda n, p, m: count_or_threshold(n, p, m, 0.5, 8, 0.4)),
    "llada2.2": (8, 0.5, 0.3, lambda n, p, m: joint_with_edits(n, p, m, 0.5, 0.3, 8)),
    "fast-dllm-v2": (8, 0.6, None, lambda n, p, m: fast_dllm(n, p, m, 0.6, 8, 4)),
    "nemotron-labs-diffusion": (8, 0.6, None, lambda n, p, m: nemotron(n, p, m, 0.6, 8)),
    "llada": (BLOCK, None, None, lambda n, p, m: llada(n, p, m, BLOCK)),
    "illada": (8, None, None, lambda n, p, m: llada(n, p, m, 8)),
    "dream-coder": (8, None, None, lambda n, p, m: dream(n, p, m, 0.95)),
    "diffucoder": (8, None, None, lambda n, p, m: dream(n, p, m, 0.95)),
    "open-dcoder": (8, None, None, lambda n, p, m: dream(n, p, m, 1.0)),
    "coda": (8, None, None, lambda n, p, m: dream(n, p, m, 1.0)),
    "llama": (1, None, None, next_token),
    "qwen2": (1, None, None, next_token),
    "qwen3": (1, None, None, next_token),
    "qwen3-moe": (1, None, None, next_token),
}


def test_every_family_that_is_loaded_has_its_published_rule_here():
    written_here = {name for name, family in FAMILY.items() if not family.through}
    assert sorted(PUBLISHED) == sorted(written_here)


def rule_of(name):
    _, threshold, edits, _ = PUBLISHED[name]
    rule = FAMILY[name].rule
    changes = {"threshold": threshold, "edit_threshold": edits, "part": rule.part and 4}
    return dataclasses.replace(rule, **changes)


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_tokens_are_those_of_the_published_rule(name, tiny):
    block, _, _, published = PUBLISHED[name]
    asked = cases()
    ours = writer(tiny, FAMILY[name], IDS, block, rule=rule_of(name)).write(asked)
    with torch.inference_mode():
        for writing, written in zip(asked, ours, strict=True):
            theirs = published(tiny, writing.prompt, writing.most)[: writing.most]
            end = theirs.index(STOP) if STOP in theirs else len(theirs)
            assert (written.tokens, written.is_whole) == (theirs[:end], STOP in theirs)


@pytest.mark.parametrize("name", ["stable-diffcoder", "sdar", "llada2", "llada2.1", "fast-dllm-v2"])
def test_the_threshold_matters_in_these_cases(name, tiny):
    """Else equality would say little: some forwards fill several tokens, some only one."""
    block, *_ = PUBLISHED[name]
    asked = [dataclasses.replace(writing, most=16) for writing in cases(30)]
    made = writer(tiny, FAMILY[name], IDS, block, rule=rule_of(name)).write(asked)
    each = [len(w.tokens) / w.rounds for w in made if w.tokens]
    assert min(each) < 1.4 < 1.7 < max(each)


@pytest.mark.slow
def test_the_cases_delete_insert_and_go_in_circles(tiny):
    """Else their equality would not speak of that."""
    counts = {}
    with torch.inference_mode():
        for writing in cases():
            joint_with_edits(tiny, writing.prompt, writing.most, 0.5, 0.3, 8, counts)
    assert {"deletes", "inserts", "circles", "cleaned", "out of steps", "above", "fewest"} == counts.keys()
    assert min(counts.values()) > 3


def test_blocks_choose_their_experts_whatever_shares_the_forward(routed):
    """In one forward there are a draft's blocks, the same under way, and those of other answers."""
    block, *_, published = PUBLISHED["llada2.2"]
    asked = cases(6, most=(20, 30))

    def made(asked):
        return writer(routed, FAMILY["llada2.2"], IDS, block, rule=rule_of("llada2.2")).write(asked)

    plain = made(asked)
    with torch.inference_mode():
        for writing, written in zip(asked, plain, strict=True):
            theirs = published(routed, writing.prompt, writing.most)[: writing.most]
            assert written.tokens == theirs[: len(written.tokens)]
    drafted = made([dataclasses.replace(w, draft=p.tokens) for w, p in zip(asked, plain, strict=True)])
    assert [w.tokens for w in drafted] == [w.tokens for w in plain]
    assert sum(w.forwards for w in drafted) < sum(w.forwards for w in plain)
