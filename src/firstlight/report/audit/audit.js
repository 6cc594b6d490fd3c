"use strict";
(() => {
  // One layer at a time instead of a long fold: a select that the keyboard moves through.
  for (const fold of document.querySelectorAll("details.more")) {
    const choose = fold.previousElementSibling;
    const select = choose.querySelector("select");
    const box = fold.querySelector(".gallery");
    const rows = [...box.children];
    const show = () => rows.forEach((row, index) => (row.hidden = index !== select.selectedIndex));
    fold.replaceWith(box);
    box.setAttribute("aria-live", "polite");
    choose.hidden = false;
    select.addEventListener("change", show);
    show();
  }

  // Long tables show the rows of one scheme, or those whose name contains something.
  for (const filtered of document.querySelectorAll(".filtered")) {
    const scheme = filtered.querySelector(".by-scheme");
    const name = filtered.querySelector(".by-name");
    const said = filtered.querySelector("output");
    const rows = [...filtered.querySelectorAll("tbody tr")];
    const filter = () => {
      const wanted = name.value.toLowerCase();
      for (const row of rows) {
        const other = scheme?.value && row.dataset.scheme !== scheme.value;
        row.hidden = Boolean(other) || !row.cells[0].textContent.toLowerCase().includes(wanted);
      }
      const left = rows.filter((row) => !row.hidden).length;
      said.textContent = left === rows.length ? "" : `${left} of ${rows.length} rows`;
    };
    filtered.querySelector(".filters").hidden = false;
    scheme?.addEventListener("change", filter);
    name.addEventListener("input", filter);
    filter(); // a page that was gone back to keeps what was typed
  }
})();
