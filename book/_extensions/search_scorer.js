// How the search ranks what it finds: first what was asked for by its name, then the chapter that explains a term, then
// headings, then the glossary and the package, and last the pages that only mention it. EXPLAINED_IN comes from
// search_ranks.py: from a term or a symbol to the page, or the equation, that explains it.

// A page that was opened from disk may not fetch others, so there the results come without an excerpt.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

var Scorer = {
  // Sphinx's own scores. They matter only where pages mention the words and no more.
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,

  score: (() => {
    const GREEK = { alpha: "α", beta: "β", epsilon: "ε", lambda: "λ", mu: "μ", rho: "ρ" };
    const plain = (html) => html.replace(/<[^>]*>/g, "").replace(/^\d+\. /, "").trim();
    const shown = (heading) => heading.trim().replace(/\\(\w+)/g, (tex, name) => GREEK[name] ?? tex);
    const bare = (text) => text.trim().toLowerCase().replace(/^(the|an?) /, "");
    const key = (term) => term.toLowerCase().replace(/[\s-]/g, "");
    const explained = new Map([...EXPLAINED_IN].map(([term, place]) => [key(term), place]));
    let query, words, headings;

    // The headings of a page, with their anchors.
    const headingsOf = (page) => {
      if (!headings) {
        const { alltitles, docnames } = Search._index;
        headings = new Map(docnames.map((name) => [name, []]));
        for (const [text, places] of Object.entries(alltitles))
          for (const [file, id] of places) if (id && text !== "Solution") headings.get(docnames[file]).push([text, id]);
      }
      return headings.get(page);
    };

    // How well a heading answers, from 0 to 100; quoted sentences are mistakes that are often made.
    const fit = (text) => {
      const heading = bare(text);
      const isMistake = /^[“"]/.test(heading) ? 5 : 0;
      if (heading === bare(query) || heading.startsWith(`${query}:`)) return 100;
      if (heading.startsWith(query)) return 70 - isMistake;
      if (` ${wordsOf(heading).join(" ")} `.includes(` ${words.join(" ")} `)) return 60 - isMistake;
      return words.length && words.every((word) => heading.includes(word)) ? 50 - isMistake : 0;
    };
    const wordsOf = (text) => text.match(/[\p{L}\p{N}_]+/gu) ?? [];

    const scoreOfObject = (name, anchor, order) => {
      const full = plain(name).toLowerCase();
      if (anchor.startsWith("#equation-")) {
        const [, number, label] = full.match(/^equation \((\d+)\), (.*)$/);
        const asked = query.match(/^(?:eq\.?|equation)?\s*\(?(\d+)\)?$/)?.[1];
        return label === query || `equation-${label}` === query || number === asked ? 200 - order : 5;
      }
      const last = full.split(".").at(-1);
      if (!/[._]/.test(query)) return last === query ? 80 : 20;
      const called = query.replace(/\(.*$/, "");
      if (full === called || full.endsWith(`.${called}`)) return 200;
      return last === called.split(".").at(-1) ? 190 : 20; // such as Rule.step, which Adam inherits
    };

    return (result) => {
      const [page, title, anchor, descr, score] = result;
      const asked = (new URLSearchParams(location.search).get("q") ?? "").toLowerCase().trim();
      if (asked !== query) [query, words] = [asked, wordsOf(asked)];
      const ofPage = Search._index.titles[Search._index.docnames.indexOf(page)];
      const order = Number(ofPage.match(/section-number">(\d+)/)?.[1] ?? 99) / 100; // earlier chapters first
      const besides = /\/(reference|assignments)\//.test(page) ? 0.7 : 1; // chapters explain
      if (descr) return scoreOfObject(title, anchor, order);
      if (anchor.startsWith("#term-")) {
        const term = anchor.slice("#term-".length).replaceAll("-", " ");
        if (!/^\d+$/.test(term)) result[1] = `${ofPage} > ${term}`;
        return term.toLowerCase() === query ? 90 : Math.min(30, score / 3);
      }
      if (anchor) {
        const heading = title.slice(title.lastIndexOf(" > ") + 3);
        result[1] = `${ofPage} > ${shown(heading)}`;
        return besides * fit(heading) + 1 - order;
      }

      // A page. It becomes its best heading, and Sphinx, which found that too, drops the double.
      result[1] = ofPage;
      const ofTitle = fit(plain(ofPage));
      if (ofTitle === 100 && besides === 1) return 160;
      const [explains, at, name] = explained.get(key(query)) ?? explained.get(key(query).replace(/s$/, "")) ?? [];
      if (page === explains && at) {
        result[1] = `${ofPage} > ${name}`;
        result[2] = `#${at}`;
        return 150;
      }
      const [best, text, id] = headingsOf(page)
        .map(([text, id]) => [fit(text), text, id])
        .reduce((one, other) => (other[0] > one[0] ? other : one), [0]);
      if (page === explains ? best === 100 : best > ofTitle) {
        result[1] = `${ofPage} > ${shown(text)}`;
        result[2] = `#${id}`;
      }
      if (page === explains) return 150;
      const answers = Math.max(best, ofTitle && ofTitle + 15);
      if (answers) return besides * answers + 1 - order;
      const inTitle = words.some((word) => plain(ofPage).toLowerCase().includes(word));
      return besides * (10 + score / 15 + (inTitle ? 3 : 0)) - order;
    };
  })(),
};
