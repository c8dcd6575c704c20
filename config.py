"""Settings: environment variables that begin with CRM_, read once at the start."""

import os
from datetime import timedelta
from pathlib import Path

INSTANCE = str(Path(os.environ.get("CRM_INSTANCE", "instance")).absolute())
SQLALCHEMY_DATABASE_URI = os.environ.get("CRM_DATABASE_URL") or f"sqlite:///{INSTANCE}/crm.db"
CRM_URL = os.environ.get("CRM_URL", "")  # the address people reach it at; https makes cookies Secure
PROXIES = int(
    os.environ.get("CRM_PROXIES", "0")
)  # how many of ours stand before it; only their word on addresses counts
HOSTS = os.environ.get("CRM_HOSTS", "")  # further names it answers to, beside the host of CRM_URL
SECRET_KEY = os.environ.get("CRM_SECRET_KEY")  # else the key `crm init` or `make run` wrote into the instance folder

IDLE = timedelta(minutes=int(os.environ.get("CRM_IDLE_MINUTES", "30")))  # without a click, a session ends after it
MAX_CONTENT_LENGTH = 32 * 1024 * 1024  # of one request, its files included
MAX_FORM_MEMORY_SIZE = 2 * 1024 * 1024
MAX_FORM_PARTS = 500

SESSION_COOKIE_HTTPONLY = True
SESSION_REFRESH_EACH_REQUEST = False  # written anew when it changes, never beside a static file
SESSION_COOKIE_SAMESITE = "Lax"
PERMANENT_SESSION_LIFETIME = timedelta(hours=12)
WTF_CSRF_TIME_LIMIT = None  # a long form must not die of age; the token lives as long as its session
SEND_FILE_MAX_AGE_DEFAULT = timedelta(days=30)  # addresses of static files carry their version
BABEL_DEFAULT_LOCALE = "zh_Hans_CN"
BABEL_DEFAULT_TIMEZONE = "Asia/Shanghai"

MAIL = os.environ.get("CRM_MAIL", "")  # smtp://name:password@host:587; without it letters lie in the instance's outbox/
MAIL_FROM = os.environ.get("CRM_MAIL_FROM", "")  # the address letters come from
FAX = os.environ.get("CRM_FAX", "")  # the fax gateway's addresses, such as {number}@fax.example.com
