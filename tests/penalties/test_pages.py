"""Penalties on their pages: who reads what, nothing typed lost, every fine explained to the person who pays it."""

from io import BytesIO

import pytest
from openpyxl import load_workbook

from crm import clock
from crm.db import db, unit_of_work
from crm.duties import reading
from crm.duties import workflow as duties
from crm.papers import workflow as papers
from crm.penalties import evidence, printing, workflow
from crm.penalties.models import Penalty
from crm.rulebooks.text import Change, changed
from crm.sweep import tick
from tests import make
from tests.penalties.making import (
    by_hand,
    committed,
    do,
    ended_record,
    later,
    penalty,
    returned_visit,
    second_manager,
    swept,
)
from tests.reading import text_of

EVERYBODY = tuple(make.CAST)


def only() -> Penalty:
    db.session.expire_all()
    return db.session.query(Penalty).one()


def seen(browser, path: str) -> set[str]:
    return {who for who in EVERYBODY if browser(who).get(path).status_code == 200}


@pytest.mark.parametrize("upto", ["proposed", "issued", "signed", "appealed", "waived"])
def test_a_penalty_is_read_by_its_person_and_those_who_lead(app, browser, upto):
    row = committed(penalty, upto, by=make.who("followup"))
    assert seen(browser, row.path) == {"specialist", "manager", "director"}
    for who in ("specialist2", "followup", "developer", "archivist", "admin", "stranger"):
        page = browser(who)
        assert row.number not in page.get("/penalties").text
        assert page.get(f"{row.path}/notice.pdf").status_code == 404


def test_what_was_missed_leads_to_its_penalty_whoever_may_read_it(app, browser):
    with unit_of_work():
        returned_visit()
    with later(days=30):
        swept()
        fined = {one.duty_id: one.number for one in db.session.query(Penalty) if one.duty_id}
        assert fined
        for who, reads in (("specialist", True), ("manager", True), ("followup", False)):
            page = browser(who).get("/duties").text
            assert [number in page for number in fined.values()] == [reads] * len(fined), who


def test_the_archivist_reads_it_once_its_month_is_closed(app, browser):
    from crm.fund import workflow as fund
    from crm.fund.models import Month

    row = committed(penalty, "signed")
    assert browser("archivist").get(row.path).status_code == 404
    with clock.frozen(clock.parse("2026-12-02T10:00")):
        tick()
        with unit_of_work():
            fund.close(db.session.query(Month).filter_by(title="2026-11").one(), by=make.who("director"))
        assert browser("archivist").get(row.path).status_code == 200


def test_a_witness_sees_that_there_is_something_to_sign_and_no_more(app, browser):
    row = committed(penalty, "refused", title="周五例会", facts="迟到十五分钟")
    page = browser("archivist")
    told = page.get(row.path).text
    assert "张伟" in told and "迟到" not in told and "¥20" not in told and "3.9" not in told
    listed = page.get("/penalties").text
    assert row.number in listed and "周五例会" not in listed and "¥20" not in listed
    assert "周五例会" not in page.get("/penalties/export.csv").text
    assert page.get(f"{row.path}/notice.pdf").status_code == 404
    assert row.number in page.get("/?whose=mine").text, "it waits for them on Today"
    assert page.send(f"{row.path}/testimony").status_code == 303
    assert row.number not in page.get("/?whose=mine").text
    assert page.send(f"{row.path}/testimony", version=only().version).status_code == 409, "once"
    assert browser("followup").send(f"{row.path}/testimony").status_code == 303
    assert only().state == "witnessed"


def test_the_person_sees_every_piece_of_evidence(app, browser):
    committed(returned_visit)
    [row] = swept(days=3)
    with later(days=3):
        told = text_of(browser("specialist").get(row.path).text)
        for piece in ("Write the visit up as a service record", "7.4", "¥30", "1 working day", "2026-11-24", "R0001"):
            assert piece in told, piece
        chinese = text_of(browser("specialist", "zh_Hans_CN").get(row.path).text)
        assert "1个工作日" in chinese


def test_of_an_incomplete_record_the_missing_fields_are_named(app, browser):
    committed(ended_record)
    [row] = swept(days=3)
    with later(days=3):
        told = text_of(browser("specialist").get(row.path).text)
    assert "Missing then" in told and "Report name" in told


