"""What every test would work out anew, and each process of a run does once."""

import gc

from argon2 import PasswordHasher
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from crm import Crm
from crm.db import db
from crm.staff import passwords

passwords.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
gc.set_threshold(20_000, 10, 10)  # an app for each test is much garbage: looking for it often took a seventh of the time


class Compiled(BytecodeCache):
    """Templates as they were compiled for the first app of this process: each test has an app of its own."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], object] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key, bucket.checksum] = bucket.code


Crm.jinja_options = {"bytecode_cache": Compiled()}


def _once(compile_rule):
    """The same for routes: what each address is made of is worked out for the first app of this process."""
    known: dict[tuple, tuple] = {}

    def compiled(rule: Rule) -> None:
        key = rule.rule, rule.host, rule.subdomain, rule.merge_slashes, repr(rule.defaults)
        if key not in known:
            compile_rule(rule)
            builders = rule._build.__func__, rule._build_unknown.__func__
            known[key] = rule._parts, rule._trace, rule._converters, rule.arguments, builders
        rule._parts, rule._trace, rule._converters, rule.arguments, (build, build_unknown) = known[key]
        rule._build, rule._build_unknown = build.__get__(rule), build_unknown.__get__(rule)

    return compiled


Rule.compile = _once(Rule.compile)
_dialects: dict[str, tuple] = {}


def shared() -> None:
    """And for statements: every database of a kind is asked in the same words, so each is compiled once in this process."""
    for engine in db.engines.values():
        with engine.connect():  # a dialect knows its database from the first connection on
            engine.dialect, engine._compiled_cache = _dialects.setdefault(
                engine.dialect.name, (engine.dialect, LRUCache(2_000))
            )
