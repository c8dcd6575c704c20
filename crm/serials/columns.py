"""Which columns of a list of serial numbers the program knows."""

from crm.errors import Invalid
from crm.labels import N_
from crm.serials.listed import COLUMNS as SHARED
from crm.serials.numbers import LETTERS, plain
from crm.sheets import cells
from crm.sheets.columns import Columns, Field


def _number(text: str, column: str) -> str:
    """As it is kept. The number itself stands in no message: those are kept, and it is not for everybody."""
    number = plain(text)
    if len(number) not in LETTERS:
        raise Invalid(N_("%(column)s: a serial number has 4 to 60 letters."), column=column)
    return number


FIELDS: dict[str, Field] = {
    "number": Field(
        N_("Serial number"), 200, "序列号 软件序列号 产品序列号 注册号 注册码 授权号 授权码 加密狗号 serial serialno", _number),
    **SHARED,
    "starts_on": Field(
        N_("First day"), 40, "有效期起 有效期始 有效期开始 有效起始日期 起始日期 起始日 开始日期 启用日期 生效日期 有效期自 起 "
        "validfrom startdate from", cells.day),
    "ends_on": Field(
        N_("Last day"), 40, "有效期止 有效期至 有效期截止 有效期结束 到期日期 到期日 截止日期 截止日 结束日期 失效日期 止 "
        "validuntil enddate until expirydate", cells.day),
    "term": Field(N_("Term"), 60, "有效期 有效期限 期限 使用期限 服务期限 period", cells.term),
    "issued_by": Field(N_("Issued by"), 100, "发放人 发号人 经办人 制作人 发放人员 issuer"),
    "issued_on": Field(N_("Issued on"), 40, "发放日期 发号日期 发放时间 制作日期 下发日期 issuedate", cells.day),
    "contact_name": Field(N_("Handed to"), 50, "领用人 交付给 领取人 接收人 签收人 客户领用人 联系人 recipient"),
    "given_on": Field(N_("Handed over on"), 40, "领用日期 领取日期 交付日期 签收日期 接收日期 handoverdate", cells.day),
}  # fmt: skip
COLUMNS = Columns(FIELDS)
