"""Which columns of a customers' list the program knows, and what may stand in them."""

import re
import unicodedata

from crm.customers.models import Grade
from crm.errors import Invalid
from crm.labels import N_
from crm.sheets.columns import Columns, Field, shown
from crm.sheets.reading import LONGEST_CELL

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")


def _email(text: str, column: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise Invalid(N_("%(column)s: %(value)s is no e-mail address."), column=column, value=shown(text))
    return text


def _grade(text: str, column: str) -> str:
    """`b`, `Ｂ` and `B级` are B."""
    grade = unicodedata.normalize("NFKC", text).upper().rstrip("级类 ")
    if grade not in set(Grade):
        raise Invalid(N_("%(column)s: %(value)s is none of A, B and C."), column=column, value=shown(text))
    return grade


FIELDS: dict[str, Field] = {
    "short_name": Field(N_("Short name"), 100, "简称 客户简称 单位简称 公司简称 企业简称 customershortname"),
    "full_name": Field(N_("Full name"), 200, "全称 客户全称 单位全称 公司全称 企业全称 单位全名 客户全名 legalname"),
    "code": Field(
        N_("Code"), 50, "代码 编码 编号 客户代码 客户编码 客户编号 单位代码 单位编码 单位编号 公司代码 证券代码 股票代码 "
        "customercode customerno customernumber"),
    "grade": Field(N_("Grade"), 20, "等级 客户等级 单位等级 级别 客户级别 评级 level customergrade", _grade),
    "region": Field(
        N_("Region"), 50, "省份 省 所在省份 province 地区 区域 所在地区 所在区域 所属地区 所属区域 area"),
    "address": Field(
        N_("Address"), 300, "地址 单位地址 公司地址 客户地址 联系地址 通讯地址 通信地址 详细地址 办公地址 注册地址"),
    "phone": Field(
        N_("Phone"), 50, "电话 电话号码 联系电话 单位电话 公司电话 办公电话 总机 telephone tel phonenumber"),
    "fax": Field(N_("Fax"), 50, "传真 传真号 传真号码 单位传真 公司传真 faxnumber"),
    "email": Field(N_("E-mail"), 200, "邮箱 电子邮箱 电子邮件 单位邮箱 公司邮箱 mail emailaddress", _email),
    "invoice_title": Field(N_("Invoice title"), 200, "发票抬头 开票抬头 开票名称 抬头"),
    "tax_number": Field(
        N_("Tax number"), 50, "税号 纳税人识别号 纳税识别号 税务登记号 统一社会信用代码 社会信用代码 taxno taxid"),
    "bank": Field(N_("Bank"), 200, "开户行 开户银行 银行 bankname"),
    "bank_account": Field(N_("Bank account"), 50, "账号 帐号 银行账号 银行帐号 银行账户 开户账号 accountnumber"),
    "remark": Field(N_("Remark"), LONGEST_CELL, "备注 说明 附注 remarks note notes comment comments", lines=True),
    "owner": Field(
        N_("Responsible specialist"), 100, "服务专员 负责专员 责任专员 客户专员 专员 服务负责人 specialist responsible"),
    "contact_name": Field(N_("Contact"), 50, "联系人 联系人姓名 联系人名称 contactperson"),
    "contact_department": Field(N_("Contact's department"), 100, "部门 所在部门 联系人部门 department"),
    "contact_position": Field(N_("Contact's position"), 100, "职务 职位 岗位 联系人职务 联系人职位 position jobtitle"),
    "contact_phone": Field(N_("Contact's phone"), 50, "联系人电话 联系人座机"),
    "contact_mobile": Field(
        N_("Contact's mobile"), 50, "手机 手机号 手机号码 移动电话 联系手机 联系人手机 mobile mobilephone cellphone"),
    "contact_qq": Field(N_("Contact's QQ"), 30, "qq qq号 qq号码 联系人qq"),
    "contact_wechat": Field(N_("Contact's WeChat"), 50, "微信 微信号 联系人微信 wechat"),
    "contact_email": Field(N_("Contact's e-mail"), 200, "联系人邮箱 联系人电子邮箱 联系人邮件", _email),
}  # fmt: skip
COLUMNS = Columns(
    FIELDS,
    vague="name 名称 客户名称 单位名称 公司名称 企业名称 客户单位 客户 单位 customer customername companyname company unit",
    either=("full_name", "short_name"),
)  # fmt: skip