def test_it_is_entered_from_what_it_is_about_and_nothing_typed_is_lost(app, browser):
    with unit_of_work():
        ticket = make.ticket()
    page, asked = browser("manager"), f"/penalties/new?of={ticket.number}"
    typed = {"of": ticket.number, "key": "3.7.fine", "person": str(make.who("specialist").id), "title": "三次没接电话",
             "happened_at": "2026-11-20T10:00", "facts": "九点、十点、十一点各打一次", "witnesses": "王芳"}  # fmt: skip
    assert "A visit or trip not written up afterwards costs ¥30 each." in page.get(asked).text, "the clause's words"
    answer = page.send("/penalties/new", page=asked, **typed, fen="99")
    assert answer.status_code == 422 and "各打一次" in answer.text and "range" in answer.text
    assert page.send("/penalties/new", page=asked, **typed, fen="35.5").status_code == 303
    row = only()
    assert (row.fen, row.origin_id, row.witnesses, row.state) == (3550, ticket.id, "王芳", "proposed")
    assert f"{row.path}/issue" not in page.get(row.path).text, "never by whoever entered it"
    assert page.send(f"{row.path}/issue", facts="x", fen="35").status_code == 403


def test_follow_up_enters_a_finding_and_is_led_back_for_it_is_not_theirs_to_read(app, browser):
    with unit_of_work():
        ticket = make.ticket()
    page, asked = browser("followup"), f"/penalties/new?of={ticket.number}"
    answer = page.send("/penalties/new", page=asked, of=ticket.number, key="7.5", person=str(make.who("specialist").id),
                       title="没有记录", happened_at="2026-11-20T10:00", facts="客户说上周五远程过")  # fmt: skip
    assert answer.status_code == 303 and answer.location.endswith(ticket.path)
    assert browser("followup").get(only().path).status_code == 404


@pytest.mark.parametrize("who", ["specialist", "developer", "archivist", "admin", "stranger"])
def test_others_enter_none(app, browser, who):
    assert browser(who).get("/penalties/new").status_code == 403


def test_what_was_typed_too_late_is_refused_and_not_lost(app, browser):
    row = committed(penalty, "signed")
    with later(days=5):
        answer = browser("specialist").send(f"{row.path}/appeal", words="高速封路，有照片为证", version=row.version)
    assert answer.status_code == 409 and "高速封路，有照片为证" in answer.text and "days to appeal in are over" in answer.text
    assert only().state == "signed"


def test_the_whole_way_on_pages(app, browser):
    row = committed(by_hand, by=make.who("followup"))
    manager, me, director = browser("manager"), browser("specialist"), browser("director")
    assert manager.send(f"{row.path}/issue", facts="迟到十五分钟").status_code == 303
    assert manager.get(f"{row.path}/notice.pdf").data[:4] == b"%PDF" == me.get(f"{row.path}/notice.pdf").data[:4]
    assert me.send(f"{row.path}/signature", words="收到").status_code == 303
    empty = me.send(f"{row.path}/appeal", words="")
    assert empty.status_code == 422
    assert me.send(f"{row.path}/appeal", words="高速封路").status_code == 303
    wrong = director.send(f"{row.path}/answer", outcome="reduced", answer="写了很多理由", fen="")
    assert wrong.status_code == 422 and "写了很多理由" in wrong.text
    assert manager.send(f"{row.path}/answer", outcome="struck", answer="我开的").status_code == 403
    assert director.send(f"{row.path}/answer", outcome="reduced", answer="减半", fen="10").status_code == 303
    assert (only().state, only().effective_fen) == ("reduced", 1000)
    assert "减半" in me.get(row.path).text


def test_an_old_page_is_stale_and_keeps_what_was_typed(app, browser):
    row = committed(by_hand)
    manager = browser("manager")
    with unit_of_work():
        workflow.waive(db.session.get_one(Penalty, row.id), by=make.who("manager"), reason="算了")
    answer = manager.send(f"{row.path}/issue", facts="写好的事实", version=1)
    assert answer.status_code == 409 and only().state == "waived"


def test_where_nobody_may_decide_the_page_says_appoint_somebody(app, browser):
    row = committed(by_hand, by=make.who("director"), person=make.who("manager"))
    assert "appoint somebody" in browser("director").get(row.path).text
    committed(second_manager)
    assert "appoint somebody" not in browser("director").get(row.path).text


def test_where_nobody_may_answer_the_page_says_so_to_whoever_may_appoint(app, browser):
    row = committed(penalty, "appealed")
    assert "appoint somebody" in browser("specialist").get(row.path).text
    assert "/appointment" in browser("manager").get(row.path).text, "naming is not answering"
    assert "/appointment" not in browser("specialist").get(row.path).text


