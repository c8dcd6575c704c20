"""The feedback form (5.3.4, 5.3.5, 5.7.2): what came of each department, signed by the customer, handed in at the office."""

import io
import json
import re

import pytest

from crm import clock
from crm.db import db, unit_of_work
from crm.duties.models import Duty, Event
from crm.errors import Forbidden, Invalid, Refused, WrongState
from crm.files import workflow as files
from crm.tickets import workflow as tickets
from crm.visits import feedback, forms, ink, printing, workflow
from crm.visits.models import Signature, Visit
from tests import make
from tests.browsing import Browser
from tests.seen import kinds, owed

PNG = (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
       b"\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4\x00\x00\x00\x00IEND\xaeB`\x82")  # fmt: skip


def on_site(**details) -> Visit:
    visit = make.visit(make.served_customer(f"单位{db.session.query(Visit).count()}"), **details)
    workflow.approve(visit, by=make.who("manager"))
    for step in (workflow.depart, workflow.arrive):
        step(visit, by=make.who("specialist"))
    return visit


def text(visit: Visit) -> str:
    return feedback.what_of(visit, feedback.head_of(visit))


def sign(visit: Visit, **changes) -> Signature:
    given = {"name": "王主任", "position": "财务总监", "strokes": make.drawing(), "what": text(visit)}
    return feedback.sign(visit, by=make.who("specialist"), **{**given, **changes})


def moved(strokes: str, *, by: int = 0, times: int = 1) -> str:
    return json.dumps([[[x * times + by, y * times + by] for x, y in line] for line in json.loads(strokes)])


def test_the_outcomes_stand_on_the_visit_once_all_departments_have_one(app):
    me = make.who("specialist")
    with unit_of_work():
        visit = on_site(departments=[{"name": "财务部", "waits": "报表"}, {"name": "仓库", "waits": ""}])
    with pytest.raises(Invalid) as refused, unit_of_work():
        feedback.report(visit, by=me, outcomes=["好了", ""])
    assert set(refused.value.fields) == {"outcome_1"} and not visit.reported
    with unit_of_work():
        feedback.report(visit, by=me, outcomes=["好了", "教会了入库"], open_points="下周复查", opinion="满意")
    assert visit.reported and [one["outcome"] for one in visit.departments] == ["好了", "教会了入库"]
    assert (visit.open_points, visit.opinion, visit.state) == ("下周复查", "满意", "arrived")


def test_nobody_else_fills_in_or_signs_and_nobody_before_arriving(app):
    with unit_of_work():
        visit = on_site()
        with pytest.raises(Forbidden):
            feedback.report(visit, by=make.who("manager"), outcomes=["好了"])
        early = make.visit(make.served_customer("另一家"))
        with pytest.raises(WrongState):
            feedback.report(early, by=make.who("specialist"), outcomes=["好了"])


def test_an_empty_form_is_not_signed(app):
    with unit_of_work():
        visit = on_site()
        with pytest.raises(Refused, match="once it says"):
            sign(visit)


def test_who_signs_signs_the_text_that_was_shown(app):
    with unit_of_work():
        visit = on_site()
        make.feedback_of(visit)
        shown = text(visit)
        feedback.report(visit, by=make.who("specialist"), outcomes=["其实没好"])
    with pytest.raises(feedback.Changed), unit_of_work():
        sign(visit, what=shown)
    with unit_of_work():
        signed = sign(visit)
    event = db.session.query(Event).filter_by(subject_id=visit.id, kind="visit.signed").one()
    assert event.facts == {"way": "screen", "name": "王主任", "position": "财务总监", "what": signed.what}
    assert feedback.fits(feedback.signature_of(visit), visit)


