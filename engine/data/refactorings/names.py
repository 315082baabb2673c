"""Identifiers such as people choose, for the new names of a rename. Knows nothing of syntax trees."""

import builtins
import keyword
import random
import re
from collections.abc import Sequence


def _words(text: str) -> list[str]:
    return text.split()


_NOUNS = _words(
    """
    account action actor address age agent alias amount anchor angle answer archive area arg array asset
    attempt author axis backend balance bar base batch bin bit blob block board body bound box branch
    bucket budget buffer bundle button byte cache call callback card cart case category cell chain channel
    char chart check child choice chunk city class_name client clock code color column command comment
    commit component condition config connection constant consumer contact container content context
    control cookie coord copy core corner cost count counter country coupon criteria cursor curve cycle
    data database dataset date day deadline default degree delay delta depth deps description detail
    device diff digest digit direction directory distance doc document domain driver duration edge element
    email encoder encoding end endpoint engine entity entry env epoch error event example exc exception
    expected experiment expr extension extra factor feature fee field file filename filepath filter
    fixture flag folder font form fraction frame func function gap gate goal grade gradient graph grid
    group guess guest handle handler hash header height history hook host hour icon id_ identifier image
    index info initial inner input_data instance interval invoice issue item iterator job join json_data
    key kind label lang language layer layout leaf left length letter level library limit line link
    listener loader location lock logger loop lower manager mapping margin mark marker mask match matrix
    maximum mean median member memo message meta metadata method metric mid minimum minute mode model
    module moment month name namespace needle neighbor network node note notice number obj object_id
    offset operand operation operator option order origin other outcome outer output owner package padding
    page pair panel param parent parser part partner patch path pattern payload peer percent period
    permission person phase phone photo piece pixel place plan player plugin point policy pool port
    position post predicate prefix price priority probe process producer product profile progress project
    property provider proxy quantity query queue quota radius range_ rank rate ratio reader reason receipt
    record reference region registry relation remainder remote repo report request resource response
    result retry review right role root route row rule sample scale scene schedule schema scope score
    screen script section seed segment selection sender sensor sequence serializer server service session
    setting shape share shift shop side signal signature size slice_ slot snapshot socket source span spec
    speed spot stack stage start state station status step stock storage store stream string strategy
    style subject subtotal suffix summary symbol table tag target task team template temp tenant term test
    text theme thread threshold ticket tile time timeout timer timestamp title token tool topic total
    trace track transfer transform tree trial trigger tuple_ turn type_name unit update upper url usage
    user value variable variant vector vendor version vertex view visitor volume wait warning watcher
    weight widget width window word worker wrapper writer year zone
    """
)

_PLURALS = _words(
    """
    args bits blocks bytes_ cells chars chunks clients columns counts entries errors events fields files
    flags groups headers ids indices items keys kwargs_ labels layers lines links lists logs matches
    members messages names nodes nums numbers objects offsets options orders pages pairs params parts
    paths patterns pieces points records results rows rules samples scores segments sources states steps
    strings tags tasks terms tokens users values vars_ words
    """
)

_SHORT = _words(
    """
    a acc addr arr b buf c cb cfg cfg_path cmd cnt col conn ctx cur curr d db dest dir_ dst e el elem err
    exc f fd fh fmt fn g h hdr idx k lhs lo hi lst m mod msg n node_ num obj op opts out p pos pred prev
    ptr pw q r rec ref reg req res ret rhs rv s sep seq src st sub sz t tbl tmp ts u uid v val vals var w
    x y z
    """
)

_ADJECTIVES = _words(
    """
    active actual all available base best cached cleaned common current custom default effective empty
    encoded expected external filtered final first full global_ initial inner internal is_valid last left
    local main max merged min missing my_ new next normalized old original other outer parsed pending
    previous primary raw remaining right sorted target temp total unique updated valid
    """
)

_VERBS = _words(
    """
    add apply assign attach build calculate call check clean clear close collect compile compute configure
    convert copy count create decode delete detect dispatch do draw emit encode ensure execute expand
    extract fetch fill filter find flush format gather generate get handle import_ init insert iterate
    join list_ load locate log lookup make map_ merge move normalize notify open_ pack parse patch perform
    pick populate prepare process pull push put query read receive reduce refresh register release remove
    render replace report request reset resolve restore retrieve run save scan search select send set_
    setup show sort split start stop store submit sync transform translate trim unpack update validate
    verify wait walk wrap write
    """
)

POOL: tuple[str, ...] = tuple(dict.fromkeys(_NOUNS + _PLURALS + _SHORT))
_RESERVED = (
    frozenset(keyword.kwlist) | frozenset(keyword.softkwlist) | frozenset(dir(builtins)) | {"self", "cls"}
)
_WORD = re.compile(r"\w+")


def fresh_name(
    old: str, text: str, rng: random.Random, *, verb: bool, names: Sequence[str] = ()
) -> str | None:
    """A name that stands nowhere in `text`, not even as part of a string, or None where the dice find none.

    Args:
        verb: whether it names a function.
        names: identifiers seen in real code, to draw from half of the time.
    """
    taken = set(_WORD.findall(text))
    underscore = "_" if old.startswith("_") and rng.random() < 0.7 else ""
    for _ in range(20):
        name = underscore + _draw(old.strip("_"), rng, verb, names).lstrip("_")
        if name.isidentifier() and name not in taken and name not in _RESERVED:
            return name
    return None


def identifiers(text: str) -> list[str]:
    """The words in `text` that could be somebody's names, in order of the alphabet."""
    return sorted({word for word in _WORD.findall(text) if word.isidentifier() and word not in _RESERVED})


def absent_name(text: str, rng: random.Random) -> str | None:
    """A name that stands nowhere in `text`, in a third of the cases near to one that does; None as `fresh_name`."""
    words = identifiers(text)
    if not words or rng.random() > 0.35:
        return fresh_name(rng.choice(POOL), text, rng, verb=rng.random() < 0.2)
    word = rng.choice(words)
    near = word.removesuffix("s") if word.endswith("s") else f"{word}s"
    if rng.random() < 0.5:
        near = _variation(word, rng)
    taken = near in _RESERVED or not near.isidentifier() or near in _WORD.findall(text)
    return None if taken else near


def _draw(old: str, rng: random.Random, verb: bool, names: Sequence[str]) -> str:
    choice = rng.random()
    if names and choice < 0.5:
        return rng.choice(names)
    if verb:
        return _phrase(rng) if choice < 0.9 else f"{rng.choice(_VERBS).rstrip('_')}_{old}"
    if choice < 0.75:
        return rng.choice(POOL)
    if choice < 0.85:
        return f"{rng.choice(_ADJECTIVES).rstrip('_')}_{rng.choice(_NOUNS + _PLURALS)}"
    return _variation(old, rng)


def _phrase(rng: random.Random) -> str:
    verb = rng.choice(_VERBS).rstrip("_")
    return verb if rng.random() < 0.1 else f"{verb}_{rng.choice(_NOUNS + _PLURALS)}"


def _variation(old: str, rng: random.Random) -> str:
    """The old name with a word more or less, as in most real renames."""
    words = old.split("_")
    if len(words) > 1 and rng.random() < 0.4:
        return "_".join(words[1:] if rng.random() < 0.5 else words[:-1])
    if rng.random() < 0.5:
        return f"{rng.choice(_ADJECTIVES).rstrip('_')}_{old}"
    return f"{old}_{rng.choice(_NOUNS)}"
