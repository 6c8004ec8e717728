// The book on paper. Styles are in print.css; here is what they cannot know.
let themeOnScreen;
const marginBoxes = document.createElement("style");

// Where the page is published, or, before it is, where it was read; not where it lies on somebody's disk.
function addressOfPage() {
  const canonical = document.querySelector("link[rel='canonical']")?.href;
  const here = location.protocol.startsWith("http") ? location.origin + location.pathname : "";
  return canonical || here;
}

// A formula that is wider than a page's column may be says how wide it is, in its own letters, so that it can be set small
// enough. All are measured before one is changed: else each would have the page laid out again.
const LETTERS_IN_A_LINE = 40;

function measureFormulas() {
  const wide = [];
  for (const formula of document.querySelectorAll("div.math mjx-container")) {
    const letters = parseFloat(getComputedStyle(formula).fontSize);
    const inside = formula.querySelector("mjx-math")?.getBoundingClientRect().width ?? 0;
    const number = formula.parentElement.querySelector(".eqno")?.getBoundingClientRect().width ?? 0;
    const width = (inside + 2 * number) / letters; // in the middle of the page, its number at the right
    if (width > LETTERS_IN_A_LINE) wide.push([formula, width]);
  }
  for (const [formula, width] of wide) {
    formula.style.setProperty("--width", width.toFixed(2));
    formula.parentElement.classList.add("wide-formula");
  }
}

window.addEventListener("beforeprint", () => {
  // Paper is white: a reader of the dark theme prints the light one.
  themeOnScreen = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
  measureFormulas();
  if ("bound" in document.documentElement.dataset) return; // tools/make_pdf.py has heads and numbers of its own

  const address = addressOfPage();
  for (const playground of document.querySelectorAll(".adam-playground")) {
    if (address) playground.dataset.live = address;
  }
  const title = document.title.replace(/ — .*/, "");
  const letters = 'font: 8pt "Helvetica Neue", Arial, sans-serif; color: #4a4a4a;';
  marginBoxes.textContent = `@page {
    @top-left { ${letters} content: ${JSON.stringify(title)}; }
    @top-right { ${letters} content: "Adam, step by step"; }
    @bottom-left { ${letters} content: ${JSON.stringify(address)}; }
    @bottom-right { ${letters} content: counter(page) " / " counter(pages); }
  }`;
  document.head.append(marginBoxes);
});

window.addEventListener("afterprint", () => {
  document.documentElement.dataset.theme = themeOnScreen;
  marginBoxes.remove();
});
