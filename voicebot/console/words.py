"""Words: everything the console says, in Chinese first and English as the switch."""

from __future__ import annotations

import datetime as dt
import json
import re
from functools import cache
from importlib.resources import files

from voicebot.console.account_words import ACCOUNT_TEXTS
from voicebot.console.campaign_words import CAMPAIGN_TEXTS
from voicebot.console.case_words import CASE_TEXTS
from voicebot.console.desk_words import DESK_TEXTS
from voicebot.console.dialling_words import DIALLING_TEXTS
from voicebot.console.evidence_words import EVIDENCE_TEXTS
from voicebot.console.follow_words import FOLLOW_TEXTS
from voicebot.console.line_words import LINE_TEXTS
from voicebot.console.quality_words import QUALITY_TEXTS
from voicebot.console.report_words import REPORT_TEXTS
from voicebot.console.rulebook_words import RULEBOOK_TEXTS
from voicebot.console.script_words import SCRIPT_TEXTS
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.money import yuan

LANGUAGES = ("zh", "en")


class Words:
    """The vocabulary of one language: `words("nav.calls")`; an unknown key is returned as it is."""

    def __init__(self, language: str = "zh") -> None:
        self.language = language if language in LANGUAGES else "zh"
        self._index = LANGUAGES.index(self.language)

    def __call__(self, key: str, **values: object) -> str:
        pair = TEXTS.get(key)
        text = pair[self._index] if pair else key
        return text.format(**values) if values else text

    def intent(self, intent_id: str) -> str:
        """The name of an intent; English shows the id, which is what scripts are written with."""
        return intent_names().get(intent_id, intent_id) if self.language == "zh" else intent_id

    def explain(self, why: str) -> str:
        """A reason from the journal, which is written in ids, in the words of this language."""
        if self.language != "zh":
            return why
        for written, told in _PHRASES:
            why = why.replace(written, told)
        return _ID.sub(lambda found: self.intent(self(found.group())), why)

    def money(self, fen: int) -> str:
        whole, _, rest = yuan(fen).partition(".")
        grouped = f"{int(whole):,}"
        return f"¥{grouped}.{rest}" if rest else f"¥{grouped}"

    def moment(self, at: dt.datetime | None) -> str:
        """Month, day and time in the law's zone."""
        return at.astimezone(SHANGHAI).strftime("%m-%d %H:%M:%S") if at else "—"

    def date(self, date: dt.date) -> str:
        names = WEEKDAYS[self._index]
        return f"{date.isoformat()} {names[date.weekday()]}"

    def length(self, seconds: float) -> str:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes}:{rest:02d}"


@cache
def intent_names() -> dict[str, str]:
    """Chinese names of the intents by id."""
    text = files("voicebot.console").joinpath("intent_names.json").read_text(encoding="utf-8")
    names: dict[str, str] = json.loads(text)
    return names


_ID = re.compile(r"[a-z]+(?:_[a-z]+)*")
_PHRASES = (
    ("read back and confirmed", "已复述并确认"),
    ("identity factor", "身份信息核对一致"),
    ("the line is open", "电话接通"),
    ("; emotion ", "；情绪："),
    ("heard ", "听到："),
    ("hung up", "挂断"),
)

WEEKDAYS = (
    ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
)

