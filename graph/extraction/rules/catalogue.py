"""All rules, and the words that call them."""

from typing import Final

from graph.extraction.rules import about_one, owners, people, tastes, things, ties, where_one_is, work_and_study
from graph.extraction.rules.base import Rule
from graph.extraction.words import BE

RULES: Final[tuple[Rule, ...]] = (
    *where_one_is.RULES,
    *about_one.RULES,
    *work_and_study.RULES,
    *people.RULES,
    *things.RULES,
    *tastes.RULES,
)
"""Read a verb phrase, each by its verb."""

OF_OWNERS: Final = owners.RULES
OF_SENTENCES: Final = ties.RULES

BY_VERB: Final[dict[str, tuple[Rule, ...]]] = {
    form: tuple(rule for rule in RULES if form in rule.verbs)
    for form in sorted(frozenset[str]().union(*(rule.verbs for rule in RULES)))
}
OF_OTHERS_TOO: Final = frozenset(
    [
        "is_based",
        "nationality",
        "has",
        "owns",
        "bought",
        "got",
        "given",
        "added",
        "uses",
        "switched",
        "rid",
        "paid",
        "cancelled",
    ]
)
"""Rules whose verbs are said of firms and things as well: of a name that may be one they tell nothing."""

_INFLECTED: Final = frozenset(
    {form.lstrip("'") for form in BE}
    | {"stopped", "being", "visiting", "exploring", "touring", "birthday", "ended", "buying", "getting", "purchasing"}
)
TRIGGERS: Final = (
    frozenset(BY_VERB)
    .union(*(rule.words for rule in OF_OWNERS), *(rule.triggers for rule in OF_SENTENCES))
    .union(_INFLECTED)
)
"""A sentence without any of these words states no fact that a rule could read."""
