"""A share of the bad input of `make fuzz`, another one each time; the seed is printed."""

import os
import random

import pytest

from tests.nets.fuzz import Fuzz
from tests.nets.house import PEOPLE, House
from tests.nets.seeds import everything
from tests.shares import ALL

SHARE = int(os.environ.get("CRM_FUZZ", "350"))
SEED = int(os.environ.get("CRM_FUZZ_SEED", "0")) or random.randrange(10**6)


@pytest.fixture
def house(database, database_url, request, tmp_path, frozen):
    server = request.getfixturevalue("postgres") if database == "postgresql" else None
    built = House(tmp_path, database_url, server)
    yield built
    built.close()


@pytest.mark.timeout(600)
def test_no_input_breaks_a_page_changes_a_row_by_its_refusal_or_comes_back_as_markup(house, capsys):
    people = PEOPLE if ALL else random.Random(SEED).sample(PEOPLE, 3)  # to find what each of them meets takes longest
    fuzz = Fuzz(house, SEED, people)
    fuzz.run(SHARE)
    with capsys.disabled():
        print(f" CRM_FUZZ_SEED={SEED}: {dict(fuzz.counts)} of {people} at {len(fuzz.targets)} forms and pages")
    assert not fuzz.wrong, "\n".join(map(repr, fuzz.wrong))


def test_there_are_enough_seeds_and_none_twice():
    assert len(everything()) >= 200
