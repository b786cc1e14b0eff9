"""Slots of the training templates: amounts, dates, names, digits and the other words people fill in."""

import random
import re
from collections.abc import Callable

from voicebot.tts.aloud import number

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦"
    "邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕"
)
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英华建国文辉鹏飞宇欣怡子轩浩然梓涵雨晨佳思琪志远晓东海燕春梅秀玲玉红婷雪慧倩波斌振香琼博美琴传昂祥庆生"
    "德福贵发财林森云龙凤珍珠莲荣峰俊凯健康龄国庆新民立成功业家豪宝宏亮光阳旭昊天翔羽洁莹萍菊芬芝蓉蕾薇瑶琳璐嘉诚义仁信礼智勤学良才顺利安宁卫忠孝友爱永长"
)
_REASONS = (
    "失业了|下岗了|被裁员了|被公司辞退了|生病住院了|家里老人住院|孩子要交学费|孩子刚出生|做手术花了很多钱|工资没发|公司拖欠工资|生意亏了|店倒闭了|出了车祸|"
    "刚离婚|被人骗了|投资失败了|资金周转不开|手头很紧|收入不稳定|工程款没结|货款还没收回来|正在找工作|父亲刚去世|房贷压力太大|怀孕在家|腿摔断了|卡被冻结了|"
    "老婆也没工作|单子少了很多|在做化疗|工地停工了|厂子关门了|家里出事了|车子要修|房租都交不起了|替别人担保|网店关了"
)
_ASKS = (
    "晚几天还|缓一缓|宽限几天|分期还|先还本金|先还一部分|延期|减免利息|少还一点|免掉罚息|停息挂账|协商还款|通融一下|打个折|下个月一起还|分三期|分六期|分十二期|"
    "转人工|给我发短信|把账单发给我|晚点再打|说慢一点|再说一遍|大声一点"
)
_QUESTIONS = (
    "你是哪家公司的|你们是哪里|你是谁啊|你是哪个银行的|我欠了多少钱|本金多少利息多少|逾期几天了|怎么算的|会不会上征信|会影响征信吗|会起诉我吗|会上门吗|"
    "不还会怎么样|你怎么证明你不是骗子|你的工号多少|客服电话是多少|最低还多少|最晚什么时候|可以不告诉我家人吗|为什么打给我家人|你们合法吗|还完能开证明吗|什么时候借的|"
    "哪笔钱|什么贷款|我怎么不知道|你确定是我吗|怎么还有这么多|你是真人吗"
)
_SWEARS = "有病啊|烦不烦|有完没完|滚|神经病|别烦我|烦死了|你有毛病吧|够了|不要脸|骗子|去死吧|他妈的|你大爷的|没完没了|催什么催|催命啊"
_CHOICES = {
    "reason": _REASONS, "ask": _ASKS, "ask2": _QUESTIONS, "swear": _SWEARS,
    "rel": "爸爸|妈妈|父亲|母亲|老公|老婆|爱人|儿子|女儿|哥哥|弟弟|姐姐|妹妹|朋友|同事|亲戚|室友|前夫|前妻|叔叔|表哥|老板|邻居|同学|媳妇|女婿",
    "prod": "信用卡|贷款|花呗|借呗|网贷|车贷|房贷|消费贷|白条|分期|现金贷|账单|欠款|小额贷款|备用金|借款|助学贷款|个人消费贷款|微粒贷",
    "ch": "支付宝|微信|银行卡|手机银行|柜台|转账|网上银行|对公账户|自动扣款|二维码|云闪付|公众号|小程序|官方渠道",
    "law": "银监会|消费者协会|公安局|法院|人民银行|金融监管局|派出所|媒体|工信部|消协|信访办|金监局",
    "city": "北京|上海|广州|深圳|成都|杭州|武汉|重庆|南京|西安|长沙|郑州|苏州|天津|青岛|哈尔滨|沈阳|昆明|贵阳|老家|外地|国外|工地|高速上|地铁上",
    "org": "某某消费金融|某某银行|安心消费金融|启明消费金融|和信消费金融|惠民银行|星河消费金融|北方消费金融|汇通小额贷款公司|示范消费金融公司|信用卡中心|客户服务中心|远山消费金融|晨光消费金融",
    "hotline": "九五五八八|四零零八零零|四零零幺二三|九五零幺三|四零零八二零八八二零|九五三三三",
    "um": "|||嗯|呃|那个|啊|这个|就是|哎|喂|哦", "p": "||||吧|啊|呢|了|嘛",
    "n": "两|三|四|五|六|八|十|十二|二十四|三十六", "wd": "一|二|三|四|五|六|日|天",
}
_TENS_DIGITS = "零幺二三四五六七八九"


def fill(template: str, rng: random.Random) -> str:
    """Fills `{slot}` and `[a|b]` until none is left."""
    while True:
        found = re.search(r"\[([^\[\]]*)\]", template)
        if found:
            chosen = rng.choice(found[1].split("|"))
        else:
            found = re.search(r"\{(\w+)\}", template)
            if not found:
                return template
            chosen = SLOTS[found[1]](rng)
        template = template[: found.start()] + chosen + template[found.end() :]


