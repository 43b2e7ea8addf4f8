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

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });

  document.addEventListener("htmx:afterSwap", showBulk);
  document.addEventListener("DOMContentLoaded", showBulk);
  window.addEventListener("pageshow", showBulk);
})();