TEXTS: dict[str, tuple[str, str]] = {
    "product": ("智能外呼", "Voicebot"),
    "product.sub": ("还款提醒语音系统", "Debt reminder calls"),
    "group.now": ("现场", "Now"),
    "group.dialling": ("外呼", "Dialling"),
    "group.follow": ("跟进", "Follow-up"),
    "group.quality": ("质量与合规", "Quality and law"),
    "group.system": ("系统", "System"),
    "nav.running": ("实时通话", "Live calls"),
    "nav.calls": ("通话记录", "Calls"),
    "nav.cases": ("案件", "Cases"),
    "nav.campaigns": ("外呼任务", "Campaigns"),
    "theme": ("切换明暗主题", "Switch theme"),
    "language": ("English", "中文"),
    "logout": ("退出登录", "Log out"),
    "role.admin": ("管理员", "Administrator"),
    "role.operator": ("运营", "Operator"),
    "role.supervisor": ("主管", "Supervisor"),
    "role.reviewer": ("质检", "Reviewer"),
    "role.agent": ("坐席", "Agent"),
    "role.designer": ("话术设计", "Designer"),
    "role.api": ("接口", "API"),
    # login
    "login.title": ("登录控制台", "Log in to the console"),
    "login.user": ("用户名", "User name"),
    "login.password": ("密码", "Password"),
    "login.submit": ("登录", "Log in"),
    "login.wrong": ("用户名或密码不正确。", "User name or password is wrong."),
    "login.locked": (
        "失败次数过多，已锁定。请在 {minutes} 分钟后再试，或联系管理员。",
        "Too many failures: locked. Try again in {minutes} minutes, or ask an administrator.",
    ),
    "login.demo": ("演示账号", "Demo account"),
    "setup.title": ("创建管理员", "Create the administrator"),
    "setup.lead": (
        "首次启动：设置第一个账号。此链接只能使用一次。",
        "First start: set up the first account. This link works once.",
    ),
    "setup.submit": ("创建并登录", "Create and log in"),
    "setup.short": ("密码至少需要 10 个字符。", "The password needs at least 10 characters."),
    "setup.name": (
        "用户名只能用字母、数字、点、横线，2 至 32 个字符。",
        "A user name has 2 to 32 letters, digits, dots or dashes.",
    ),
    "setup.gone": (
        "链接已失效或已使用。请重启服务以获取新链接。",
        "This link is used or has expired. Restart the server for a new one.",
    ),
    # common
    "loading": ("加载中…", "Loading…"),
    "search": ("搜索", "Search"),
    "reset": ("清除", "Clear"),
    "all": ("全部", "All"),
    "back": ("返回", "Back"),
    "previous": ("上一页", "Previous"),
    "next": ("下一页", "Next"),
    "page.of": ("共 {total} 条 · 第 {number} / {last} 页", "{total} in all · page {number} of {last}"),
    "yes": ("是", "Yes"),
    "no": ("否", "No"),
    "cancel": ("取消", "Cancel"),
    "not_found": ("没有找到", "Not found"),
    "not_found.call": (
        "没有编号为 {id} 的通话。它可能已按保留期限删除。",
        "There is no call {id}. It may have been deleted when its retention ended.",
    ),
    "not_found.case": ("没有编号为 {id} 的案件。", "There is no case {id}."),
    "reload": ("刷新", "Reload"),
    "error": ("页面暂时无法显示", "This page cannot be shown right now"),
    "error.lead": (
        "数据库没有回答。请检查 voicebot serve 的日志，然后刷新。",
        "The database did not answer. Look at the log of voicebot serve, then reload.",
    ),
    "inbound": ("呼入", "Inbound"),
    "outbound": ("外呼", "Outbound"),
    # running
    "running.title": ("实时通话", "Live calls"),
    "running.lead": ("正在进行的通话，逐字更新", "Calls in progress, word by word"),
    "running.none": ("当前没有通话", "No call is running"),
    "running.none.lead": (
        "启动一个外呼任务，或等待来电。通话一开始，这里就会出现。",
        "Start a campaign or wait for somebody to ring. A call shows here as it begins.",
    ),
    "running.to_campaigns": ("查看外呼任务", "Go to campaigns"),
    "today": ("今日", "Today"),
    "today.calls": ("通话", "Calls"),
    "today.talked": ("接通", "Answered"),
    "today.promised": ("承诺还款", "Promised"),
    "today.promises": ("{count} 笔", "{count} promises"),
    "today.handoffs": ("转人工", "Hand-overs"),
    "today.outcomes": ("通话结果", "Outcomes"),
    "today.others": ("其他", "Others"),
    "today.ended": ("已结束", "ended"),
    "today.none": ("今天还没有结束的通话", "No call has ended today"),
    "live.waiting": ("等待接听…", "Waiting for an answer…"),
    "hangup": ("挂断", "Hang up"),
    "hangup.ask": ("挂断与 {name} 的通话？", "Hang up the call with {name}?"),
    "hangup.lead": (
        "对方会立即听到挂断，通话记为由操作员结束。",
        "The line goes dead at once; the call is recorded as ended by you.",
    ),
    "hangup.done": ("已请求挂断", "Hang-up requested"),
    "hangup.gone": ("通话已经结束", "The call has already ended"),
    "open": ("详情", "Open"),
    "stage.dialling": ("拨号中", "Dialling"),
    "stage.ringing": ("振铃中", "Ringing"),
    "stage.talking": ("通话中", "Talking"),
    "stage.transferring": ("转接中", "Transferring"),
    "stage.agent": ("人工接管", "With an agent"),
    "stage.ended": ("已结束", "Ended"),
    "speaker.bot": ("机器人", "Bot"),
    "speaker.caller": ("客户", "Debtor"),
    "speaker.agent": ("坐席", "Agent"),
    "verified": ("已核身", "Identity verified"),
    "unverified": ("未核身", "Not verified"),
    "danger": ("人身安全风险", "Danger to self"),
    "unknown_caller": ("未知来电", "Unknown caller"),
    # calls
    "calls.title": ("通话记录", "Calls"),
    "calls.lead": ("按姓名、案件号或通话内容搜索", "Search names, case numbers and what was said"),
    "calls.search": ("姓名、案件号、通话内容…", "Name, case number, words spoken…"),
    "calls.none": ("没有符合条件的通话", "No call matches"),
    "calls.none.lead": ("换一个关键词，或放宽日期范围。", "Try another word or a wider range of dates."),
    "calls.empty": ("还没有通话记录", "No calls yet"),
    "calls.empty.lead": ("第一通电话结束后会出现在这里。", "The first call shows here when it has ended."),
    "since": ("从", "From"),
    "until": ("到", "To"),
    "col.time": ("时间", "Time"),
    "col.debtor": ("客户", "Debtor"),
    "col.case": ("案件", "Case"),
    "col.outcome": ("结果", "Outcome"),
    "col.promise": ("承诺", "Promise"),
    "col.emotion": ("情绪", "Emotion"),
    "col.length": ("时长", "Length"),
    "col.amount": ("欠款", "Amount due"),
    "col.overdue": ("逾期", "Overdue"),
    "col.creditor": ("债权人", "Creditor"),
    "col.product": ("产品", "Product"),
    "col.attempts": ("拨打", "Attempts"),
    "col.last": ("最近结果", "Last outcome"),
    "col.number": ("号码", "Number"),
    "col.state": ("状态", "State"),
    "days": ("{count} 天", "{count} d"),
    # call
    "call.title": ("通话详情", "Call"),
    "call.recording": ("录音", "Recording"),
    "call.no_audio": ("没有可播放的录音", "No recording to play"),
    "call.no_audio.lead": (
        "未接通的通话没有录音；进行中的通话在结束后可播放。",
        "A call nobody answered leaves none; a running call can be played when it has ended.",
    ),
    "call.transcript": ("对话", "Transcript"),
    "call.transcript.none": ("没有对话内容", "Nothing was said"),
    "call.transcript.hint": ("点击句子跳转播放", "Click a sentence to play from there"),
    "call.path": ("话术路径", "Path through the script"),
    "call.path.none": ("话术尚未开始", "The script did not start"),
    "call.handover": ("转接人工", "Hand-over to a person"),
    "call.handover.none": ("本次通话没有转接", "No hand-over in this call"),
    "call.promise": ("还款承诺", "Promise to pay"),
    "call.promise.none": ("没有作出承诺", "No promise was made"),
    "call.promise.confirmed": ("已复述并确认", "Read back and confirmed"),
    "call.promise.unconfirmed": ("未确认", "Not confirmed"),
    "call.summary": ("概要", "Summary"),
    "call.why": ("依据", "Why"),
    "call.latency": ("应答延迟（中位）", "Answer delay (median)"),
    "call.identity": ("身份", "Identity"),
    "call.direction": ("方向", "Direction"),
    "call.script": ("话术", "Script"),
    "call.campaign": ("任务", "Campaign"),
    "call.id": ("通话编号", "Call id"),
    "call.lane.emotion": ("情绪", "Emotion"),
    "call.lane.intent": ("意图", "Intent"),
    "call.interrupted": ("被打断", "interrupted"),
    "call.events": ("经过", "Events"),
    "play": ("播放", "Play"),
    "pause": ("暂停", "Pause"),
    "speed": ("倍速", "Speed"),
    "keys": ("空格 播放 · ←/→ 5 秒 · J/K 上下句", "Space plays · ←/→ 5 s · J/K sentence"),
    "evidence": ("证据", "Evidence"),
    "evidence.unchecked": ("点击核验", "Verify now"),
    "evidence.checking": ("正在核验…", "Verifying…"),
    "evidence.valid": ("核验通过，未被改动", "Verified: nothing was changed"),
    "evidence.invalid": ("核验未通过", "Verification failed"),
    "evidence.none": ("尚无证据包", "No bundle yet"),
    "evidence.none.lead": ("通话结束后自动封存。", "Sealed when the call has ended."),
    "evidence.download": ("下载证据包", "Download bundle"),
    "evidence.lead": (
        "录音与日志逐秒链接哈希并签名，任何一位被改都会被发现。",
        "Sound and journal are hash-chained per second and signed; one flipped bit is found.",
    ),
    # cases and what is written to debtors
    "message.promise_recap": ("约定确认", "What was agreed"),
    "message.promise_due": ("约定当日提醒", "Reminder on the day"),
    "attempt.waiting": ("待拨", "Waiting"),
    "attempt.leased": ("即将拨打", "About to ring"),
    "attempt.placed": ("拨打中", "Ringing"),
    "attempt.settled": ("已完成", "Done"),
    "attempt.cancelled": ("已取消", "Cancelled"),
    "attempt.denied": ("规则不允许", "Not allowed"),
    # campaigns
    "campaigns.title": ("外呼任务", "Campaigns"),
    "campaigns.lead": ("启动、停止，查看进度", "Start, stop and watch"),
    "campaigns.none": ("还没有外呼任务", "No campaigns yet"),
    "campaigns.none.lead": (
        "先导入案件，再新建任务选择要提醒的案件。",
        "Import cases first, then add a campaign that takes some of them.",
    ),
    "campaigns.new": ("新建任务", "New campaign"),
    "campaigns.name": ("名称", "Name"),
    "campaigns.name.example": ("例如：十一月 M1 提醒", "such as: November M1 reminders"),
    "campaigns.overdue": ("逾期天数", "Days overdue"),
    "campaigns.amount": ("欠款金额（元）", "Amount due (yuan)"),
    "campaigns.strategy": ("策略", "Strategy"),
    "campaigns.at_once": ("启动后全部拨打", "Ring everybody once it starts"),
    "campaigns.on_days": ("{title}（逾期第 {days} 天）", "{title} (days overdue: {days})"),
    "campaigns.hours": ("拨打时段", "Hours"),
    "campaigns.concurrency": ("同时通话上限", "Calls at once"),
    "campaigns.any": ("不限", "any"),
    "campaigns.create": ("创建", "Create"),
    "campaigns.created": ("任务已创建，点击启动开始外呼", "Campaign created; start it to dial"),
    "campaigns.start": ("启动", "Start"),
    "campaigns.stop": ("停止", "Stop"),
    "campaigns.active": ("进行中", "Running"),
    "campaigns.idle": ("已停止", "Stopped"),
    "campaigns.done": ("完成", "Done"),
    "campaigns.running": ("通话中", "On the line"),
    "campaigns.waiting": ("等待", "Waiting"),
    "campaigns.promised": ("还款承诺", "Promises"),
    "campaigns.script": ("话术", "Script"),
    "campaigns.started": ("任务已启动", "Campaign started"),
    "campaigns.stopped": (
        "任务已停止，进行中的通话会正常结束",
        "Campaign stopped; running calls end normally",
    ),
    # dispositions
    "promise_to_pay": ("承诺还款", "Promise to pay"),
    "partial_promise": ("部分承诺", "Partial promise"),
    "already_paid": ("已还款", "Already paid"),
    "hardship": ("经济困难", "Hardship"),
    "dispute": ("有异议", "Dispute"),
    "refusal": ("拒绝还款", "Refusal"),
    "callback": ("约定回电", "Callback"),
    "wrong_number": ("号码错误", "Wrong number"),
    "third_party": ("他人接听", "Third party"),
    "do_not_call": ("要求停呼", "Do not call"),
    "complaint": ("投诉", "Complaint"),
    "human_requested": ("要求人工", "Wants a person"),
    "vulnerable": ("特殊关怀", "Vulnerable"),
    "voicemail": ("语音信箱", "Voicemail"),
    "no_input": ("无应答", "No input"),
    "abusive": ("辱骂", "Abusive"),
    "no_answer": ("无人接听", "No answer"),
    "busy": ("忙线", "Busy"),
    "rejected": ("拒接", "Rejected"),
    "unreachable": ("无法接通", "Unreachable"),
    "failed": ("呼叫失败", "Failed"),
    # emotions
    "neutral": ("平静", "Neutral"),
    "anxious": ("焦虑", "Anxious"),
    "sad": ("低落", "Sad"),
    "angry": ("愤怒", "Angry"),
    "sarcastic": ("讥讽", "Sarcastic"),
    "cooperative": ("配合", "Cooperative"),
    "confused": ("困惑", "Confused"),
    # moments
    "fact.ringing": ("振铃", "Ringing"),
    "fact.answered": ("接听", "Answered"),
    "fact.early_media": ("早期媒体", "Early media"),
    "fact.answered_by": ("应答方判定", "Answered by"),
    "fact.verified": ("身份核验通过", "Identity verified"),
    "fact.promised": ("作出承诺", "Promise made"),
    "fact.callback_booked": ("预约回电", "Callback booked"),
    "fact.stopped": ("停止联系", "Contact stopped"),
    "fact.dtmf": ("按键", "Key pressed"),
    "fact.paged": ("呼叫主管", "Supervisor paged"),
    "fact.transfer_started": ("开始转接", "Transfer started"),
    "fact.agent_ringing": ("坐席振铃", "Agent ringing"),
    "fact.agent_answered": ("坐席接听", "Agent answered"),
    "fact.briefed": ("播报简报", "Agent briefed"),
    "fact.joined": ("客户与坐席接通", "Debtor and agent joined"),
    "fact.agent_left": ("坐席离开", "Agent left"),
    "fact.transfer_failed": ("转接失败", "Transfer failed"),
    "fact.note": ("备注", "Note"),
    "fact.brain_lost": ("对话中断，转保底播报", "Dialog lost, fallback spoken"),
    "fact.brain_back": ("对话恢复", "Dialog back"),
    "fact.ended": ("通话结束", "Ended"),
    **ACCOUNT_TEXTS,
    **CAMPAIGN_TEXTS,
    **CASE_TEXTS,
    **DESK_TEXTS,
    **EVIDENCE_TEXTS,
    **FOLLOW_TEXTS,
    **LINE_TEXTS,
    **DIALLING_TEXTS,
    **QUALITY_TEXTS,
    **REPORT_TEXTS,
    **RULEBOOK_TEXTS,
    **SCRIPT_TEXTS,
}
