"""Vocabulary of call scripts: intent ids, prompt variables and the handlers no script may lack."""

from __future__ import annotations

_TAXONOMY = """
id_confirm_self id_deny_self id_wrong_number id_who_are_you id_how_got_number id_verify_answer
id_verify_refuse id_suspect_scam tp_relation tp_not_here tp_relay_yes tp_relay_no tp_probe_debt
tp_offer_pay tp_stop tp_deceased tp_detained tp_missing tp_minor ptp_today ptp_date ptp_payday ptp_vague
ptp_conditional ptp_autodebit ptp_confirm ptp_modify ptp_broken_reason pay_partial pay_minimum
pay_installment pay_discount pay_extend pay_already_paid pay_partial_paid pay_in_progress pay_failed
pay_how hs_no_money hs_unemployed hs_salary_delay hs_business hs_illness_self hs_family_ill hs_accident
hs_multi_debt hs_gambling hs_scammed hs_frozen hs_family_change dp_not_mine dp_id_theft dp_lent_out
dp_amount dp_interest dp_service dp_no_overdue dp_no_notice dp_negotiated dp_lawsuit dp_limitation
dp_evidence rf_flat rf_sue_me rf_provoke rf_cold dl_busy dl_driving dl_callback dl_later dl_check
dl_consult dl_forgot q_amount q_due q_interest q_credit q_lawsuit q_visit q_after_pay q_official m_robot
m_recording m_human m_repeat m_hold m_nohear m_lang m_affirm m_deny m_backchannel m_silence m_bye
m_offtopic m_carrier m_voicemail m_assistant m_ivr dnc_stop dnc_time cp_regulator cp_police cp_frequency
cp_privacy cp_agent ab_insult ab_threat vu_selfharm_explicit vu_selfharm_veiled vu_mental vu_elder
vu_disability vu_intoxicated vu_crying vu_violence unknown
"""
INTENTS = frozenset(_TAXONOMY.split())
"""Ids of the intent taxonomy; `unknown` is none of them."""

OPEN_VARIABLES = {
    "name": "full name of the person we want to speak to",
    "person": "full name with title, as one asks for somebody",
    "address": "surname with title, as one speaks to somebody",
    "institution": "neutral name of the institution",
    "hotline": "its telephone number, digit by digit",
    "callback_time": "when we shall call again",
    "today": "today with weekday",
}
"""Prompt variables that may be spoken to anybody."""

DEBT_VARIABLES = {
    "creditor": "full name of the creditor",
    "product": "product of the bill",
    "amount": "total due",
    "principal": "principal due",
    "fees": "interest and fees due",
    "overdue": "days overdue",
    "promise_date": "day of the pending promise, with weekday",
    "promise_amount": "amount of the pending promise",
    "rest_amount": "what stays open after the pending promise",
    "near_date": "a day in a few days' time, with weekday",
    "horizon_date": "last day a promise may lie on, with weekday",
    "channel": "where a promise will be paid, as the promise node says",
    "offer_waiver": "the most that may be given up of the fees, by the table of authority",
    "offer_parts": "in how many parts the bill may be paid, by the table of authority",
    "offer_part": "one of these parts",
    "offer_until": "last day of the extension that may be granted, with weekday",
}
"""Prompt variables that name the debt: for the verified debtor alone."""

MANDATORY_HANDLERS = (
    "danger",
    "human",
    "complaint",
    "do_not_call",
    "wrong_number",
    "third_party",
    "already_paid",
    "dispute",
    "hardship",
    "busy",
    "driving",
    "robot",
    "who_are_you",
    "repeat",
    "hold",
    "voicemail",
    "abuse",
    "regulator",
    "vulnerable",
)
"""Situations every script must be able to meet wherever it listens."""