def test_a_list_shows_one_their_own_and_those_who_lead_all(app, browser):
    mine, other = committed(by_hand), committed(by_hand, person=make.who("specialist2"))
    assert mine.number in browser("specialist").get("/penalties").text
    assert other.number not in browser("specialist").get("/penalties").text
    assert all(one.number in browser("manager").get("/penalties").text for one in (mine, other))
    asked = f"/penalties?person={make.who('specialist2').id}"
    assert other.number not in browser("specialist").get(asked).text, "a filter shows nobody anybody else's"
    for address in ("/penalties/export.csv", "/penalties/export.xlsx"):
        got = browser("specialist").get(address)
        assert got.status_code == 200 and other.number.encode() not in got.data


def test_search_and_history_show_it_to_nobody_else(app, browser):
    row = committed(by_hand, title="例会迟到特别说明")
    assert row.number not in browser("specialist2").get("/search?q=特别说明").text
    assert row.number in browser("specialist").get("/search?q=特别说明").text


def test_what_it_is_about_leads_to_it_only_for_those_who_read_it(app, browser):
    visit = committed(returned_visit)
    [row] = swept(days=3)
    with later(days=3):
        assert row.number in browser("specialist").get(visit.path).text
        assert row.number not in browser("specialist2").get(visit.path).text


def test_the_figures_of_fairness_count_what_became_of_each_and_point_out_what_is_mostly_struck(app, browser):
    for upto in ("waived", "waived", "struck", "signed", "appealed"):
        committed(penalty, upto)
    committed(returned_visit)
    with later(days=3):
        tick()
        page = text_of(browser("director").get("/penalties/fairness").text)
        assert "mostly waived or struck" in page
        assert "Mostly waived or struck" in browser("director").get("/penalties").text
        from crm.penalties import fairness

        late, visit = fairness.lines(fairness.Scope.of({}))
        assert (late.key, late.proposed, late.waived, late.struck, late.standing, late.pending, late.fen) == (
            "3.9.late", 5, 2, 1, 1, 1, 2000)  # fmt: skip
        assert (visit.key, visit.owed, visit.missed, visit.warned, visit.kept, visit.pending) == ("7.4", 1, 1, 1, 0, 1)
    assert browser("specialist").get("/penalties/fairness").status_code == 403


def test_the_list_needs_no_more_statements_for_more_rows(app, browser, statements):
    page = browser("manager")
    counts = []
    for _more in range(2):
        for _one in range(3):
            committed(by_hand)
        page.get("/penalties")
        statements.clear()
        assert page.get("/penalties").status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_a_witness_learns_of_it_nowhere_else(app, browser):
    """Neither notices, search, a paper's form nor the list's filters tell what it is for; nor do they write on it."""
    row = committed(penalty, "refused", title="周五例会", facts="迟到十五分钟")
    page = browser("archivist")
    notices = page.get("/notices").text
    assert row.number in notices and "周五例会" not in notices and "推开" not in notices
    assert row.path not in page.get(f"/search?q={row.number}").text and row.path not in page.get("/search?q=周五例会").text
    assert "周五例会" not in page.get(f"/papers/new?of={row.number}").text
    assert row.path not in page.get("/penalties?key=3.9.late").text and row.path not in page.get("/penalties?month=2026-11").text
    assert page.send(f"{row.path}/notes", words="我看到了").status_code == 404


def test_nor_does_a_witness_learn_it_from_the_record_it_came_of(app, browser):
    """Its title says what it is for: a page of what it came of does not name it."""
    with unit_of_work():
        record = make.ticket()
        row = by_hand(origin=record, title="没有按时上门")
    with unit_of_work():
        for step in ("issue", "refuse"):
            do(step, db.session.get_one(Penalty, row.id))
        workflow.refuse(db.session.get_one(Penalty, row.id), by=make.who("manager"), words="推开了",
                        witnesses=(make.who("specialist2"), make.who("followup")))  # fmt: skip
    assert row.number in browser("manager").get(record.path).text
    told = browser("specialist2").get(record.path)
    assert told.status_code == 200 and row.number not in told.text and "没有按时上门" not in told.text


def test_nor_by_a_hand_over_or_by_a_file_that_is_the_same(app, browser):
    row = committed(penalty, "refused", by=make.who("director"), title="周五例会", person=make.who("specialist"))
    witness = make.who("followup")
    with unit_of_work():
        leave = make.absence(upto="accepted", days=3, to=witness)
        files = [make.files.draft("证据.pdf", make.PDF, who, "") for who in (make.who("manager"), witness)]
        db.session.add_all(files)
        db.session.flush()
        make.note(db.session.get_one(Penalty, row.id), by=make.who("manager"), words="证据", files=[files[0].key])
        record = make.ticket()
        make.note(record, by=witness, words="同一份", files=[files[1].key])
    for path in (leave.path, record.path):
        told = browser("followup").get(path)
        assert told.status_code == 200 and "周五例会" not in told.text, path
    assert row.number in browser("manager").get(record.path).text, "who reads both is told"


