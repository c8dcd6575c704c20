"""The outbox: posted once, sent once, and whatever goes wrong is seen by somebody."""

from datetime import date, timedelta

import pytest
from flask import current_app
from sqlalchemy import event, update

from crm import clock, sweep, workdays
from crm.contracts.models import ContractEvent
from crm.customers import workflow as customers
from crm.customers.models import Customer
from crm.db import db, transactions, unit_of_work
from crm.duties.acts import carry_out_due
from crm.duties.message import Message, MessageState, Way
from crm.duties.models import Duty, Event
from crm.duties.reading import shipped
from crm.duties.record import record
from crm.duties.workflow import issue_edition
from crm.errors import Forbidden, WrongState
from crm.files import store
from crm.letters import handling, outbox
from crm.letters.delivery import NoAnswer, NotTaken, Unreached
from crm.letters.outbox import send_due
from tests import make
from tests.browsing import Browser, together
from tests.letters.post import SHEET, kinds, letters, owed

REFUSED = NotTaken("550 no such person", final=True)
LATER = NotTaken("450 not now", final=False)


def minutes(count: float):
    return clock.frozen(clock.now() + timedelta(minutes=count))


def send() -> int:
    return send_due(clock.now())


def state() -> str:
    return letters()[-1].state


# ── Posting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_notice_that_is_due_is_written_once_however_often_is_swept(contract):
    assert [carry_out_due(clock.now()) for _ in range(3)] == [1, 0, 0]
    (one,) = letters()
    assert (one.subject_id, one.rule, one.slot) == (contract.id, "contract.notice", str(contract.ends_on))
    assert kinds(contract.id).count("contract.notified") == 1 and owed("contract.notice") == []


def test_fifty_who_record_the_same_at_once_post_one_letter(served, contract):
    contract_id = contract.id
    db.session.rollback()

    def act(_i: int) -> None:
        with served.app_context(), unit_of_work():
            one = db.session.get_one(type(contract), contract_id)
            record(ContractEvent.NOTIFIED, one, act="contract.notice", ends_on=one.ends_on)

    together(50, act)
    assert len(letters()) == 1 and kinds(contract.id).count("contract.notified") == 50


def test_ten_sweeps_at_once_write_each_letter_once(served, app):
    with unit_of_work():
        many = [make.in_force().id for _ in range(5)]
    db.session.rollback()

    def act(_i: int) -> int:
        with served.app_context():
            return carry_out_due(clock.now())

    assert sum(together(10, act)) == 5
    assert sorted(one.subject_id for one in letters()) == sorted(many)


def test_another_end_is_another_letter_and_the_same_end_again_is_not(queued, contract):
    with unit_of_work():
        record(ContractEvent.NOTIFIED, contract, act="contract.notice", ends_on=contract.ends_on)
        record(ContractEvent.NOTIFIED, contract, act="contract.notice", ends_on=contract.ends_on + timedelta(days=30))
    assert [one.slot for one in letters()] == [str(contract.ends_on), str(contract.ends_on + timedelta(days=30))]


def test_what_was_imported_as_history_posts_nothing(app):
    with unit_of_work():
        one = make.in_force()
        one.edition_id = None
        db.session.flush()
        record(ContractEvent.NOTIFIED, one, ends_on=one.ends_on)
    assert letters() == []


# ── What the program owes ──────────────────────────────────────────────────────────────────────────────────────────


def test_an_act_that_comes_too_late_is_missed_by_the_program_and_done_all_the_same(contract):
    with clock.frozen(clock.now() + timedelta(days=3)):
        assert carry_out_due(clock.now()) == 1
        db.session.rollback()
        duty = db.session.query(Duty).filter_by(rule="contract.notice").one()
    assert duty.breached_by_id and duty.kept_by_id and duty.breached_owner_id is None
    assert len(letters()) == 1


