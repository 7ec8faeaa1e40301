"""What can go wrong, as a tree.

GraphError
├── InvalidClaim        a claim that cannot be: it ends before it begins, names no mention, is over a limit
├── UnknownType         an entity or fact type that nobody registered, or attributes that it refuses
├── InvalidMapping      a mapping of records to entities that cannot be read, or a record that does not fit it
├── UnknownEntity       no entity of this id
├── GraphTooLarge       more facts than a question over the whole graph may read
└── StoreError
    ├── StoreUnavailable    it cannot be reached, or gave up after its retries
    ├── StoreRefused        it refuses us: a wrong password, no such database
    └── StoreTooNew         its schema is newer than this version
"""


class GraphError(Exception):
    """Anything that this library raises on purpose."""


class InvalidClaim(GraphError):
    pass


class UnknownType(GraphError):
    pass


class InvalidMapping(GraphError):
    pass


class UnknownEntity(GraphError):
    pass


class GraphTooLarge(GraphError):
    pass


class StoreError(GraphError):
    pass


class StoreUnavailable(StoreError):
    pass


class StoreRefused(StoreError):
    pass


class StoreTooNew(StoreError):
    pass
