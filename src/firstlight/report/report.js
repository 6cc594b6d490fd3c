"use strict";
(() => {
  const root = document.documentElement;

  // Tables sort by a button in each head, which the keyboard reaches like any other.
  function sortBy(table, column, ascending) {
    const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
    const numeric = table.tHead.rows[0].cells[column].classList.contains("number");
    const compare = numeric
      ? (a, b) => Number(value(a)) - Number(value(b))
      : (a, b) => value(a).localeCompare(value(b), undefined, { numeric: true });
    const rows = [...table.tBodies[0].rows];
    const [known, unknown] = [rows.filter((row) => value(row) !== ""), rows.filter((row) => value(row) === "")];
    known.sort((a, b) => (ascending ? compare(a, b) : compare(b, a)));
    table.tBodies[0].append(...known, ...unknown);
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        // Numbers first sort downwards: the best accuracy is what one looks for.
        const before = head.getAttribute("aria-sort");
        const ascending = before ? before === "descending" : !head.classList.contains("number");
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        sortBy(table, column, ascending);
      });
    });
  }

  // Colours that name a CSS variable take the value of the present theme.
  function themed(text) {
    const style = getComputedStyle(root);
    return JSON.parse(text, (key, value) =>
      /color$/.test(key) && String(value).startsWith("--") ? style.getPropertyValue(value).trim() : value);
  }

  const touch = matchMedia("(pointer: coarse)").matches;
  const config = {
    responsive: true,
    displaylogo: false,
    displayModeBar: "hover",
    modeBarButtons: [["toImage", "resetScale2d"]],
  };

  function hidden(figure) {
    const buttons = [...figure.querySelectorAll(".legend button[aria-pressed=false]")];
    return new Set(buttons.map((button) => button.dataset.scheme));
  }

  function draw(plot) {
    const { shared, data, layout } = themed(plot.nextElementSibling.textContent);
    const off = hidden(plot.closest("figure"));
    for (const trace of data) Object.assign(trace, shared, { visible: !off.has(trace.meta) });
    // A finger that drags across a plot wants to scroll the page.
    return Plotly.react(plot, data, { ...layout, dragmode: touch ? false : "zoom" }, config);
  }

  const plots = [...document.querySelectorAll(".plot")];
  const drawAll = () => Promise.all(plots.map(draw));

  root.classList.add("drawn"); // the plots need their size before they are drawn
  drawAll().catch((error) => {
    root.classList.remove("drawn"); // back to the still pictures
    console.error(error);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);

  for (const figure of document.querySelectorAll("figure.curves")) {
    for (const button of figure.querySelectorAll(".legend button")) {
      button.addEventListener("click", () => {
        button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
        figure.querySelectorAll(".plot").forEach(draw);
      });
    }
  }

  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
})();
