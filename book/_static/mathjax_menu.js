// MathJax's context menu offers what this site does not ship (see mathjax/README.md): another renderer and a speech
// engine. Choosing one would end in a failed request, so those entries are switched off. Screen readers are served by
// the MathML that stands, unseen, beside every formula.
if (window.MathJax?.startup?.promise) {
  window.MathJax.startup.promise.then(() => {
    const menu = window.MathJax.startup.document.menu.menu;
    for (const entry of [
      ["Settings", "Renderer"],
      ["Accessibility", "Activate"],
      ["Accessibility", "AutoCollapse"],
      ["Accessibility", "Collapsible"],
    ]) {
      menu.findID(...entry)?.disable();
    }
  });
}