@pytest.mark.parametrize(
    "strokes",
    ["", "[]", "{}", "[[]]", "[[[1,2]]]", "nonsense", '[[["a",1]]]', "[[[1.5,2]]]", "[[[true,2]]]", "[[[1,2,3]]]", "[" * 9000,
     json.dumps([[[5, 5]] * 30]), json.dumps([[[x % 7, 3] for x in range(50)]]), json.dumps([[[9**9, 1], [2, 2]] * 20]),
     json.dumps([[[x % 100, x % 90] for x in range(7000)]]), json.dumps([[[1, 1], [90, 90]]] * 201)],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_no_signature_or_one_that_cannot_be_is_refused(app, strokes):
    with pytest.raises(Invalid) as refused:
        ink.read(strokes)
    assert set(refused.value.fields) == {"strokes"}


@pytest.mark.parametrize("change", [{}, {"by": 33}, {"times": 3}, {"by": 7, "times": 2}], ids=str)
def test_a_drawing_serves_once_wherever_it_stands_and_however_large(app, change):
    with unit_of_work():
        first, second = on_site(), on_site()
        for visit in (first, second):
            make.feedback_of(visit)
        sign(first)
        with pytest.raises(Invalid):
            sign(second, strokes=moved(make.drawing(), **change))
        assert sign(second, strokes=make.drawing(5)).ink != feedback.signature_of(first).ink


def test_a_change_after_signing_voids_the_signature_and_says_so(app):
    with unit_of_work():
        visit = on_site()
        make.feedback_of(visit, signed=True)
        feedback.report(visit, by=make.who("specialist"), outcomes=["报表已改好"], opinion="很满意")
        assert feedback.signature_of(visit) is not None, "nothing was changed"
        feedback.report(visit, by=make.who("specialist"), outcomes=["没改好"])
    assert feedback.signature_of(visit) is None
    assert kinds(visit)[-3:] == ["visit.signed", "visit.reported", "visit.unsigned"]


def test_who_signs_again_leaves_one_signature_that_holds(app):
    with unit_of_work():
        visit = on_site()
        make.feedback_of(visit, signed=True)
        sign(visit, name="李主任", strokes=make.drawing(3))
    assert feedback.signature_of(visit).name == "李主任"
    assert db.session.query(Signature).filter_by(visit_id=visit.id, voided_at=None).count() == 1


def test_a_form_signed_on_paper_needs_its_picture(app):
    me = make.who("specialist")
    with unit_of_work():
        visit = on_site()
        make.feedback_of(visit)
    with pytest.raises(Invalid) as refused, unit_of_work():
        feedback.scan(visit, by=me, name="王主任", position="总监", files=[])
    assert set(refused.value.fields) == {"file_signed"}
    with pytest.raises(Invalid), unit_of_work():
        feedback.scan(visit, by=me, name="王主任", position="总监", files=[_draft("文字.txt", "签了".encode())])
    with unit_of_work():
        key = _draft("反馈表.png", PNG)
        signed = feedback.scan(visit, by=me, name="王主任", position="总监", files=[key])
    assert (signed.way, signed.file_key) == ("paper", key) and feedback.fits(signed, visit)
    assert kinds(visit)[-2:] == ["visit.signed", "visit.attached"]


def _draft(name: str, content: bytes) -> str:
    file = files.draft(name, content, make.who("specialist"), feedback.PURPOSE)
    db.session.add(file)
    db.session.flush()
    return file.key


def test_one_scan_signs_one_visit_and_the_one_chosen_last(app):
    me = make.who("specialist")

    def kept(words: bytes) -> str:
        file = files.draft("form.pdf", b"%PDF-1.4\n" + words + b"\n%%EOF", me, feedback.PURPOSE)
        db.session.add(file)
        db.session.flush()
        return file.key

    with unit_of_work():
        one, another = on_site(), on_site()
        for visit in (one, another):
            make.feedback_of(visit)
        wrong, right = kept(b"wrong"), kept(b"right")
        signed = feedback.scan(one, by=me, name="王主任", position="总监", files=[wrong, right])
        assert signed.file_key == right
        with pytest.raises(Invalid) as refused:
            feedback.scan(another, by=me, name="王主任", position="总监", files=[kept(b"right")])
    assert "another visit" in str(refused.value.fields["file_signed"])


def test_a_signed_form_is_printed_as_it_was_signed_whatever_is_called_otherwise_later(app):
    with app.test_request_context(), unit_of_work():
        visit = make.handed_in()
        customer = db.session.get(make.Customer, visit.customer_id)
        was = customer.full_name or customer.title
        customer.full_name, customer.title = "改名以后有限公司", "改名以后"
        db.session.flush()
        assert feedback.fits(feedback.signature_of(visit), visit)
        said = json.dumps(list(printing.feedback(visit).blocks), ensure_ascii=False)
    assert was in said and "改名以后" not in said


def test_a_department_has_a_name(app, browser):
    form = forms.AgreedForm
    assert forms.rows_of("财务部：a\n：") == [{"name": "财务部", "waits": "a"}, {"name": "", "waits": ""}]
    with app.test_request_context(method="POST", data={"departments": "财务部：a\n："}):
        made = form()
        assert not made.validate() and "部门名称" in str(made.departments.errors[0])


def test_the_form_is_owed_from_the_return_and_kept_by_handing_it_in_signed(app, sound):
    me = make.who("specialist")
    with unit_of_work():
        visit = on_site()
        workflow.come_back(visit, by=me)
        due = owed(visit)["visit.hand_in"]
        assert (due.clause, due.due_at, due.owner_id) == ("5.7.2", clock.parse("2026-11-24T18:00"), me.id)
    with pytest.raises(Refused, match="not signed"), unit_of_work():
        feedback.hand_in(visit, by=me)
    with unit_of_work():
        make.feedback_of(visit, signed=True)
        feedback.hand_in(visit, by=me)
    assert visit.handed_in_at == clock.now() and "visit.hand_in" not in owed(visit)
    assert kinds(visit)[-1] == "visit.handed_in"
    for act in (lambda: make.feedback_of(visit), lambda: sign(visit, strokes=make.drawing(9)), lambda: feedback.hand_in(visit, by=me)):
        with pytest.raises(Refused, match="already"), unit_of_work():
            act()


def test_who_wrote_up_first_still_hands_in(app, sound):
    with unit_of_work():
        visit = on_site()
        workflow.come_back(visit, by=make.who("specialist"))
        make.written_up(visit)
        make.feedback_of(visit, signed=True)
        feedback.hand_in(visit, by=make.who("specialist"))
    assert not db.session.query(Duty).filter_by(subject_id=visit.id, rule="visit.hand_in", kept_by_id=None).count()


def test_the_whole_form_in_the_browser_with_nothing_lost(app, browser):
    with unit_of_work():
        visit = on_site(departments=[{"name": "财务部", "waits": "报表"}, {"name": "仓库", "waits": "盘点"}])
    page, path = browser("specialist"), visit.path
    assert page.get(f"{path}/signature").location == path, "there is nothing to sign yet"
    refused = page.send(f"{path}/feedback", page=path, outcome_0="修好了", opinion="来得及时")
    assert refused.status_code == 422 and "修好了" in refused.text and "来得及时" in refused.text
    assert page.send(f"{path}/feedback", page=path, outcome_0="修好了", outcome_1="盘点完", opinion="来得及时").status_code == 303
    here = page.get(f"{path}/signature").text
    assert all(word in here for word in ("修好了", "盘点完", "来得及时", text(visit)))
    signing = {"page": f"{path}/signature", "name": "王主任", "position": "财务总监"}
    assert page.send(f"{path}/signature", **signing).status_code == 422
    unnamed = page.send(f"{path}/signature", **{**signing, "name": ""}, strokes=make.drawing())
    assert unnamed.status_code == 422 and "[[10, 60]" in unnamed.text, "the drawing is there still"
    assert page.send(f"{path}/signature", **signing, strokes=make.drawing(), what="0" * 64).status_code == 409
    bare = {"csrf_token": page.token("/account"), "request_id": "a" * 32, "version": str(visit.version)}
    bare |= {"name": "王主任", "position": "财务总监", "strokes": make.drawing()}
    assert page.post(f"{path}/signature", bare).status_code == 409, "who signs says what"
    assert page.send(f"{path}/signature", **signing, strokes=make.drawing()).status_code == 303
    shown = page.get(path).text
    assert "<path d=" in shown and "王主任" in shown and "style=" not in shown
    assert page.send(f"{path}/return", page=path).status_code == 303
    assert "修好了" in page.get(path).text.partition('name="description"')[2][:300], "nothing is typed twice"
    assert page.send(f"{path}/hand-in", page=path).status_code == 303


def test_a_stale_form_shows_what_is_saved_now(app, browser):
    with unit_of_work():
        visit = on_site()
    page, path = browser("specialist"), visit.path
    version = visit.version
    assert page.send(f"{path}/feedback", page=path, outcome_0="修好了").status_code == 303
    stale = page.send(f"{path}/feedback", page=path, outcome_0="没修好", version=str(version))
    assert stale.status_code == 409 and "没修好" in stale.text and 'class="theirs"' in stale.text


def test_a_paper_form_is_sent_with_its_scan(app, browser):
    with unit_of_work():
        visit = on_site()
        make.feedback_of(visit)
    page, path = browser("specialist"), visit.path
    sent = page.send(f"{path}/signed-form", page=f"{path}/signature", name="王主任", position="总监",
                     file_signed=(io.BytesIO(make.PDF), "反馈表.pdf"))  # fmt: skip
    assert sent.status_code == 303
    assert feedback.signature_of(visit).way == "paper"


def test_a_form_that_changed_meanwhile_is_shown_and_signed_anew(app, browser):
    with unit_of_work():
        visit = on_site()
        make.feedback_of(visit)
    page, path, version = browser("specialist"), visit.path, str(visit.version)
    with unit_of_work():
        feedback.report(visit, by=make.who("specialist"), outcomes=["其实没好"])
    for noun in ("signature", "signed-form"):
        stale = page.send(f"{path}/{noun}", page=f"{path}/signature", name="王主任", position="总监", strokes=make.drawing(), version=version)
        assert stale.status_code == 409 and "其实没好" in stale.text and "王主任" in stale.text, noun
        assert text(visit) in stale.text and "[[10, 60]" not in stale.text, "the drawing was for another text"
        assert f'name="version" value="{visit.version}"' in stale.text


def test_a_customer_who_will_not_sign_holds_nothing_up_and_the_manager_looks_at_it(app, sound):
    me, manager = make.who("specialist"), make.who("manager")
    with unit_of_work():
        visit = on_site()
        make.feedback_of(visit)
        feedback.refuse(visit, by=me, name="王主任", position="财务总监", words="要等上级同意")
    assert owed(visit)["visit.see_refusal"].pool == "manager"
    page = Browser(app, me.login).get(visit.path).text
    assert "要等上级同意" in page and "did not sign" in page
    with unit_of_work():
        workflow.come_back(visit, by=me)
        feedback.hand_in(visit, by=me)
    assert "call.feedback" in owed(visit)  # the customer is asked all the same
    with unit_of_work():
        feedback.see(visit, by=manager)
    assert "visit.see_refusal" not in owed(visit)
    with pytest.raises(WrongState), unit_of_work():
        feedback.see(visit, by=manager)


def test_a_refusal_is_void_like_a_signature_once_the_form_is_changed_or_signed(app, sound):
    me = make.who("specialist")
    with unit_of_work():
        visit = on_site()
        make.feedback_of(visit)
        feedback.refuse(visit, by=me, name="王主任", position="财务总监", words="还没试过")
        feedback.report(visit, by=me, outcomes=["再改了一遍"])
        workflow.come_back(visit, by=me)
        with pytest.raises(Refused, match="why there is none"):
            feedback.hand_in(visit, by=me)
    assert "visit.see_refusal" not in owed(visit)
    with unit_of_work():
        feedback.refuse(visit, by=me, name="王主任", position="财务总监", words="还没试过")
        sign(visit)
    assert feedback.signature_of(visit).way == "screen" and "visit.see_refusal" not in owed(visit)


def test_the_record_a_visit_owes_is_never_dropped(app):
    with unit_of_work():
        visit = on_site()
        workflow.come_back(visit, by=make.who("specialist"))
        record = make.written_up(visit)
        tickets.reopen(record, by=make.who("specialist"), reason="写错了")
    with pytest.raises(Refused, match="never dropped"), unit_of_work():
        tickets.cancel(record, by=make.who("manager"), reason="不要了")
    assert "/cancellation" not in Browser(app, "manager").get(record.path).text


def test_the_page_the_customer_signs_leads_nowhere_but_back(app, browser):
    with unit_of_work():
        visit = on_site()
        make.feedback_of(visit)
    page = browser("specialist").get(f"{visit.path}/signature").text
    links = set(re.findall(r'href="(/[^"]*)"', page)) - set(re.findall(r'href="(/static[^"]*)"', page))
    assert links == {visit.path} and 'action="/search"' not in page


def test_who_has_signed_is_not_said_to_refuse(app, browser):
    with unit_of_work():
        visit = on_site()
        make.feedback_of(visit)
    page = browser("specialist")
    assert f"{visit.path}/unsigned" in page.get(visit.path).text
    with unit_of_work():
        sign(visit)
    assert f"{visit.path}/unsigned" not in page.get(visit.path).text
