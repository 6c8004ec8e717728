// What the search shows of a page is its text, and there formulas are TeX. Those in a line become letters (β₁, √v̂);
// displayed ones, which a line cannot hold, become dots. search_ranks.py puts this after search_scorer.js.

{
  const SIGNS = {
    alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ε", zeta: "ζ", eta: "η", theta: "θ", kappa: "κ",
    lambda: "λ", mu: "μ", nu: "ν", xi: "ξ", pi: "π", rho: "ρ", sigma: "σ", varphi: "φ", ell: "ℓ",
    Gamma: "Γ", Delta: "Δ", Pi: "Π", sum: "∑", prod: "∏", int: "∫", partial: "∂", nabla: "∇", infty: "∞",
    le: "≤", ge: "≥", ne: "≠", neq: "≠", ll: "≪", gg: "≫", approx: "≈", lessapprox: "⪅", sim: "∼", propto: "∝", in: "∈",
    to: "→", leftarrow: "←", cdot: "·", times: "×", odot: "⊙", pm: "±", bmod: "mod", dots: "…", ldots: "…", cdots: "⋯",
    top: "ᵀ", mid: "|", lVert: "‖", rVert: "‖", "|": "‖", langle: "⟨", rangle: "⟩", "{": "{", "}": "}", "%": "%",
    left: "", right: "", big: "", bigl: "", bigr: "", Big: "", bigg: "", "!": "", "\\": ";",
  };
  const ACCENTS = { hat: "\u0302", widehat: "\u0302", bar: "\u0304", overline: "\u0304", tilde: "\u0303" };
  const STYLES = /^(text|operatorname|math(rm|bf|bb|cal|it))$/;

  const inLetters = (tex) => {
    const tokens = tex.match(/\\[a-z]+|\\.|\s+|./gisu) ?? [];
    let at = 0;
    const atomic = (text) => (/^([\p{L}\p{M}\p{N}.]+|.)$/u.test(text) ? text : `(${text})`);
    const argument = () => {
      while (/^\s/.test(tokens[at] ?? "")) at += 1;
      return next().trim();
    };
    const next = () => {
      const token = tokens[at++] ?? "";
      if (token === "{") {
        let text = "";
        while (at < tokens.length && tokens[at] !== "}") text += next();
        at += 1;
        return text;
      }
      if (token === "_" || token === "^") {
        const text = argument();
        const small = token === "_" ? "₀₁₂₃₄₅₆₇₈₉₋" : "⁰¹²³⁴⁵⁶⁷⁸⁹⁻";
        if (/^[\d−]+$/.test(text)) return text.replace(/./g, (sign) => small["0123456789−".indexOf(sign)]);
        return /^[ᵀ′*]$/.test(text) ? text : token + atomic(text);
      }
      if (!token.startsWith("\\")) return { "-": "−", "'": "′", "~": " ", "&": "," }[token] ?? token;
      const name = token.slice(1);
      if (name in ACCENTS) return argument().replace(/^./u, (letter) => letter + ACCENTS[name]);
      if (name === "sqrt") return `√${atomic(argument())}`;
      if (/^[dt]?frac$/.test(name)) return ` ${atomic(argument())}/${atomic(argument())}`;
      if (name === "binom") return `(${argument()} choose ${argument()})`;
      if (STYLES.test(name)) return argument();
      if (name === "begin" || name === "end") return argument() && (name === "begin" ? "(" : ")");
      return SIGNS[name] ?? (/^[a-z]{2,}$/i.test(name) && !/quad$/.test(name) ? name : " ");
    };
    let text = "";
    while (at < tokens.length) text += next();
    return text.replace(/\s+/g, " ").trim();
  };

  const textOf = Search.htmlToText;
  Search.htmlToText = (html, anchor) =>
    textOf(html, anchor)
      .replace(/(\(\d+\.\d+\)\s*)?\\\[.*?\\\]/gs, "…")
      .replace(/\\\((.*?)\\\)/gs, (_, tex) => inLetters(tex));
}