def test_the_archivist_learns_nothing_of_it_from_the_register_nor_from_the_warning_that_came_of_it(app, browser):
    row = committed(penalty, "issued", key="3.11.dismissal", title="私自接单")
    two = make.who("followup"), make.who("specialist2")
    with unit_of_work():
        papers.enter(db.session.get_one(Penalty, row.id), "other", by=make.who("manager"))
    with unit_of_work():
        workflow.refuse(row, by=make.who("manager"), words="撕了", witnesses=two, ill_mannered=True)
        for one in two:
            workflow.confirm(row, by=one)
    assert "私自接单" not in browser("archivist").get(f"/papers/new?of={row.number}").text
    assert "私自接单" in browser("manager").get(f"/papers/new?of={row.number}").text
    [warning] = db.session.query(Penalty).filter(Penalty.origin_id == row.id).all()
    assert warning.title == row.number and "私自接单" not in str(evidence.of(warning))
    of_it = browser("manager").get(warning.path).text.split('id="evidence"')[1].split("</section>")[0]
    assert "刘强</strong> wrote down that the signature was refused" in of_it, "who wrote it down is named"
    assert "In bad manner: referred for a final warning" in browser("manager").get(row.path).text


def test_an_edition_without_its_answer_leaves_the_page_readable(app, browser):
    with later(minutes=5):
        with unit_of_work():
            text = changed(reading.shipped(), [Change(("duty", "penalty.answer"), None)])
            duties.issue_edition(text, clock.now(), by=make.who("director"))
        with later(minutes=5):
            row = committed(penalty, "signed", by=make.who("followup"))
            page = browser("specialist")
            assert page.get(row.path).status_code == page.get(f"{row.path}/notice.pdf").status_code == 200


def test_what_is_recommended_about_somebody_does_not_go_to_payroll(app, browser):
    from crm.fund import workflow as fund
    from crm.fund.models import Month

    fine, hard = (committed(penalty, "signed", key=key, by=make.who("followup")) for key in ("3.9.late", "7.1.later"))
    with clock.frozen(clock.parse("2026-12-02T10:00")):
        tick()
        with unit_of_work():
            month = db.session.query(Month).filter_by(title="2026-11").one()
            fund.close(month, by=make.who("director"))
        for who, reads in (("director", True), ("specialist", True), ("archivist", False)):
            page = browser(who)
            assert (page.get(hard.path).status_code == 200) == reads, who
            assert (hard.number in page.get(month.path).text) == reads and fine.number in page.get(month.path).text, who
        book = load_workbook(BytesIO(browser("archivist").get(f"{month.path}/file.xlsx").data))
        said = [str(cell.value) for sheet in book for row in sheet for cell in row]
        assert fine.number in said and hard.number not in said


def test_the_list_says_no_amount_of_what_costs_nothing_any_more(app, browser):
    committed(penalty, "waived")
    assert "¥20" not in browser("manager").get("/penalties/export.csv").text
    committed(penalty, "signed")
    assert "¥20" in browser("manager").get("/penalties/export.csv").text


def test_a_paper_of_a_penalty_is_no_more_open_than_the_penalty(app, browser):
    row = committed(penalty, "signed", title="周五例会")
    with unit_of_work():
        paper = papers.enter(db.session.get_one(Penalty, row.id), "other", by=make.who("manager"), sheets=1)
    for who, reads in (("manager", True), ("specialist", True), ("specialist2", False), ("followup", False), ("archivist", False)):
        page = browser(who)
        assert (page.get(paper.path).status_code == 200) == reads, who
        assert (paper.number in page.get("/papers").text) == reads, who


def test_what_happened_under_a_former_edition_can_still_be_entered(app, browser):
    with later(days=5):
        with unit_of_work():
            text = changed(reading.shipped(), [Change(("penalty", "3.9.late"), None)])
            duties.issue_edition(text, clock.now(), by=make.who("director"))
        typed = {"key": "3.9.late", "person": str(make.who("specialist").id), "title": "例会", "happened_at": "2026-11-23T10:00",
                 "facts": "迟到"}  # fmt: skip
        assert browser("manager").send("/penalties/new", **typed).status_code == 303
        assert only().category == "3.9.late"


def test_the_notice_shows_the_signature_of_who_signed_after_one_witness(app):
    with unit_of_work():
        row = penalty("refused")
        workflow.confirm(row, by=make.who("followup"))
        do("sign", row)
        assert printing._signed(row, {row.concerned_id: "张伟"}).startswith("张伟")