def amount(rng: random.Random) -> str:
    """An amount as people say it, 1 to 99 999 yuan."""
    unit = rng.choice(["块", "元", "块钱", "", "块钱", "元"])
    kind = rng.random()
    if kind < 0.2:
        return rng.choice("一两三四五六七八九") + rng.choice("百千万") + unit
    if kind < 0.35:
        return number(rng.randint(1, 99) * 100) + unit
    if kind < 0.45:
        return rng.choice("一两三四五六七八九") + rng.choice(["千", "万"]) + rng.choice("一二三四五六七八九")
    if kind < 0.6:
        return number(rng.randint(1, 9999)) + unit
    if kind < 0.7:
        return number(rng.randint(1, 99999)) + rng.choice(["块", "元", "块钱"])
    if kind < 0.78:
        return number(rng.randint(1, 9999)) + "块" + rng.choice("一二三四五六七八九") + rng.choice(["", "毛"])
    if kind < 0.86:
        return f"{number(rng.randint(1, 9999))}元{rng.choice('一二三四五六七八九')}角{rng.choice(['', '五分', '六分', '八分'])}"
    if kind < 0.93:
        return f"{number(rng.randint(1, 9999))}点{''.join(rng.choices('零一二三四五六七八九', k=2))}元"
    return rng.choice("一半|一部分|最低额|两三千|三五百|几百块|一千多|三千来块|全部|本金|一千出头|小一万|五六千块|一万多块".split("|"))


def date(rng: random.Random) -> str:
    """A date as people say it, relative or by the calendar."""
    kind = rng.random()
    if kind < 0.25:
        near = "明天|后天|大后天|今天|今晚|今天晚上|明天上午|明天下午|后天中午|今天下午|明儿|后儿|今儿|明早|明晚"
        return rng.choice(near.split("|"))
    if kind < 0.45:
        week = ["下周", "这周", "下个星期", "这个星期", "周", "星期", "礼拜", "下礼拜", "本周", "下下周"]
        return rng.choice(week) + rng.choice("一二三四五六日")
    if kind < 0.62:
        month = rng.choice(["这个月", "下个月", "本月", "下月", ""])
        return month + number(rng.randint(1, 31)) + rng.choice(["号", "号之前", "号左右", "日"])
    if kind < 0.8:
        return number(rng.randint(1, 12)) + "月" + number(rng.randint(1, 31)) + rng.choice(["号", "日", "号之前"])
    if kind < 0.9:
        loose = "月底|月初|下个月初|这个月底|周末|国庆节以后|过年前|春节前|中旬|下个月|下周|月底之前|年底|元旦前|下下个月"
        return rng.choice(loose.split("|"))
    return rng.choice(["过", "再过", "等", "再等"]) + rng.choice("两三四五十") + rng.choice(["天", "周", "个星期", "个月", "个礼拜"])


def clock(rng: random.Random) -> str:
    part = rng.choice(["上午", "下午", "晚上", "中午", "早上", "", ""])
    hour = rng.choice(["两", number(rng.randint(1, 12)), number(rng.randint(1, 12))])
    return part + hour + rng.choice(["点", "点半", "点钟", "点一刻", "点左右", "点多", f"点{number(rng.choice([10, 20, 40, 50]))}"])


def name(rng: random.Random) -> str:
    return rng.choice(_SURNAMES) + "".join(rng.choices(_GIVEN, k=rng.choice([1, 2, 2, 2])))


def digits(rng: random.Random, count: int) -> str:
    """Digits read one by one; a speaker says 幺 or 一, seldom both."""
    said = "".join(rng.choices(_TENS_DIGITS, k=count))
    return said if rng.random() < 0.6 else said.replace("幺", "一")


def birth(rng: random.Random) -> str:
    month, day = rng.randint(1, 12), rng.randint(1, 31)
    if rng.random() < 0.2:
        return "".join(_TENS_DIGITS[int(d)] for d in f"{month:02d}{day:02d}")
    return number(month) + "月" + number(day) + rng.choice(["", "", "号", "日"])


def _choice(values: str) -> Callable[[random.Random], str]:
    return lambda rng: rng.choice(values.split("|"))


SLOTS: dict[str, Callable[[random.Random], str]] = {
    **{slot: _choice(values) for slot, values in _CHOICES.items()},
    "amt": amount, "date": date, "clock": clock, "name": name, "birth": birth,
    "sur": lambda rng: rng.choice(_SURNAMES),
    "num": lambda rng: number(rng.randint(1, 31)),
    "pct": lambda rng: "百分之" + number(rng.randint(1, 99)),
    "last4": lambda rng: digits(rng, 4), "last3": lambda rng: digits(rng, 3),
    "year": lambda rng: digits(rng, 2), "phone": lambda rng: "幺" + digits(rng, 10),
}


def words() -> list[str]:
    """Everything a slot may say, for the inventory of characters."""
    return [_SURNAMES, _GIVEN, *_CHOICES.values(), "零幺一二两三四五六七八九十百千万点半块元角分毛年月日号周星期礼拜"]
