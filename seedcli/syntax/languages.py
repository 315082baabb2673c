"""The languages whose text can be read: their suffixes, their grammars, and what a grammar calls things.

Python's grammar comes with Seed, the others with the extra `seedcli[languages]`; a language whose grammar is not
installed is not read, and nobody has to ask. Knows nothing of files.
"""

import functools
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

import tree_sitter


@dataclass(frozen=True, slots=True)
class Language:
    """One language, in its grammar's words."""

    name: str
    suffixes: tuple[str, ...]
    module: str
    """Python module of the grammar."""
    functions: tuple[str, ...]
    """Nodes that define something to be called."""
    classes: tuple[str, ...]
    """Nodes that define something with members."""
    references: tuple[str, ...]
    """Leaves that name something."""
    imports: tuple[str, ...]
    entry: str = "language"
    """Function of the module that gives the grammar."""


_SCRIPT_FUNCTIONS = (
    "function_declaration", "generator_function_declaration", "method_definition",
    "(variable_declarator value: [(arrow_function) (function_expression)])",
)  # fmt: skip
_TYPED_CLASSES = (
    "class_declaration", "abstract_class_declaration", "interface_declaration", "type_alias_declaration",
    "enum_declaration", "internal_module",
)  # fmt: skip
_SCRIPT_NAMES = ("identifier", "property_identifier", "shorthand_property_identifier")
_SCRIPT_IMPORTS = ("import_statement", '(call_expression function: (identifier) @_f (#eq? @_f "require"))')
_C_CLASSES = ("(struct_specifier body: (_))", "(enum_specifier body: (_))", "(union_specifier body: (_))")
_C_NAMES = ("identifier", "field_identifier", "type_identifier")

LANGUAGES: tuple[Language, ...] = (
    Language(
        "python", (".py", ".pyi", ".pyw"), "tree_sitter_python",
        ("function_definition",), ("class_definition",), ("identifier",),
        ("import_statement", "import_from_statement"),
    ),
    Language(
        "javascript", (".js", ".jsx", ".mjs", ".cjs"), "tree_sitter_javascript",
        _SCRIPT_FUNCTIONS, ("class_declaration",), _SCRIPT_NAMES, _SCRIPT_IMPORTS,
    ),
    Language(
        "typescript", (".ts", ".mts", ".cts"), "tree_sitter_typescript",
        (*_SCRIPT_FUNCTIONS, "function_signature"), _TYPED_CLASSES, (*_SCRIPT_NAMES, "type_identifier"),
        _SCRIPT_IMPORTS, "language_typescript",
    ),
    Language(
        "tsx", (".tsx",), "tree_sitter_typescript",
        (*_SCRIPT_FUNCTIONS, "function_signature"), _TYPED_CLASSES, (*_SCRIPT_NAMES, "type_identifier"),
        _SCRIPT_IMPORTS, "language_tsx",
    ),
    Language(
        "go", (".go",), "tree_sitter_go",
        ("function_declaration", "method_declaration"), ("type_spec",),
        ("identifier", "field_identifier", "type_identifier", "package_identifier"), ("import_spec",),
    ),
    Language(
        "rust", (".rs",), "tree_sitter_rust",
        ("function_item", "function_signature_item", "macro_definition"),
        ("struct_item", "enum_item", "trait_item", "impl_item", "mod_item", "type_item"),
        ("identifier", "field_identifier", "type_identifier"), ("use_declaration",),
    ),
    Language(
        "java", (".java",), "tree_sitter_java",
        ("method_declaration", "constructor_declaration"),
        ("class_declaration", "interface_declaration", "enum_declaration", "record_declaration"),
        ("identifier", "type_identifier"), ("import_declaration",),
    ),
    Language(
        "c", (".c", ".h"), "tree_sitter_c",
        ("function_definition",), _C_CLASSES, _C_NAMES, ("preproc_include",),
    ),
    Language(
        "cpp", (".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx"), "tree_sitter_cpp",
        ("function_definition",), (*_C_CLASSES, "(class_specifier body: (_))", "namespace_definition"),
        (*_C_NAMES, "namespace_identifier"), ("preproc_include",),
    ),
    Language(
        "ruby", (".rb", ".rake"), "tree_sitter_ruby",
        ("method", "singleton_method"), ("class", "module"), ("identifier", "constant"),
        ('(call method: (identifier) @_m (#any-of? @_m "require" "require_relative"))',),
    ),
    Language(
        "shell", (".sh", ".bash"), "tree_sitter_bash",
        ("function_definition",), (), ("(command_name (word) @reference)", "variable_name"),
        ('(command name: (command_name (word) @_c) (#any-of? @_c "source" "."))',),
    ),
)  # fmt: skip

_BY_SUFFIX: Mapping[str, Language] = {suffix: lang for lang in LANGUAGES for suffix in lang.suffixes}


@dataclass(frozen=True, slots=True)
class Grammar:
    """A language that can be read here."""

    language: Language
    parser: tree_sitter.Parser
    query: tree_sitter.Query
    """Captures `function`, `class`, `reference`, `import`."""


def language_of(path: str) -> Language | None:
    """The language that a file of this name is in, whether or not it can be read here."""
    return _BY_SUFFIX.get(PurePath(path).suffix)


def suffixes() -> tuple[str, ...]:
    """The suffixes of the languages that can be read here."""
    return tuple(suffix for suffix, lang in _BY_SUFFIX.items() if grammar_of(lang) is not None)


@functools.cache
def grammar_of(language: Language) -> Grammar | None:
    """None where the language's grammar is not installed."""
    try:
        module = importlib.import_module(language.module)
    except ImportError:
        return None
    spoken = tree_sitter.Language(getattr(module, language.entry)())
    return Grammar(language, tree_sitter.Parser(spoken), tree_sitter.Query(spoken, _query(language)))


def _query(language: Language) -> str:
    kinds = {
        "function": language.functions,
        "class": language.classes,
        "reference": language.references,
        "import": language.imports,
    }
    return "\n".join(_pattern(node, kind) for kind, nodes in kinds.items() for node in nodes)


def _pattern(node: str, capture: str) -> str:
    if f"@{capture}" in node:
        return node
    if "(#" in node:
        # A predicate stands in the group beside the node that it speaks of.
        pattern, _, predicate = node[:-1].partition(" (#")
        return f"({pattern}) @{capture} (#{predicate})"
    return f"{node} @{capture}" if node.startswith("(") else f"({node}) @{capture}"
