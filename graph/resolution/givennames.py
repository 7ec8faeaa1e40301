"""Given names: which tokens are one, and which are short for which.

The pairs come from the `nicknames` package (Northern and Crews, compiled from genealogical records), which is generous: it lists
bill under Robert and virginia under Jane. So a pair of it counts only where the short form is cut from the long one (rob,
katie); the well-known ones that are not (bob, peggy) are listed here.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from nicknames import name_triplets

_IRREGULAR: Final = """
robert bob bobby robt|william bill billy will wm|richard dick rick ricky|edward ted ned eddie teddy|edmund ned ted
edwin ned|margaret peggy peg meg maggie|elizabeth liz beth betty lizzie betsy libby eliza|james jim jimmy|henry harry hank
john jack johnny jon|charles chuck charlie chas
katherine kate kathy katie kit kay katy|catherine cathy kate cate|kathleen kathy kate|sarah sally|mary molly polly|anthony tony
eugene gene|george geo|lawrence larry|dorothy dot dottie dolly|alexander sasha sandy xander alex|alexandra sasha sandra lexi alex
theodore ted theo teddy|francis frank|martha patty|patricia patty trish tricia|nancy nan|michael mike mick|david dave
thomas tom tommy thos|andrew drew|benjamin ben|rebecca becky|stephen steve|steven steve|isabella bella|gabriella ella
christina tina|christine tina|abigail gail|albert bert|gilbert bert|frederick fred|alfred fred|veronica ronnie
natalia natasha|maria masha|ekaterina katya|dmitri dima|mikhail misha|ivan vanya|francisco paco pancho|jose pepe
guadalupe lupe|ignacio nacho|jesus chuy|eduardo edu lalo|roberto beto|enrique quique|concepcion concha|dolores lola
giuseppe beppe|luigi gigi|johannes hans|josef sepp|friedrich fritz|heinrich heinz|elisabeth lisa
"""
_VARIANTS: Final = """
katherine catherine kathryn katharine cathryn kathrine|sara sarah|steven stephen|marc mark|eric erik|jeffrey geoffrey jeffery
alan allan allen|brian bryan|philip phillip|nicholas nicolas nickolas|theresa teresa|elizabeth elisabeth|matthew mathew
rachel rachael|michelle michele|sofia sophia|isabel isabelle|lucas lukas|carla karla|vivian vivien|anton antony
mohammed muhammad mohamed mohammad|yusuf yousef|aleksandr alexandr|dmitri dmitry dmitriy|sergei sergey|michael micheal
andrei andrey|alexei alexey aleksei aleksey|yuri yuriy|natalya natalia|catalina katalina
"""
_DENIED: Final = """
joan joanna|joan johannah|augustine austin|marietta maria|johann john|johannes john|diana dian|carol caroline|maria mariah
emily emil|christiana christian|julia juliana|anna annabelle|annabelle ann|rose rosemary|jane janet|jan janet|jan janice
dan daniela|ann anna|mary marie|lilly lily|stacey stacie|ella ellen|eva evan
"""
"""Cut from one another, and yet names of their own."""

_MORE: Final = """
mario luis carlos andreas erik daniela marta pedro pablo diego miguel javier sergio alberto antonio lucia laura elena
sofia ines joao tiago rui nuno paulo andre francisco giulia marco luca paolo francesca chiara matteo hans jurgen klaus
dieter ingrid heidi lars sven bjorn ole nils anders johan karin astrid pierre jean francois jacques amelie camille
julien mathieu olga tatiana svetlana irina boris igor vladimir nikolai oleg anastasia yuki kenji hiroshi akira sakura
mohammed ahmed ali omar fatima layla yusuf hassan ibrahim aisha priya rahul amit anita raj sanjay deepa arjun wei ming
li mei jing jun min ji chen katarina ivana milan jana petra zoran mila noah liam oliver mason logan ethan aria chloe
zoe nina mira tara kira dara silvia sylvia valeria valerie andrei adriana adrian marcel marcela martina martin
fernanda fernando gabriela gabriel rafael rafaela claudia claudio taylor jordan morgan cameron blake carter parker
hunter riley quinn jason brandon tyler adam kyle keith sean dylan jesse bruce juan wayne karen ruth grace amber denise
owen aiden wyatt hudson hugo oscar colin graham craig clive trevor nigel barry harvey miles elliot spencer preston
dean dale chad seth ava mia harper luna hazel violet aurora paige ruby alina iris jade vera tanya bianca carmen josefa
josefina felipe gustavo hector ruben raul ramon alejandro alejandra beatriz mariana patricio paola
"""
"""Names that the package has not: mostly such as differ from another by one letter."""


def is_given_name(token: str) -> bool:
    return token in _known()


def is_short_for(short: str, full: str) -> bool:
    """ "kate" is for "katherine"."""
    return short in _shorts().get(full, frozenset())


def are_variants(one: str, other: str) -> bool:
    """Two spellings of one name: "katherine" and "catherine"."""
    groups = _variants()
    return one in groups and groups[one] == groups.get(other)


def family(token: str) -> str | None:
    """A name for all that lead from one short form to another: what an index can look up; None for no given name."""
    return _families().get(token)


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    listed = {name for triplet in name_triplets() for name in (triplet.name1, triplet.name2)}
    return frozenset(listed | set(_MORE.split()) | _variants().keys() | {name for pair in _pairs() for name in pair})


@lru_cache(maxsize=1)
def _shorts() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for full, short in _pairs():
        found.setdefault(full, set()).add(short)
    return {full: frozenset(shorts) for full, shorts in found.items()}


def _pairs() -> Iterator[tuple[str, str]]:
    for full, *shorts in _groups(_IRREGULAR):
        yield from ((full, short) for short in shorts)
    for triplet in name_triplets():
        if _is_cut(triplet.name1, triplet.name2):
            yield triplet.name1, triplet.name2


def _is_cut(full: str, short: str) -> bool:
    """Short, or with an affectionate ending, and alike in the first two letters."""
    if len(short) < 2 or full[:2] != short[:2] or {full, short} in _denied():
        return False
    return len(short) <= len(full) - 2 or short.endswith(("y", "ie", "i"))


@lru_cache(maxsize=1)
def _denied() -> list[set[str]]:
    return [set(pair) for pair in _groups(_DENIED)]


@lru_cache(maxsize=1)
def _variants() -> dict[str, str]:
    return {name: group[0] for group in _groups(_VARIANTS) for name in group}


@lru_cache(maxsize=1)
def _families() -> dict[str, str]:
    parent: dict[str, str] = {}

    def find(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    variants = ((group[0], other) for group in _groups(_VARIANTS) for other in group[1:])
    for one, other in sorted([*_pairs(), *variants]):
        low, high = sorted((find(one), find(other)))
        parent[high] = low
    return {name: find(name) for name in parent}


def _groups(text: str) -> list[list[str]]:
    return [group.split() for line in text.strip().splitlines() for group in line.split("|")]
