// きづき：画面の小さな手助け。無くても全ての操作はできる。
(() => {
  "use strict";
  document.documentElement.classList.add("js");
  const boxes = () => [...document.querySelectorAll("input[name=child]")];

  // 選択があるときだけ一括操作の帯を出す
  function showBulk() {
    const bar = document.querySelector("[data-bulk]");
    if (!bar) return;
    const chosen = boxes().filter((box) => box.checked).length;
    bar.toggleAttribute("data-open", chosen > 0);
    const count = bar.querySelector("[data-count]");
    if (count) count.textContent = String(chosen);
  }

  document.addEventListener("change", (event) => {
    const target = event.target;
    if (target.matches("[data-check-all]")) boxes().forEach((box) => { box.checked = target.checked; });
    if (target.matches("[data-check-all], input[name=child]")) showBulk();
  });

  // 「ほか」のメニューは、外を押すか Esc で閉じる
  const menus = () => [...document.querySelectorAll("details[data-menu][open]")];
  document.addEventListener("click", (event) => menus().forEach((m) => { if (!m.contains(event.target)) m.open = false; }));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") menus().forEach((m) => { m.open = false; m.querySelector("summary").focus(); });
  });

  // 「/」で検索欄へ。↑↓ で一覧の行を移る
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea");
    if (event.key === "/" && !typing) {
      const search = document.querySelector("[data-search]");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    }
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.matches("[data-row-link]")) {
      const links = [...document.querySelectorAll("[data-row-link]")];
      const next = links[links.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
      if (next) { event.preventDefault(); next.focus(); }
    }
  });

  // 審査：S/1 同じ人、D/2 別の人、H/3 保留、J 次、K 前、U 元に戻す。「キーで答える」を外すと効かない
  const KEYS_OFF = "kizuki-review-keys-off";
  const keysOn = () => localStorage.getItem(KEYS_OFF) !== "1";
  function pressReviewKey(event) {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || !keysOn()) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea")) return;
    const key = event.key.toLowerCase();
    const wanted = [...document.querySelectorAll("[data-key]")].find((e) => e.dataset.key.split(" ").includes(key));
    const button = wanted || document.querySelector(`[data-key-form="${CSS.escape(key)}"] button`);
    if (button) { event.preventDefault(); button.click(); }
  }
  document.addEventListener("keydown", pressReviewKey);
  document.addEventListener("submit", (event) => {
    // 二度押しで次の組に答えてしまわないように、一度送ったら受け付けない
    if (!event.target.matches("[data-answers]")) return;
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "1";
  });
  function showKeys() {
    const box = document.querySelector("[data-keys]");
    if (!box) return;
    box.closest("[data-keys-label]").hidden = false;
    box.checked = keysOn();
    box.addEventListener("change", () => localStorage.setItem(KEYS_OFF, box.checked ? "" : "1"));
  }
  document.addEventListener("DOMContentLoaded", showKeys);
  window.addEventListener("pageshow", () => document.querySelectorAll("[data-sent]").forEach((form) => delete form.dataset.sent));

  // つまみの値を、離す前から見せる
  document.addEventListener("input", (event) => {
    const shown = document.querySelector(`[data-shows="${CSS.escape(event.target.id)}"]`);
    if (shown) shown.textContent = event.target.value;
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });

  document.addEventListener("htmx:afterSwap", showBulk);
  document.addEventListener("DOMContentLoaded", showBulk);
  window.addEventListener("pageshow", showBulk);
})();
