"""All rules, and the words that call them."""

from typing import Final

from graph.extraction.rules import where_one_is
from graph.extraction.rules.base import Rule
from graph.extraction.words import BE

RULES: Final[tuple[Rule, ...]] = (*where_one_is.RULES,)
OF_OWNERS: Final = ()
OF_SENTENCES: Final = ()

BY_VERB: Final[dict[str, tuple[Rule, ...]]] = {
    form: tuple(rule for rule in RULES if form in rule.verbs)
    for form in frozenset[str]().union(*(r.verbs for r in RULES))
}
TRIGGERS: Final = frozenset(BY_VERB) | {form.lstrip("'") for form in BE}
"""A sentence without any of these words is not looked at further."""