def test_whoever_cannot_be_reached_is_asked_about_once_and_written_to_when_an_address_is_known(app, carrier):
    with unit_of_work():
        unit = make.customer("无址单位", email="", fax="0571-8888")
        one = make.in_force(unit)
    for _ in range(3):
        assert carry_out_due(clock.now()) == 0
    assert kinds(one.id).count("contract.no_address") == 1 and letters() == []
    (asked,) = owed("contract.find_address")
    assert asked.pool == "followup"
    with unit_of_work():
        customers.change_customer(db.session.get_one(Customer, one.customer_id), {"email": "a@example.cn"}, by=make.who("followup"))
    assert carry_out_due(clock.now()) == 1 and owed("contract.find_address") == []
    assert send() == 1 and carrier.given[0][0] == "a@example.cn"


def test_where_the_rulebook_asks_nobody_for_an_address_that_is_said_once(app):
    """Not anew by each sweep."""
    with unit_of_work():
        text = shipped().replace('opens = "contract.no_address"', 'opens = "contract.address_found"')
        issue_edition(text, clock.now() + timedelta(days=1))
    with clock.frozen(clock.now() + timedelta(days=2)):
        with unit_of_work():
            one = make.in_force(make.customer("无址单位", email="", fax=""))
        for _ in range(3):
            assert carry_out_due(clock.now()) == 0
    assert kinds(one.id).count("contract.no_address") == 1


def test_a_period_that_is_over_is_written_to_nobody(contract, app):
    with clock.frozen(clock.now() + timedelta(days=40)):
        assert carry_out_due(clock.now()) == 0
        assert carry_out_due(clock.now()) == 0
    assert letters() == [] and kinds(contract.id).count("contract.over") == 1
    assert not [duty for duty in db.session.query(Duty).filter_by(pool="program") if duty.open]


