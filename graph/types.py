"""Entity and fact types of a user's own: pydantic models by name, whose attributes are validated and can be filtered on.

    class Customer(BaseModel):
        tier: Literal["free", "paid"]
        seats: int = Field(ge=1)

    def register(types: TypeRegistry) -> None:
        types.entity("Customer", Customer)
        types.fact(Predicate("account_manager", "functional", "entity", "is looked after by"), Assignment)

A type that nobody registered takes any attributes. A registered one takes what its model takes, and keeps what it makes of it.
"""

from collections.abc import Mapping
from dataclasses import replace

from pydantic import BaseModel, ValidationError

from graph.errors import InvalidClaim
from graph.model import Extraction, Scalar
from graph.predicates import Predicate, register


class TypeRegistry:
    """Types by name. Not changed once the service runs."""

    def __init__(self) -> None:
        self._entities: dict[str, type[BaseModel]] = {}
        self._facts: dict[str, type[BaseModel]] = {}

    def entity(self, name: str, model: type[BaseModel]) -> None:
        """Registers an entity type. Raises ValueError for a name that is taken."""
        _claim(self._entities, name, model)

    def fact(self, predicate: Predicate, model: type[BaseModel] | None = None) -> None:
        """Registers a predicate with its cardinality, and the model of its qualifiers. Raises ValueError for a name that is
        taken by another."""
        register(predicate)
        if model is not None:
            _claim(self._facts, predicate.name, model)

    def checked(self, extraction: Extraction) -> Extraction:
        """The extraction with its attributes as the models make them. Raises InvalidClaim that names the field."""
        mentions = tuple(
            replace(mention, attributes=_validated(self._entities, mention.type, mention.attributes))
            if mention.attributes
            else mention
            for mention in extraction.mentions
        )
        claims = tuple(
            replace(claim, qualifiers=_validated(self._facts, claim.predicate, claim.qualifiers))
            if claim.stance == "asserts"
            else claim
            for claim in extraction.claims
        )
        return Extraction(mentions, claims)


def _claim(models: dict[str, type[BaseModel]], name: str, model: type[BaseModel]) -> None:
    if models.setdefault(name, model) is not model:
        raise ValueError(f"the type {name!r} is registered twice")


def _validated(models: Mapping[str, type[BaseModel]], name: str, given: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
    model = models.get(name)
    if model is None:
        return given
    try:
        made = model.model_validate(dict(given)).model_dump(mode="json", exclude_none=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidClaim(f"{name}: {where or 'attributes'}: {first['msg']}.") from None
    odd = [key for key, value in made.items() if not isinstance(value, str | int | float | bool)]
    if odd:
        raise InvalidClaim(f"{name}: {odd[0]}: attributes must be strings, numbers or booleans.")
    return made
