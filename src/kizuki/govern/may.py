"""May this actor do this? One rule with three faces: the tooltip of a button, the text of a 403 page, the audit entry."""

import datetime as dt
from dataclasses import dataclass

from kizuki.definitions.governance import Governance
from kizuki.govern.actor import Actor
from kizuki.terms.errors import NotPermitted

ACTIONS: dict[str, str] = {
    "today.view": "今日の仕事を見る",
    "candidates.view": "支援候補の一覧を見る",
    "candidates.export": "支援候補の一覧を書き出す",
    "child.view": "個票を見る",
    "judgement.view": "判定結果の根拠を見る",
    "children.search": "担当外のこどもを探す",
    "case.change": "支援の記録を変える",
    "seal.add": "支援措置の封をする",
    "handover.prepare": "転出したこどもの引継ぎ書を作る",
    "handover.approve": "引継ぎ書を承認する",
    "handover.approve_sealed": "支援措置のこどもの引継ぎを認める",
    "handover.receive": "他の市町村の引継ぎ書を受け取る",
    "criteria.view": "判定基準を見る・版を比べる",
    "criteria.draft": "判定基準の案を作る",
    "criteria.approve": "判定基準を承認する",
    "criteria.children": "版の比較で、入る・出るこどもを見る",
    "programme.view": "制度を見る",
    "programme.draft": "制度の案を作る・台帳を取り込む",
    "programme.approve": "制度を承認する",
    "confirmation.view": "確認リストを見る・書き出す",
    "feed.view": "データ受領・鮮度を見る",
    "docs.read": "手引きを読む",
    "analysis.run": "仮名のデータで分析する",
    "validation.view": "検証の結果を見る",
    "threshold.propose": "閾値の変更を提案する",
    "middle_band.draw": "無作為の確認を抽出する",
    "grants.view": "権限の一覧を見る",
    "link.review": "名寄せの組を審査する",
    "link.quality": "名寄せの確かさを見る",
    "notice.view": "お知らせの件数と結果を見る",
    "notice.prepare": "お知らせを作り、承認を求める",
    "notice.approve": "自分の課の制度のお知らせを承認する",
    "notice.approve_any": "どの課のお知らせも承認する",
    "notice.stop": "お知らせを緊急停止する・解く",
    "relay.resume": "控えから戻した本体を中継とつなぎ直す（二人で）",
    "audit.view": "操作ログを見る",
    "audit.verify": "操作ログを検証する",
    "sheet.view": "判定基準の公開用の説明を見る",
    "criteria.stop": "判定基準を緊急停止する・解く",
    "criteria.stop_ledger": "止めた判定をだれが見たかを見る",
    "review.write": "専門家の検証と住民への説明を記録する",
    "feedback.write": "判定を確かめた結果を記録する",
    "labels.export": "確かめた結果の表を書き出す",
    "correction.answer": "元データの訂正の依頼に答える",
    "resident.print": "本人・保護者に渡す説明を作る",
    "consent.view": "お知らせの同意の件数を見る",
    "consent.enter": "お知らせの同意・撤回を受け付ける",
    "invitation.make": "お知らせの案内の名簿を作る",
    "letter.print": "お知らせと案内の手紙を刷る",
    "counter.tell": "窓口で伝える世帯を見る・伝えたと記録する",
    "enquiry.answer": "住民からの問合せに答える",
    "enquiry.counts": "住民からの問合せの件数を見る",
    "effect.view": "お知らせの効果を見る",
}
"""Every action of the product, with its Japanese name; an action not listed here is refused to everyone."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Yes."""

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Refused:
    """No: why, under which code, and who can change that."""

    reason: str
    code: str = "K701"
    fix: str = ""

    def __bool__(self) -> bool:
        return False

    def error(self) -> NotPermitted:
        """The refusal as an exception."""
        return NotPermitted(self.code, self.reason, "", self.fix)


@dataclass(frozen=True, slots=True)
class Subject:
    """What the action is about; `in_scope` False = the person lies outside what the actor may see."""

    in_scope: bool = True


ALLOWED = Allowed()


def may(actor: Actor, action: str, subject: Subject | None = None, *, governance: Governance) -> Allowed | Refused:
    """Whether `actor` may do `action`; deny by default."""
    role = governance.roles.get(actor.role)
    if role is None:
        return Refused("役割が決まっていないため、何も表示できません。", fix="総括管理主体に、役割の付与を依頼してください。")
    if actor.purpose not in role.grants:
        return Refused(f"「{role.title}」には、この利用目的がありません。", fix="サインインし直して選んでください。")
    if action not in ACTIONS or action not in role.actions:
        what = ACTIONS.get(action, "この操作")
        reason = f"「{role.title}」には、「{what}」権限がありません。"
        return Refused(reason, fix=f"権限を付与できるのは「{role.granted_by}」です。")
    return about(subject) if subject is not None else ALLOWED


def about(subject: Subject) -> Allowed | Refused:
    """Whether this particular person may be asked about."""
    if subject.in_scope:
        return ALLOWED
    return Refused(
        "このこどもは、あなたの担当・共有・支援候補の範囲にありません。",
        code="K702",
        fix="担当者に共有を依頼するか、総括管理主体に相談してください。",
    )


def still_granted(granted_until: dt.date | None, today: dt.date) -> Allowed | Refused:
    """Grants end at the end of the fiscal year unless renewed by the yearly review (棚卸し)."""
    if granted_until is None or granted_until >= today:
        return ALLOWED
    return Refused("権限の期限が切れています。", code="K704", fix="総括管理主体に、年度の権限の更新を依頼してください。")
