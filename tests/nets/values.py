"""What a person would type into a form: by the field's name where that says it, else something that fits its kind."""

import io
import uuid

from tests import make

TEXT = "2024 年凭证"
VALUES = {
    "reason": "客户改了主意", "story": "客户不接受答复。", "answer": "免费再培训一次", "words": "客户同意", "until": "2026-11-26",
    "title": "报表打不开", "description": "一打开就报错", "short_name": "东方贸易", "name": "李会计", "department": "财务部",
    "contact_name": "赵会计", "email": "a@example.cn", "phone": "13900000001", "mobile": "13900000001", "brand": "金洋", "qq": "10001",
    "product_name": "财务通", "edition": "标准版", "users": "5", "starts_on": "2026-01-01", "ends_on": "2027-01-01",
    "installed_on": "2026-01-01", "use_seen_on": "2026-11-20", "asked_at": "2026-11-23T08:30", "answered_at": "2026-11-23T09:00",
    "wanted": "2026-12-01T18:00", "granted": "no", "day": "2026-12-25", "source": "通知", "kind": "off", "login": "xiaoli",
    "present": make.PASSWORD, "password": "four plain words here", "again": "four plain words here", "code": "000000",
    "uncovered_reason": "老客户", "service_qq": "10001", "f_told": "", "customer_q": "宏远机械", "language": "en",
    "roles": ["specialist"], "active": "y", "remark": "无", "act": "start", "position": "0", "purpose": "application",
    "category": "inquiry", "channel": "phone", "priority": "normal", "state": "active", "grade": "A", "use": "normal",
    "owner_id": "", "contact": "", "installation": "", "to": "", "refresh": "", "back": "/", "files": "",
    "c0": "short_name", "verb": "cancel", "query": "category=bug", "column": ["number"], "record": [], "contact_phone": "13900000002", "contact_qq": "10002",
    "arrive_at": "2026-11-24T09:00", "ends_at": "2026-11-24T12:00", "departments": "财务部：报表打不开", "cost": "800",
    "place": "甲柜二层", "sheets": "1", "of": "K0001",
    "standing_in": "经理出差", "at": "2026-11-24T10:00", "doubt": "年结还没做完", "comment": "都好", "software": "快一点就好", "unrecorded": "",
    "template": "notice", "body": "贵单位的合同 {number} 将于 {ends_on} 到期。", "subject": "到期通知", "arrived": "yes",
    "amount_fen": "1200.50", "fen": "200", "paper_number": "", "adjustment": "送一个月", "salesperson": "钱进", "terms": "周三寄回", "way": "fax",
    "ended_on": "2026-11-23", "signed_on": "2026-11-23", "sent_on": "2026-11-23", "returned_on": "2026-11-23", "paid_on": "2026-11-23", "posted_on": "2026-11-23",
    "copy_due_on": "2026-11-25", "payment_due_on": "2026-11-16", "invoice_title": "宏远机械", "invoice_address": "北京市海淀区",
    "invoice_recipient": "王会计", "courier_number": "SF1", "tax_number": "911100", "contract_number": "C2611-0001",
    "clause": "", "attitude": "5", "skill": "5", "result": "4",
    "outcome_0": "报表已改好", "open_points": "下周复查", "opinion": "满意", "strokes": make.drawing(),
    "expected_on": "2026-12-07", "updated_on": "2026-11-23", "changed": "取数按部门", "how_to_test": "打开部门费用表", "told": "电话告诉王会计",
    "requirement": "按部门汇总", "agreed": "只改取数", "said": "好用", "mark": "5",
    "facts": "迟到十五分钟", "on": "2026-11-23", "outcome": "upheld", "happened_at": "2026-11-20T10:00", "witnesses": "王芳",
    "said_on": "2026-11-23", "findings": "听过录音，属实", "about": "", "against": "",
    "f_question": "怎么结账", "f_answer": "先过账",
    "holds_from": "2026-12-01", "base": "R0001", "zh": "数据修复", "en": "Data repair",
    "text": "[hours]\nopen = [\"09:00-12:00\"]",
}  # fmt: skip
# where one name means another thing on another page
ON = {
    "/result": {"doubt": ""}, "/callbacks/": {"contact_name": "", "doubt": "", "unrecorded": "", "clause": ""}, "/escalation": {"doubt": "年结还没做完"},
    "/extensions/": {"until": "2026-12-01T18:00"}, "/staff": {"title": "小李", "password": ""},
    "/customers/new": {"code": "000001"}, "/login": {"login": "specialist", "password": make.PASSWORD},
    "/visits": {"place": "南京"}, "/papers/new": {"kind": "other"}, "/papers/absence": {"kind": "other"},
    "/opinions": {"way": "call", "kind": "suggestion", "answer": "已道歉"},
    "/absences": {"ends_on": "2026-11-25", "unforeseen": "y"}, "/absences/new": {"kind": "annual", "starts_on": "2027-03-01", "ends_on": "2027-03-01"},
    "/remarks": {"customer": "K0001"},
    "/password": {"password": "four plain words here"},
    "/trials": {"since": "2026-07-01", "until": "2026-09-30"}, "/suggestions": {"kind": "suggestion", "draft": "W0001", "answer": "下一版改"},
    "/answer": {"fen": ""},  # nothing is reduced
    "/penalties/new": {"fen": ""},  # the first clause fixes what it costs
    "/sanction": {"kind": "warning", "amount": "", "clause": "3.11"}, "/field": {"key": "repaired", "kind": "line"}, "/category": {"key": "data_repair"},
}  # fmt: skip
TABLE = "简称,地区\n甲公司,北京\n乙公司,上海\n".encode()
NOTICE = b'{"year": 2027, "days": [{"name": "x", "date": "2027-01-01", "isOffDay": true}]}'
LISTS = {
    "customers": TABLE,
    "contracts": "合同编号,客户名称,产品,合同金额,服务开始,服务到期\nHT-1,宏远机械,财务通,1200,2030-1-1,2030-12-31\nHT-2,没有这家,财务通,,2030-1-1,一年\n".encode(),
    "serials": "序列号,客户名称,产品,有效期起,有效期止\nJY-0001,宏远机械,财务通,2026-1-1,2026-12-31\nJY-0002,没有这家,,2026-1-1,2026-12-31\n".encode(),
}
FILES = {"notice": (NOTICE, "2027.json")} | {f"/{noun}/import": (table, "list.csv") for noun, table in LISTS.items()}
KEPT = ("csrf_token", "version", "request_id")  # of the page, as they stand there


