"""A stranger's chat template gives the frame of a question, and can do nothing else."""

import json

import pytest

from engine.checkpoints.chat import PLACEHOLDER, TokenizerConfig, turns
from engine.checkpoints.families.family import CHATML, Turns
from engine.errors import CheckpointError
from tests.engine.checkpoints.families.tiny_folders import CHATML as TEMPLATE


def frame(folder, template, **tokens):
    return turns(folder, TokenizerConfig(tokens, template), CHATML)


def test_a_template_is_rendered_with_the_tokens_that_it_names(tmp_path):
    template = (
        "{{ bos_token }}{%- if messages[0]['role'] == 'system' %}S{% else %}\n  D{% endif %}\n"
        "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}{{ eos_token }}{% endfor %}"
        "{% if add_generation_prompt %}A{% if enable_thinking is false %}<think></think>{% endif %}{% endif %}"
    )
    found = frame(tmp_path, template, bos_token="[B]", eos_token="[E]")
    assert found == Turns("[B]  D<user>", "[E]A<think></think>")


def test_the_date_is_always_the_same(tmp_path):
    template = "{{ strftime_now('%d %b %Y') }}: {{ messages[0].content }}"
    assert frame(tmp_path, template).before == "01 Jan 2025: "


def test_without_a_template_the_family_says(tmp_path):
    assert frame(tmp_path, None) is CHATML


@pytest.mark.parametrize(
    ("table", "files", "template"),
    [
        ({}, {}, None),
        ({"chat_template": "a"}, {}, "a"),
        ({"chat_template": [{"name": "x", "template": "b"}, {"name": "default", "template": "c"}]}, {}, "c"),
        ({"chat_template": [{"name": "x", "template": "b"}]}, {}, None),
        ({"chat_template": "a"}, {"chat_template.jinja": "d"}, "d"),
        ({"chat_template": "a"}, {"chat_template.json": json.dumps({"chat_template": "e"})}, "e"),
    ],
)
def test_where_templates_are_found(tmp_path, table, files, template):
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(table | {"eos_token": {"content": "</s>"}}))
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert TokenizerConfig.read(tmp_path) == TokenizerConfig({"eos_token": "</s>"}, template)


def test_a_folder_without_tokenizer_config_is_fine(tmp_path):
    assert TokenizerConfig.read(tmp_path) == TokenizerConfig({}, None)


@pytest.mark.parametrize("found", [3, {"a": 1}, True])
def test_a_template_that_is_no_text_is_refused(tmp_path, found):
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": found}))
    with pytest.raises(CheckpointError, match="chat_template is no text"):
        TokenizerConfig.read(tmp_path)


def test_a_template_elsewhere_is_not_read(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "m" / "chat_template.jinja").symlink_to(tmp_path / "secret")
    with pytest.raises(CheckpointError, match="is a link out of the folder"):
        TokenizerConfig.read(tmp_path / "m")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "SecurityError"),
        ("{{ messages.append(1) }}", "SecurityError"),
        ("{{ cycler.__init__.__globals__.os.system('touch ' + bos_token) }}", "SecurityError"),
        ("{% include '/etc/passwd' %}", "TypeError"),
        ("{% import 'os' as os %}", "TypeError"),
        ("{{ raise_exception('no\nthanks') }}", "TemplateError: no thanks"),
        ("{% for %}", "TemplateSyntaxError"),
        ("{{ 1 // 0 }}", "ZeroDivisionError"),
        ("{{ range(999999999) }}", "OverflowError"),
        (
            "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
            "takes more than 3 s or 1024 MiB",
        ),
        ("{{ 'a' * 9999999999 }}", "takes more than"),
        ("{% for i in range(99999) %}aaaaaaaaaaaaaaaa{% endfor %}", "writes more than 1048576 characters"),
        ("no message", "writes what the user says 0 times, not once"),
        ("{{ messages[0].content * 2 }}", "writes what the user says 2 times, not once"),
        ("a" * 300_000, "has 300000 characters; that is too many"),
    ],
)
def test_templates_that_attack_are_refused_in_one_line(tmp_path, template, words):
    mark = tmp_path / "ran"
    with pytest.raises(CheckpointError, match=words) as caught:
        frame(tmp_path, template, bos_token=str(mark))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert not mark.exists()


def test_the_placeholder_is_no_word_of_a_template():
    assert PLACEHOLDER not in TEMPLATE
