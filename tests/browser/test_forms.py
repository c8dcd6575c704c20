"""What a browser does with a form before it is sent: nothing is left behind, and nothing that opens beside it stops it."""

import time

from crm.contracts.models import COPY
from crm.db import db, unit_of_work
from crm.files.models import File
from crm.letters.models import LetterVersion
from tests import make


def test_a_text_is_looked_at_and_then_saved(served, open_page):
    page = open_page("director")
    page.goto("/letters/L0001")
    page.fill("[name=body]", page.input_value("[name=body]") + "\n此致敬礼")
    with page.context.expect_page() as beside:
        page.click("button[formtarget=_blank]")
    beside.value.close()
    page.locator("form.narrow button.btn-primary, main form button.btn-primary").last.click()
    page.wait_for_load_state()
    assert page.locator(".alert-success").count() == 1, page.locator("main").inner_text()
    with served.app_context():
        newest = db.session.query(LetterVersion).order_by(LetterVersion.id.desc()).first()
        assert newest.body.endswith("此致敬礼")


def test_what_was_typed_for_one_renewal_does_not_come_back_in_another_s(served, open_page):
    with served.app_context(), unit_of_work():
        first, second = make.in_force(), make.in_force()
        of, other = first.number, second.number
    page = open_page("specialist")
    page.goto(f"/contracts/new?of={of}")
    page.fill("[name=remark]", "宏远机械要求分两次付款")
    page.goto(f"/contracts/new?of={other}")
    assert page.input_value("[name=remark]") == "" and page.locator(".restored").count() == 0
    page.goto(f"/contracts/new?of={of}")
    assert page.input_value("[name=remark]") == "宏远机械要求分两次付款"


def test_a_form_waits_for_the_file_that_is_still_going_up(served, open_page, tmp_path):
    with served.app_context(), unit_of_work():
        contract = make.contract(upto="sent")
        path, number = contract.path, contract.id
    scan = tmp_path / "回签.pdf"
    scan.write_bytes(make.PDF)
    page = open_page("specialist")

    def slowly(route):
        time.sleep(1)
        route.continue_()

    page.route("**/files", slowly)
    page.goto(path)
    form = page.locator("#copy")
    if not form.evaluate("one => one.open"):
        form.locator("summary").click()
    form.locator("[type=file]").set_input_files(scan)
    form.locator("button.btn").last.click()
    page.locator(".alert-success").wait_for()
    with served.app_context():
        [file] = db.session.query(File).filter_by(subject_id=number).all()
        assert file.purpose == COPY


def test_a_part_that_belongs_to_some_values_of_a_field_is_shown_with_those(served, open_page):
    page = open_page("manager")
    page.goto("/penalties/new")
    says = page.locator("p[data-of=key]:visible")
    assert says.count() == 0
    page.select_option("[name=key]", "7.4")
    assert says.count() == 1 and "¥30" in says.inner_text()
    page.select_option("[name=key]", "3.9.late")
    assert says.count() == 1 and "¥20" in says.inner_text()
    page.goto("/tickets/new")
    shown = lambda: page.locator("[name=service_qq]").is_visible()  # noqa: E731
    page.select_option("[name=channel]", "qq")
    assert shown()
    page.select_option("[name=channel]", "phone")
    assert not shown()
    fields = {}
    for category in ("report_problem", "inquiry"):
        page.select_option("[name=category]", category)
        fields[category] = page.locator("[data-of=category]:visible").count()
    assert fields["report_problem"] > fields["inquiry"] > 0
