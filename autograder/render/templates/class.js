"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const table = $("class"), body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  const search = $("search"), show = $("show"), count = $("count");
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const rows = [...body.rows].map((row) => ({
    row, name: plain(row.cells[0].textContent), kinds: new Set((row.dataset.k || "").split(" ")),
  }));

  function filter() {
    const wanted = plain(search.value.trim());
    let seen = 0;
    for (const { row, name, kinds } of rows) {
      row.hidden = !(name.includes(wanted) && (!show.value || kinds.has(show.value)));
      if (!row.hidden) seen += 1;
    }
    count.textContent = `${seen} of ${rows.length} students`;
  }

  function sort(column) {
    const head = heads[column], down = head.getAttribute("aria-sort") === "ascending";
    const value = (row) => {
      const text = row.cells[column].textContent.trim();
      return head.className !== "n" ? text : text === "–" ? -1 : Number(text);
    };
    const keys = new Map(rows.map((each) => [each, value(each.row)]));
    const compare = head.className !== "n"
      ? new Intl.Collator("en", { numeric: true }).compare
      : (a, b) => a - b;
    rows.sort((a, b) => (down ? -1 : 1) * compare(keys.get(a), keys.get(b)));
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...rows.map((each) => each.row));
  }

  for (const [column, head] of heads.entries()) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(column));
    head.append(button);
  }
  heads[0].setAttribute("aria-sort", "ascending");
  search.addEventListener("input", filter);
  show.addEventListener("change", filter);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-show]");
    if (!link) return;
    event.preventDefault();
    search.value = "";
    show.value = link.dataset.show;
    filter();
    $("students").scrollIntoView();
    show.focus({ preventScroll: true });
  });
  $("tools").hidden = false;
  filter();
})();
