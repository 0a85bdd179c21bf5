"use strict";
(() => {
  const table = document.getElementById("list"), body = table.tBodies[0], form = document.querySelector(".tools");
  const find = document.getElementById("find"), only = document.getElementById("only");
  const shown = document.getElementById("shown"), none = document.getElementById("none");
  const more = document.getElementById("more"), all = more.querySelector("button");
  const heads = [...table.tHead.rows[0].cells];
  const stand = heads.findIndex((h) => h.textContent === "Stand");
  const rows = [...body.rows];
  const texts = new Map();
  const text = (row) => {
    if (!texts.has(row)) texts.set(row, [...row.cells].map((c) => c.textContent).join("\n").toLowerCase());
    return texts.get(row);
  };
  const number = new Intl.NumberFormat("en");
  // Laying out 10,000 rows takes a second each time: the screen gets the first
  // ones, paper all of them.
  let most = 500;
  const filter = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    for (const row of rows) {
      const fits = (!only.value || row.cells[stand].textContent === only.value) && words.every((w) => text(row).includes(w));
      if (row.hidden === fits) row.hidden = !fits;
      if (fits) n++;
      const cut = fits && n > most;
      if (cut !== row.classList.contains("cut")) row.classList.toggle("cut", cut);
    }
    let said = n === rows.length ? `${number.format(n)} jobs` : `${number.format(n)} of ${number.format(rows.length)} jobs`;
    if (n > most) said += `, the first ${number.format(most)} shown`;
    shown.textContent = said;
    none.hidden = n > 0;
    more.hidden = n <= most;
    all.textContent = `Show all ${number.format(n)}`;
  };
  let wait = 0;
  find.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(filter, rows.length > 2000 ? 120 : 0); });
  only.addEventListener("change", filter);
  form.addEventListener("submit", (e) => { e.preventDefault(); filter(); });
  const natural = new Intl.Collator("en", { numeric: true });
  const sort = (head) => {
    const column = heads.indexOf(head), down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((h) => h.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const keys = new Map(rows.map((row) => [row, row.cells[column].textContent]));
    const order = (a, b) => {
      const x = keys.get(a), y = keys.get(b);
      if (x === "" || y === "") return (x === "") - (y === "");
      return (down ? -1 : 1) * natural.compare(x, y);
    };
    rows.sort(order);
    body.append(...rows);
    filter();
  };
  all.addEventListener("click", () => { most = Infinity; filter(); });
  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(head));
    head.append(button);
  }
  form.hidden = false;
  filter();
})();