def test_one_act_that_fails_holds_no_other_up(app, monkeypatch):
    with unit_of_work():
        first, second = make.in_force(), make.in_force()
        bad = first.id
    real = type(first).act_facts
    monkeypatch.setattr(type(first), "act_facts", lambda self, rule: 1 // 0 if self.id == bad else real(self, rule))
    assert carry_out_due(clock.now()) == 1
    assert [one.subject_id for one in letters()] == [second.id]


def test_a_customer_gets_one_letter_a_day_however_much_has_fallen_due(app):
    with unit_of_work():
        one = make.in_force(ends_on=clock.today() + timedelta(days=5))  # the notice and two reminders have passed
    with clock.frozen(clock.now() + timedelta(days=1)):
        carry_out_due(clock.now())
    assert [letter.rule for letter in letters()] == ["contract.notice"]
    assert kinds(one.id).count("contract.passed_over") == 2 and len(owed("contract.remind_1")) == 1


def late(count: int = 15, **reach: str):
    """A contract that comes in when its notice is late already; on the last Sunday of November people work."""
    with unit_of_work():
        workdays.override(date(2026, 11, 29), working=True)
        return make.in_force(make.customer("迟来单位", **reach), ends_on=clock.today() + timedelta(days=count))


def test_no_reminder_goes_before_its_notice_which_goes_as_soon_as_there_is_an_address(app, carrier, sound):
    with clock.frozen(clock.parse("2026-11-29T09:20")):
        one = late(email="", fax="")
        assert carry_out_due(clock.now()) == 0 and len(owed("contract.find_address")) == 1
        with unit_of_work():
            unit = db.session.get_one(Customer, one.customer_id)
            customers.change_customer(unit, {"email": "a@example.cn"}, by=make.who("followup"))
        carry_out_due(clock.now())
        assert send() == 1
    assert [letter.rule for letter in letters()] == ["contract.notice"] and owed("contract.remind_15") == []


def test_a_reminder_that_would_follow_a_late_notice_within_days_is_passed_over_and_says_why(app, carrier, sound):
    with clock.frozen(clock.parse("2026-11-27T09:20")):
        one = late(17, email="a@example.cn")
        carry_out_due(clock.now())
        assert send() == 1
    with clock.frozen(clock.parse("2026-11-29T09:20")):
        carry_out_due(clock.now())
    assert [letter.rule for letter in letters()] == ["contract.notice"]
    (told,) = db.session.query(Event).filter_by(subject_id=one.id, kind="contract.passed_over")
    assert told.facts["said"] == "the expiry notice has only just gone out"
    assert "only just gone out" in Browser(app, "specialist").get(one.path).text
    with clock.frozen(clock.parse("2026-12-07T09:20")):
        carry_out_due(clock.now())
    assert [letter.rule for letter in letters()] == ["contract.notice", "contract.reminder"]


def test_a_reminder_waits_for_no_notice_that_was_refused(queued, carrier, contract, sound):
    carrier.says = [REFUSED]
    send()
    with clock.frozen(clock.moment(contract.ends_on - timedelta(days=15)) + timedelta(hours=10)):
        carry_out_due(clock.now())
    assert [letter.rule for letter in letters()] == ["contract.notice"]
    assert kinds(contract.id).count("contract.passed_over") == 1


# ── Sending ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_letter_is_given_once_and_kept_as_it_was_sent(queued, carrier, contract, sound):
    assert [send(), send()] == [1, 0]
    (one,) = letters()
    assert (one.state, one.way, one.address, one.answer) == ("sent", "email", "kuaiji@example.com", "250 taken")
    assert one.ended_at == clock.now() and one.attempts == 1 and one.lease_until is None
    assert store.read(one.sheet_sha256) == SHEET and store.read(one.mail_sha256) == carrier.given[0][1]
    assert kinds(contract.id)[-1] == "message.sent"


def test_sending_is_committed_before_anybody_is_spoken_to(served, queued, carrier):
    seen = []

    def look():
        def ask(_i: int) -> None:
            with served.app_context():
                one = db.session.query(Message).one()
                seen.append((one.state, one.mail_sha256 is not None, one.lease_until is not None))

        together(1, ask)
        return "250"

    carrier.says = [look]
    assert send() == 1 and seen == [("sending", True, True)]


def test_of_ten_workers_one_sends(served, queued, carrier):
    def act(_i: int) -> int:
        with served.app_context():
            return send_due(clock.now())

    assert sum(together(10, act)) == 1 and len(carrier.given) == 1


@pytest.mark.parametrize(("at", "goes"), [
    ("2026-11-23T08:59", False), ("2026-11-23T09:00", True), ("2026-11-23T11:59", True), ("2026-11-23T12:00", False),
    ("2026-11-23T12:59", False), ("2026-11-23T13:00", True), ("2026-11-23T17:59", True), ("2026-11-23T18:00", False),
    ("2026-11-28T10:00", False), ("2026-10-01T10:00", False), ("2026-10-10T10:00", True),  # weekend, holiday, a Saturday worked
])  # fmt: skip
def test_letters_go_out_in_the_sending_hours_of_working_days(app, at, goes):
    assert outbox.open_at(clock.parse(at)) is goes


def test_out_of_hours_letters_wait_and_go_out_when_the_hours_begin(queued, carrier):
    with clock.frozen(clock.parse("2026-11-23T12:30")):
        assert send() == 0 and state() == "queued" and not letters()[0].attempts
    with clock.frozen(clock.parse("2026-11-23T13:00")):
        assert send() == 1


def test_what_is_not_taken_is_tried_five_times_with_longer_and_longer_waits(queued, carrier):
    carrier.says, waits = [LATER] * 5, []
    while state() == "queued":
        with clock.frozen(max(letters()[0].next_at, clock.now())):
            if not outbox.open_at(clock.now()):
                break
            send()
            waits.append((letters()[0].next_at - clock.now()) / timedelta(minutes=1))
    assert waits[:4] == [1, 10, 60, 240] and len(carrier.given) == 5
    (one,) = letters()
    assert (one.state, one.answer, one.attempts) == ("rejected", "450 not now", 5)
    assert [duty.slot for duty in owed("message.mend")] == [str(one.id)]


def test_nothing_is_tried_before_its_time(queued, carrier):
    carrier.says = [LATER]
    send()
    with minutes(0.9):
        assert send() == 0 and len(carrier.given) == 1
    with minutes(1):
        assert send() == 1


def test_what_is_refused_for_good_is_not_tried_again_and_falls_to_follow_up(queued, carrier, contract):
    carrier.says = [REFUSED]
    assert send() == 0 and state() == "rejected"
    (duty,) = owed("message.mend")
    assert (duty.pool, duty.subject_id) == ("followup", contract.id)
    with minutes(500):
        send()
    assert len(carrier.given) == 1


def test_a_lost_answer_is_unknown_falls_to_follow_up_and_is_never_sent_again(queued, carrier):
    carrier.says = [NoAnswer("connection lost")]
    assert send() == 0 and (state(), letters()[0].ended_at) == ("unknown", None)
    assert [duty.pool for duty in owed("message.decide")] == ["followup"]
    for days in range(1, 5):
        with clock.frozen(clock.now() + timedelta(days=days)):
            sweep.tick()
    assert [one for one, _content in carrier.given] == ["kuaiji@example.com"]


def test_one_bad_letter_holds_up_no_other(app, carrier):
    with unit_of_work():
        for _ in range(3):
            make.in_force()
    carry_out_due(clock.now())
    carrier.says = [ValueError("something unforeseen"), REFUSED]
    assert send() == 1
    assert [one.state for one in letters()] == ["sending", "rejected", "sent"]
    with minutes(6):
        send()
    assert [one.state for one in letters()] == ["unknown", "rejected", "sent"]


def test_where_nobody_takes_letters_the_others_wait_untried(app, carrier):
    with unit_of_work():
        for _ in range(3):
            make.in_force()
    carry_out_due(clock.now())
    carrier.says = [Unreached("connection refused")]
    assert send() == 0 and len(carrier.given) == 1
    assert [one.attempts for one in letters()] == [1, 0, 0]
    with minutes(1):
        assert send() == 3


def test_a_sweep_does_not_send_for_ever(app, carrier, monkeypatch):
    with unit_of_work():
        for _ in range(3):
            make.in_force()
    carry_out_due(clock.now())
    monkeypatch.setattr(outbox, "LONGEST", -1)
    assert send() == 0
    monkeypatch.undo()


# ── In hand ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_crash_left_in_hand_before_it_was_sent_is_taken_in_hand_again(queued, carrier):
    assert outbox.take(clock.now(), set()) == (queued.id, 1)
    assert send() == 0
    with minutes(6):
        assert send() == 1 and letters()[0].attempts == 2


def test_what_a_crash_left_sending_is_unknown_and_never_sent_again(queued, carrier):
    outbox.take(clock.now(), set())
    left = {"state": "sending", "way": "email", "sheet_sha256": store.put(SHEET), "mail_sha256": store.put(b"x")}
    with unit_of_work():
        db.session.execute(update(Message).values(left))
    with minutes(4):
        send()
        assert state() == "sending"
    with minutes(6):
        send()
    assert state() == "unknown" and not carrier.given and len(owed("message.decide")) == 1
    with minutes(600):
        send()
    assert not carrier.given


def test_a_letter_that_ends_whoever_prepares_it_is_set_aside(queued, carrier):
    for count in range(6):
        with clock.frozen(clock.now() + timedelta(minutes=10 * count)):
            assert outbox.take(clock.now(), set()) == (queued.id, count + 1)
    with minutes(61):
        outbox.send(queued.id, 6)
    assert state() == "rejected" and len(owed("message.mend")) == 1


def test_whoever_was_too_slow_neither_sends_nor_puts_back_what_another_has_in_hand(queued, carrier):
    slow = outbox.take(clock.now(), set())
    with minutes(6):
        other = outbox.take(clock.now(), set())
        assert slow and other and other != slow
        outbox.send(*slow)
        assert not carrier.given and state() == "queued"
        with unit_of_work():
            outbox._try_later(*slow, "late", final=False)
            outbox._try_later(*slow, "refused", final=True)
        assert letters()[0].next_at <= clock.now() and letters()[0].lease_until
        assert outbox.send(*other) == 1


def test_a_letter_withdrawn_while_it_is_prepared_is_not_sent(queued, carrier, contract):
    held = outbox.take(clock.now(), set())
    with unit_of_work():
        assert outbox.withdraw(contract, said="C2611-0002") == 1
    assert outbox.send(*held) == 0 and not carrier.given and state() == "withdrawn"
    assert kinds(contract.id)[-1] == "message.withdrawn"


def test_a_letter_that_is_being_sent_cannot_be_withdrawn(queued, carrier, contract):
    def too_late():
        with unit_of_work():
            assert outbox.withdraw(contract) == 0
        with pytest.raises(WrongState), unit_of_work():
            handling.withdraw(db.session.get_one(Message, queued.id), by=make.who("followup"), words="客户已续签")
        return "250"

    carrier.says = [too_late]
    assert send() == 1 and state() == "sent"


def test_what_cannot_be_prepared_is_tried_again_and_then_set_aside(queued, carrier, contract):
    with unit_of_work():
        customers.change_customer(db.session.get_one(Customer, contract.customer_id), {"email": ""}, by=make.who("followup"))
    for _ in range(5):
        with clock.frozen(max(letters()[0].next_at, clock.now())):
            send()
    (one,) = letters()
    assert (one.state, one.answer, one.attempts) == ("rejected", "no fax and no e-mail", 5) and not carrier.given
    assert len(owed("message.mend")) == 1


# ── People ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def act(name: str, *, by: str = "followup", at: int = 0, **how):
    with unit_of_work():
        return getattr(handling, name)(db.session.get_one(Message, letters()[at].id), by=make.who(by), **how)


def test_on_paper_a_letter_is_printed_and_posted_by_people(queued, carrier, sound):
    act("put_on_paper")
    assert send() == 0 and not carrier.given
    (one,) = letters()
    assert kinds(one.subject_id)[-1] == "message.on_paper", "who took it to paper stands in the history"
    assert (one.state, one.way, one.lease_until) == ("queued", "paper", None) and store.read(one.sheet_sha256) == SHEET
    with minutes(600):
        assert send() == 0 and letters()[0].attempts == 1, "it waits for people"
    act("posted")
    assert state() == "sent"
    with pytest.raises(WrongState):
        act("posted")


def test_nobody_takes_a_letter_to_paper_that_somebody_prepares_for_sending(queued, carrier):
    outbox.take(clock.now(), set())
    with pytest.raises(WrongState):
        act("put_on_paper")
    with minutes(6):
        act("put_on_paper")


def test_a_letter_is_sent_once_more_on_purpose_as_one_of_its_own(queued, carrier, contract):
    carrier.says = [NoAnswer("lost")]
    send()
    made = act("again", words="客户没收到")
    assert owed("message.decide") == [] and made.slot == f"{contract.ends_on}#2"
    assert send() == 1
    first, second = letters()
    assert (first.state, second.state) == ("unknown", "sent") and first.message_id != second.message_id
    third = act("again", at=-1, on_paper=True, words="改寄纸质")
    assert (third.slot, third.way) == (f"{contract.ends_on}#3", Way.PAPER)


def test_what_still_waits_is_not_sent_a_second_time(queued):
    with pytest.raises(WrongState):
        act("again", words="客户没收到")


def test_of_two_who_send_it_once_more_one_does_though_it_is_sent_in_between(queued, carrier):
    carrier.says = [NoAnswer("lost")]
    send()
    act("again", words="客户没收到")
    for _before, _after in (("waits", "goes"), ("was sent", "stays")):
        with pytest.raises(WrongState):
            act("again", words="客户没收到")
        send()
    assert len(letters()) == 2 and len(carrier.given) == 2, "the lost one and one more"
    page = Browser(current_app._get_current_object(), "followup")
    assert "Send it once more" not in page.get(f"/outbox/{queued.id}").text
    assert "Send it once more" in page.get(f"/outbox/{letters()[-1].id}").text


@pytest.mark.parametrize("says", [NoAnswer("lost"), REFUSED])
def test_what_became_of_it_is_said_once(queued, carrier, contract, says):
    """Whoever looks at a page from before would turn another's word round."""
    carrier.says = [says]
    send()
    said = [act("decide", arrived=False, words="没收到")]
    if isinstance(says, NoAnswer):  # it did not arrive: somebody sees to that
        assert owed("message.mend")
        said.append(act("decide", arrived=False, words="不用再发了"))
    for arrived in (True, False):
        with pytest.raises(WrongState):
            act("decide", arrived=arrived, words="收到了")
    assert state() == "rejected" and kinds(contract.id).count("message.decided") == len(said)


@pytest.mark.parametrize(("says", "arrived", "becomes"), [
    (NoAnswer("lost"), True, "sent"), (NoAnswer("lost"), False, "rejected"), (REFUSED, True, "sent"), (REFUSED, False, "rejected"),
])  # fmt: skip
def test_a_person_says_what_became_of_it_and_nothing_is_owed_any_more(queued, carrier, contract, sound, says, arrived, becomes):
    carrier.says = [says]
    send()
    act("decide", arrived=arrived, words="打电话问过")
    assert state() == becomes and letters()[0].ended_at
    lost = isinstance(says, NoAnswer) and not arrived  # found out not to have arrived: sent once more, or why not
    assert owed("message.decide") == [] and bool(owed("message.mend")) == lost
    assert "message.decided" in kinds(contract.id)[-2:]


def test_nobody_decides_on_what_is_sent_or_waits(queued, carrier):
    with pytest.raises(WrongState):
        act("decide", arrived=True)
    send()
    with pytest.raises(WrongState):
        act("decide", arrived=True)


@pytest.mark.parametrize("verb", ["again", "put_on_paper", "posted", "withdraw"])
def test_specialists_and_strangers_send_nothing(queued, verb):
    for login in ("specialist", "archivist", "admin", "stranger"):
        with pytest.raises(Forbidden):
            act(verb, by=login, **({"words": "不用发了"} if verb in ("withdraw", "again") else {}))


def test_the_page_offers_what_can_be_done_and_todays_duty_leads_to_it(queued, carrier, contract):
    carrier.says = [NoAnswer("lost")]
    send()
    page = Browser(current_app._get_current_object(), "followup")
    assert f"/outbox/{queued.id}" in page.get("/").text
    assert "Nobody knows whether it arrived" in page.get(f"/outbox/{queued.id}").text
    answer = page.send(f"/outbox/{queued.id}/outcome", arrived="yes", words="打电话问过")
    assert answer.status_code == 303 and state() == "sent"
    assert "Nobody knows whether it arrived" not in page.get(f"/outbox/{queued.id}").text
    assert page.send(f"/outbox/{queued.id}/again").status_code == 422 and len(letters()) == 1
    assert page.send(f"/outbox/{queued.id}/again", reason="客户要原件", paper="y").status_code == 303 and len(letters()) == 2


def test_a_form_that_lacks_how_it_was_found_out_comes_back_with_every_word(queued, carrier):
    carrier.says = [NoAnswer("lost")]
    send()
    answer = Browser(current_app._get_current_object(), "followup").send(f"/outbox/{queued.id}/outcome", arrived="no", words="")
    assert answer.status_code == 422 and 'value="no"' in answer.text and state() == "unknown"


def test_a_restored_place_sends_nothing_of_what_waited_then(queued, carrier, contract):
    with unit_of_work():
        assert outbox.hold_all() == 1
    assert state() == "unknown" and len(owed("message.decide")) == 1
    assert send() == 0 and not carrier.given
    act("decide", arrived=True, words="查过邮件")
    assert state() == MessageState.WITHDRAWN, "it was sent, but not from here"


def test_the_sweep_finds_by_index_what_is_due_on_both_databases(queued, app):
    asked = []

    def note(_connection, _cursor, statement, parameters, *_rest) -> None:
        if statement.startswith("SELECT") and ("messages.state" in statement or "duties.show_from <=" in statement):
            asked.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    carry_out_due(clock.now())
    outbox.take(clock.now(), set())
    outbox.give_up_waiting(clock.now())
    event.remove(db.engine, "before_cursor_execute", note)
    lite = db.engine.dialect.name == "sqlite"
    with transactions(read_only=True), db.engine.connect() as connection:
        if not lite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # nothing is quicker on a handful of rows
        plans = [str(connection.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' * lite}{one}", told).all()) for one, told in asked]
    assert "ix_duties_open_pool_shown" in plans[0] and "ix_messages_waiting" in plans[1] and "ix_messages_" in plans[2], plans
    assert not any("TEMP B-TREE" in plan for plan in plans[:2]), "in the order of the index"
