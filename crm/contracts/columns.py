"""Which columns of a list of contracts the program knows."""

from crm.errors import Invalid
from crm.labels import N_
from crm.serials.listed import COLUMNS as SHARED
from crm.sheets import cells
from crm.sheets.columns import Columns, Field, shown
from crm.sheets.reading import LONGEST_CELL


def _service(text: str, column: str) -> str:
    """Only contracts for service have a period: of a sales contract more must be said than a list says."""
    if "服务" in text or "维护" in text or "service" in text.casefold() or "维保" in text:
        return text
    raise Invalid(N_("%(column)s: %(value)s. Only service contracts are taken in; draft others under Contracts."),
                  column=column, value=shown(text))  # fmt: skip


FIELDS: dict[str, Field] = {
    "paper_number": Field(
        N_("Number on the paper"), 50, "合同编号 纸质合同编号 合同号 合同号码 合同编码 协议编号 协议号 "
        "contractno contractnumber", cells.code),
    "external_ref": Field(N_("Number elsewhere"), 100, "外部编号 原系统编号 原编号 系统编号 externalref", cells.code),
    **SHARED,
    "title": Field(N_("What the contract is for"), 120, "合同名称 合同事项 合同标题 合同内容 服务内容 服务项目 项目名称 "
        "title subject"),
    "kind": Field(N_("Kind"), 50, "合同类型 合同类别 合同性质 类型 类别 contracttype", _service),
    "amount": Field(
        N_("Amount"), 40, "合同金额 合同金额(元) 金额 金额(元) 合同总额 合同价 合同款 服务费 "
        "服务金额 总金额 amountinyuan", cells.amount),
    "signed_on": Field(
        N_("Signed on"), 40, "签订日期 签约日期 签署日期 签订时间 签约时间 签字日期 合同日期 signed signaturedate", cells.day),
    "starts_on": Field(
        N_("First day"), 40, "服务开始 服务开始日期 服务起始 服务起始日期 服务期起 服务起 开始日期 起始日期 起始日 生效日期 开始 "
        "startdate start from", cells.day),
    "ends_on": Field(
        N_("Last day"), 40, "服务到期 服务到期日 服务到期日期 服务截止 服务截止日期 服务结束 服务结束日期 服务期止 服务止 "
        "到期日期 到期日 截止日期 截止日 结束日期 终止日期 到期 enddate end until expirydate", cells.day),
    "term": Field(N_("Term"), 60, "服务期限 服务期 服务期间 合同期限 服务年限 期限 年限 period", cells.term),
    "paid": Field(
        N_("Paid"), 40, "已付金额 已付金额(元) 已付款 已付 已收金额 已收款 已收 回款金额 到账金额 paidamount", cells.amount),
    "paid_on": Field(N_("Paid on"), 40, "付款日期 收款日期 回款日期 到账日期 付款时间 paymentdate", cells.day),
    "payment_due_on": Field(N_("Payment due on"), 40, "付款期限 应付款日期 约定付款日期 应付日期 应收日期 付款截止日期 "
        "duedate", cells.day),
    "salesperson": Field(N_("Salesperson"), 50, "业务员 销售员 销售 销售人员 销售代表 客户经理 sales"),
    "contact_name": Field(N_("Contact"), 50, "联系人 客户联系人 联系人姓名 甲方联系人 contactperson"),
    "contact_phone": Field(N_("Contact's phone"), 50, "联系电话 联系人电话 电话 手机 联系方式 phone mobile"),
    "remark": Field(N_("Remark"), LONGEST_CELL, "备注 说明 附注 remarks note notes", lines=True),
}  # fmt: skip
COLUMNS = Columns(FIELDS)