def typed(path: str, form: dict) -> dict:
    """The form's fields with what was in them, and something fitting where nothing was."""
    values = VALUES | {name: value for part, own in ON.items() if part in path for name, value in own.items()}
    filled = {}
    for name in {**form["fields"], **form["choices"]}:
        there, offered = form["fields"].get(name, ""), [one for one in form["choices"].get(name, []) if one]
        if _said(there) or name in KEPT:
            filled[name] = there
        elif offered:
            wanted = values.get(name)
            filled[name] = wanted if wanted and set(_all(wanted)) <= set(offered) else offered[-(name == "second")]  # two witnesses are two people
        else:
            filled[name] = values.get(name, TEXT)
    return filled


def anything(path: str) -> dict:
    """All values there are, for whoever is not shown the form."""
    values = VALUES | {name: value for part, own in ON.items() if part in path for name, value in own.items()}
    return values | {"request_id": uuid.uuid4().hex}


def _said(there) -> bool:
    return bool(there.strip() if isinstance(there, str) else there)


def _all(value) -> list[str]:
    return value if isinstance(value, list) else [value]


def files(path: str, form: dict) -> dict:
    """A file for each input that takes one."""
    return {name: stream(path, name) for name in form["files"]}


def stream(path: str, name: str):
    content, shown = FILES.get(path) or FILES.get(name) or (make.PDF, "申请.pdf")
    return io.BytesIO(content), shown
