// The theme's arrow that shows or hides the pages below an entry of the table of contents has no name to be read aloud.
document.addEventListener("DOMContentLoaded", () => {
  for (const arrow of document.querySelectorAll(".bd-sidebar-primary li.has-children > details > summary")) {
    const entry = arrow.closest("li").querySelector(":scope > a");
    arrow.setAttribute("aria-label", `Pages of ${entry.textContent.trim()}`);
  }
});
