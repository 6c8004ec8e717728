// The playground on the page: sliders, the surface with its paths, charts over the steps. No framework. The arithmetic is in
// rules.js; here it is only drawn. A place for it is an element of the class adam-playground whose data-view says which.
(function () {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const { surfaces, rules, run } = window.AdamRules;
  const NAMES = { Adam: "Adam", Momentum: "SGD with momentum", AdaGrad: "AdaGrad", RMSProp: "RMSProp" };
  const COORDINATES = ["x", "y"];
  let made = 0;

  // Elements ---------------------------------------------------------------------------------------------------------

  function element(tag, attributes = {}, ...children) {
    const e = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
    e.append(...children);
    return e;
  }

  function shape(tag, attributes = {}, text = "") {
    const e = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
    e.textContent = text;
    return e;
  }

  // A number in few digits, as a reader would write it.
  function short(x, digits = 3) {
    if (x === 0) return "0";
    const size = Math.abs(x);
    if (size >= 1e-3 && size < 1e5) return String(Number(x.toPrecision(digits)));
    return x.toExponential(Math.min(digits, 2) - 1).replace(".0e", "e").replace("e+", "e");
  }

  // The slider of a quantity that spans decades moves in its logarithm; that of a beta in the logarithm of 1 - beta.
  const scales = {
    linear: { to: (x) => x, from: (s) => s },
    log: { to: Math.log10, from: (s) => Number(Math.pow(10, s).toPrecision(2)) },
    beta: {
      to: (beta) => -Math.log10(1 - beta),
      from: (s) => (s < 0.004 ? 0 : Number((1 - Number(Math.pow(10, -s).toPrecision(2))).toPrecision(7))),
    },
  };

  // What can be set: its key in the address, its label, the scale and ends of its slider.
  const QUANTITIES = {
    alpha: { key: "a", label: "α, the step size of Adam", scale: "log", min: -4, max: 0.5, step: 0.02 },
    beta1: { key: "b1", label: "β₁, memory of the gradients", scale: "beta", min: 0, max: 3, step: 0.02 },
    beta2: { key: "b2", label: "β₂, memory of their squares", scale: "beta", min: 0, max: 5, step: 0.02 },
    eps: { key: "e", label: "ε", scale: "log", min: -12, max: 1, step: 0.1 },
    noise: { key: "n", label: "noise of the gradient", scale: "linear", min: 0, max: 3, step: 0.05 },
    steps: { key: "T", label: "number of steps", scale: "linear", min: 10, max: 500, step: 5 },
    Momentum: { key: "am", label: "α of SGD with momentum", scale: "log", min: -5, max: 0.5, step: 0.02 },
    AdaGrad: { key: "ag", label: "α of AdaGrad", scale: "log", min: -4, max: 0.5, step: 0.02 },
    RMSProp: { key: "ar", label: "α of RMSProp", scale: "log", min: -4, max: 0.5, step: 0.02 },
  };

  const VIEWS = {
    full: { surface: "ravine", sliders: ["alpha", "beta1", "beta2", "eps", "noise", "steps"], rivals: rules.slice(1), steps: 120 },
    start: { surface: "slope", sliders: ["beta1", "beta2"], rivals: [], steps: 400 },
    noise: { surface: "slope", sliders: ["beta1", "beta2", "noise"], rivals: [], steps: 300, noise: 1 },
  };

  function defaults(view) {
    const surface = surfaces[view.surface];
    return {
      surface: view.surface, beta1: 0.9, beta2: 0.999, eps: 1e-8, corrected: true, noise: view.noise || 0,
      steps: view.steps, at: view.steps, start: surface.start.slice(), alphas: { ...surface.alphas }, shown: view.rivals.slice(),
    };
  }

  function get(state, name) {
    return name === "alpha" ? state.alphas.Adam : name in state.alphas ? state.alphas[name] : state[name];
  }

  function set(state, name, value) {
    if (name === "alpha") state.alphas.Adam = value;
    else if (name in state.alphas) state.alphas[name] = value;
    else state[name] = value;
    if (name === "steps") state.at = value;
  }

  // The address --------------------------------------------------------------------------------------------------------

  function toAddress(state) {
    const q = new URLSearchParams({ s: state.surface });
    for (const [name, { key }] of Object.entries(QUANTITIES)) q.set(key, String(get(state, name)));
    q.set("c", state.corrected ? "1" : "0");
    q.set("x", String(state.start[0]));
    q.set("y", String(state.start[1]));
    q.set("t", String(state.at));
    q.set("r", state.shown.join("."));
    return q.toString();
  }

  // A hand-written or outdated address sets what it can; what is out of range stays as it was.
  function fromAddress(state, text) {
    const q = new URLSearchParams(text);
    if (!q.has("s")) return;
    const known = Object.hasOwn(surfaces, q.get("s"));
    if (known) {
      state.surface = q.get("s");
      state.start = surfaces[state.surface].start.slice();
      state.alphas = { ...surfaces[state.surface].alphas };
    }
    for (const [name, { key, scale, min, max }] of Object.entries(QUANTITIES)) {
      const value = Number(q.get(key));
      const place = scales[scale].to(value);
      if (q.get(key) && Number.isFinite(place) && place >= min - 1e-9 && place <= max + 1e-9) {
        set(state, name, name === "steps" ? Math.round(value) : value);
      }
    }
    if (q.has("c")) state.corrected = q.get("c") !== "0";
    const [x0, x1, y0, y1] = surfaces[state.surface].box;
    [["x", x0, x1], ["y", y0, y1]].forEach(([key, low, high], i) => {
      const value = Number(q.get(key));
      if (q.get(key) && value >= low && value <= high) state.start[i] = value;
    });
    const t = Number(q.get("t"));
    if (q.get("t") && Number.isInteger(t) && t >= 0 && t <= state.steps) state.at = t;
    if (q.has("r")) state.shown = rules.slice(1).filter((name) => q.get("r").split(".").includes(name));
  }

  // Level lines: in each cell of a grid, the pieces of the line between the corners above and below it ---------------

  function levelLines(surface, level, columns, rows, toX, toY) {
    const [x0, x1, y0, y1] = surface.box;
    const x = (i) => x0 + ((x1 - x0) * i) / columns;
    const y = (j) => y0 + ((y1 - y0) * j) / rows;
    let d = "";
    for (let j = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++) {
        const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]].map(([a, b]) => [x(a), y(b), surface.f(x(a), y(b)) - level]);
        const crossings = [];
        for (let k = 0; k < 4; k++) {
          const [ax, ay, az] = corners[k];
          const [bx, by, bz] = corners[(k + 1) % 4];
          if (az < 0 !== bz < 0) {
            const w = az / (az - bz);
            crossings.push(`${toX(ax + w * (bx - ax)).toFixed(1)} ${toY(ay + w * (by - ay)).toFixed(1)}`);
          }
        }
        for (let k = 0; k + 1 < crossings.length; k += 2) d += `M${crossings[k]}L${crossings[k + 1]}`;
      }
    }
    return d;
  }

  // The marker of each rule, so that color is never alone.
  function marker(name, x, y, size) {
    const s = size;
    const d = {
      Adam: `M${x - s} ${y}a${s} ${s} 0 1 0 ${2 * s} 0a${s} ${s} 0 1 0 ${-2 * s} 0`,
      Momentum: `M${x - s} ${y - s * 0.8}h${2 * s}L${x} ${y + s}Z`,
      AdaGrad: `M${x} ${y - 1.25 * s}L${x + 1.1 * s} ${y}L${x} ${y + 1.25 * s}L${x - 1.1 * s} ${y}Z`,
      RMSProp: `M${x - s} ${y - s}h${2 * s}v${2 * s}h${-2 * s}Z`,
    }[name];
    return shape("path", { d, class: `playground-mark playground-${name}` });
  }

  // Axes with some round numbers.
  function ticks(low, high, about) {
    const raw = (high - low) / about;
    const power = Math.pow(10, Math.floor(Math.log10(raw)));
    const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= raw);
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(Number((k * step).toPrecision(6)));
    return found;
  }

  // A chart over the steps. Lines: {values, class, label}. `now` is the step that is looked at.
  function chart(title, lines, steps, now, alt) {
    const [width, height, left, right, top, bottom] = [360, 170, 44, 16, 22, 24];
    const all = lines.flatMap((line) => line.values).filter(Number.isFinite);
    let [low, high] = [Math.min(0, ...all), Math.max(0, ...all)];
    if (high - low < 1e-12) [low, high] = [low - 1, high + 1];
    [low, high] = [low - 0.04 * (high - low), high + 0.04 * (high - low)];
    const toX = (t) => left + ((width - left - right) * (t - 1)) / Math.max(1, steps - 1);
    const toY = (value) => top + ((height - top - bottom) * (high - value)) / (high - low);
    const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": alt, class: "playground-chart" });
    svg.append(shape("text", { x: 4, y: 14, class: "playground-title" }, title));
    for (const tick of ticks(low, high, 4)) {
      svg.append(shape("line", { x1: left, x2: width - right, y1: toY(tick), y2: toY(tick), class: tick === 0 ? "playground-zero" : "playground-grid" }));
      svg.append(shape("text", { x: left - 5, y: toY(tick) + 4, "text-anchor": "end" }, short(tick)));
    }
    for (const tick of ticks(1, steps, 5)) {
      if (tick >= 1) svg.append(shape("text", { x: toX(tick), y: height - 8, "text-anchor": "middle" }, short(tick)));
    }
    if (now >= 1) svg.append(shape("line", { x1: toX(now), x2: toX(now), y1: top, y2: height - bottom, class: "playground-now" }));
    for (const line of lines) {
      const d = line.values.map((value, i) => `${i ? "L" : "M"}${toX(i + 1).toFixed(1)} ${toY(value).toFixed(1)}`).join("");
      svg.append(shape("path", { d, class: `playground-line ${line.class}` }));
    }
    const key = element("ul", { class: "playground-key" });
    for (const line of lines) {
      const sample = shape("svg", { viewBox: "0 0 28 8", "aria-hidden": "true" });
      sample.append(shape("path", { d: "M0 4H28", class: `playground-line ${line.class}` }));
      key.append(element("li", {}, sample, line.label));
    }
    return element("figure", {}, svg, key);
  }

  // One playground ------------------------------------------------------------------------------------------------------

  function build(place) {
    const kind = Object.hasOwn(VIEWS, place.dataset.view || "") ? place.dataset.view : "full";
    const view = VIEWS[kind];
    const whole = kind === "full";
    const state = defaults(view);
    const id = `playground-${++made}`;
    if (whole) fromAddress(state, window.location.search);
    let paths = {};
    let timer = null;
    let sliders = [];
    place.replaceChildren();

    const controls = element("form", { class: "playground-controls", "aria-label": "Settings of the playground" });
    controls.addEventListener("submit", (event) => event.preventDefault());
    const charts = element("div", { class: "playground-charts" });
    const said = element("p", { class: "playground-said", role: "status" });

    function slider(name, parent) {
      const q = QUANTITIES[name];
      const input = element("input", { type: "range", id: `${id}-${name}`, min: q.min, max: q.max, step: q.step });
      const output = element("output", { for: input.id });
      const show = () => {
        input.value = String(scales[q.scale].to(get(state, name)));
        output.textContent = short(get(state, name), 7);
        input.setAttribute("aria-valuetext", output.textContent);
      };
      input.addEventListener("input", () => {
        set(state, name, scales[q.scale].from(Number(input.value)));
        output.textContent = short(get(state, name), 7);
        input.setAttribute("aria-valuetext", output.textContent);
        if (name === "steps" && whole) showTime();
        update();
      });
      input.addEventListener("change", remember);
      sliders.push(show);
      show();
      parent.append(element("div", { class: "playground-slider" }, element("label", { for: input.id }, q.label), input, output));
    }

    // The surface, and on it the paths up to the step that is looked at.
    const [W, H, PAD] = [520, 380, 26];
    const plot = shape("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", class: "playground-surface" });
    const lines = shape("g");
    const moving = shape("g");
    const handle = shape("g", { class: "playground-handle" });
    let toX, toY;

    function drawSurface() {
      const surface = surfaces[state.surface];
      const [x0, x1, y0, y1] = surface.box;
      const scale = Math.min((W - 2 * PAD) / (x1 - x0), (H - 2 * PAD) / (y1 - y0));
      toX = (x) => W / 2 + scale * (x - (x0 + x1) / 2);
      toY = (y) => H / 2 - scale * (y - (y0 + y1) / 2);
      lines.replaceChildren();
      lines.append(shape("rect", { x: toX(x0), y: toY(y1), width: toX(x1) - toX(x0), height: toY(y0) - toY(y1), class: "playground-frame" }));
      for (const level of surface.levels) lines.append(shape("path", { d: levelLines(surface, level, 110, 80, toX, toY), class: "playground-level" }));
      for (const tick of ticks(x0, x1, 6)) lines.append(shape("text", { x: toX(tick), y: toY(y0) + 16, "text-anchor": "middle" }, short(tick)));
      for (const tick of ticks(y0, y1, 5)) lines.append(shape("text", { x: toX(x0) - 5, y: toY(tick) + 4, "text-anchor": "end" }, short(tick)));
      if (surface.minimum) {
        const [x, y] = [toX(surface.minimum[0]), toY(surface.minimum[1])];
        lines.append(shape("path", { d: `M${x - 6} ${y - 6}l12 12m0 -12l-12 12`, class: "playground-minimum" }));
      }
    }

    function drawPaths() {
      moving.replaceChildren();
      for (const name of [...state.shown, "Adam"]) {
        const points = paths[name].theta.slice(0, state.at + 1);
        const d = points.map(([x, y], i) => `${i ? "L" : "M"}${toX(x).toFixed(1)} ${toY(y).toFixed(1)}`).join("");
        moving.append(shape("path", { d, class: `playground-line playground-${name}`, "clip-path": `url(#${id}-clip)` }));
        const [x, y] = points[points.length - 1];
        if (Math.abs(toX(x)) < 2 * W && Math.abs(toY(y)) < 2 * H) moving.append(marker(name, toX(x), toY(y), 5));
      }
      handle.setAttribute("transform", `translate(${toX(state.start[0])} ${toY(state.start[1])})`);
    }

    function drag(event) {
      const box = plot.getBoundingClientRect();
      const [x0, x1, y0, y1] = surfaces[state.surface].box;
      const ux = ((event.clientX - box.left) / box.width) * W;
      const uy = ((event.clientY - box.top) / box.height) * H;
      const inverse = (u, to, low, high) => low + ((u - to(low)) / (to(high) - to(low))) * (high - low);
      moveTo(inverse(ux, toX, x0, x1), inverse(uy, toY, y0, y1));
    }

    function moveTo(x, y) {
      const [x0, x1, y0, y1] = surfaces[state.surface].box;
      state.start = [Math.min(x1, Math.max(x0, x)), Math.min(y1, Math.max(y0, y))].map((one) => Number(one.toFixed(3)));
      startFields.forEach((field, i) => (field.value = String(state.start[i])));
      update();
    }

    // Time ----------------------------------------------------------------------------------------------------------------

    const time = element("input", { type: "range", id: `${id}-time`, min: 0, step: 1 });
    const timeOutput = element("output", { for: time.id });
    const play = element("button", { type: "button" }, "Play");

    function showTime() {
      time.max = String(state.steps);
      time.value = String(state.at);
      timeOutput.textContent = `${state.at} of ${state.steps}`;
      time.setAttribute("aria-valuetext", `step ${timeOutput.textContent}`);
    }

    function stop() {
      if (timer !== null) window.clearInterval(timer);
      timer = null;
      play.textContent = "Play";
    }

    // Who has asked the system for less motion moves the slider instead.
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

    function respect() {
      stop();
      play.hidden = calm.matches;
    }

    calm.addEventListener("change", respect);
    respect();

    time.addEventListener("input", () => {
      stop();
      state.at = Number(time.value);
      showTime();
      draw();
    });
    time.addEventListener("change", remember);
    play.addEventListener("click", () => {
      if (timer !== null) {
        stop();
        remember();
        return;
      }
      if (state.at >= state.steps) state.at = 0;
      play.textContent = "Pause";
      timer = window.setInterval(() => {
        state.at = Math.min(state.steps, state.at + 1);
        showTime();
        draw();
        if (state.at >= state.steps) {
          stop();
          remember();
        }
      }, 50);
    });

    // The table and the charts ----------------------------------------------------------------------------------------------

    const table = element("table", { class: "playground-table" });

    function drawTable() {
      const head = element("tr", {}, ...["rule", "x", "y", "loss", "last step / α, in x and y"].map((text) => element("th", { scope: "col" }, text)));
      const rows = ["Adam", ...state.shown].map((name) => {
        const path = paths[name];
        const t = Math.min(state.at, path.theta.length - 1);
        const ended = path.diverged && state.at >= path.diverged;
        const step = t ? path.step[t - 1].map((one) => short(one / state.alphas[name])).join(", ") : "";
        const icon = shape("svg", { viewBox: "0 0 14 14", "aria-hidden": "true" });
        icon.append(marker(name, 7, 7, 5));
        const cells = ended ? ["left the plane", "", "", ""] : [...path.theta[t].map((one) => short(one)), short(path.loss[t]), step];
        return element("tr", {}, element("th", { scope: "row" }, icon, NAMES[name]), ...cells.map((text) => element("td", {}, text)));
      });
      table.replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
    }

    function drawCharts() {
      const adam = paths.Adam;
      const now = whole ? state.at : 0;
      const both = (values, what) => COORDINATES.map((c, i) => ({ values: values.map((pair) => pair[i]), class: `playground-coordinate-${c}`, label: `${what} in ${c}` }));
      const relative = (path, name) => path.step.map((pair) => pair.map((one) => one / state.alphas[name]));
      charts.replaceChildren();
      if (kind === "start") {
        const plain = run("Adam", surfaces[state.surface], { ...state, corrected: false });
        const series = [[adam, "playground-Adam", "with correction"], [plain, "playground-plain", "without"]];
        const drawn = series.map(([path, name, label]) => ({ values: relative(path, "Adam").map((pair) => -pair[1]), class: name, label }));
        const largest = Math.max(...drawn[1].values);
        const alt = `Length of Adam's step over alpha for a constant gradient. With correction it is 1. Without it starts at ${short(drawn[1].values[0])} and is at most ${short(largest)}, at step ${drawn[1].values.indexOf(largest) + 1}.`;
        charts.append(chart("step / α, for a gradient that is always the same", drawn, state.steps, now, alt));
        say(alt);
        return;
      }
      const alt = (what) => `${what} of Adam over ${state.steps} steps, for the coordinates x and y.`;
      charts.append(chart("m̂, the average of the gradients", both(adam.mHat, "m̂"), state.steps, now, alt("m hat")));
      charts.append(chart("√v̂, the root of the average of the squares", both(adam.rootV, "√v̂"), state.steps, now, alt("The root of v hat")));
      charts.append(chart("step / α", both(relative(adam, "Adam"), "step / α"), state.steps, now, alt("The step over alpha")));
      if (kind === "noise") {
        const late = relative(adam, "Adam").slice(-100).map((pair) => pair[0]);
        const mean = late.reduce((a, b) => a + b, 0) / late.length;
        const spread = Math.sqrt(late.reduce((a, b) => a + (b - mean) * (b - mean), 0) / late.length);
        say(`Over the last 100 steps, the step over alpha in x has the mean ${short(mean, 2)} and the standard deviation ${short(spread, 2)}.`);
      }
    }

    function say(text) {
      if (said.textContent !== text) said.textContent = text;
    }

    function draw() {
      if (whole) {
        drawPaths();
        drawTable();
      }
      drawCharts();
    }

    function update() {
      const surface = surfaces[state.surface];
      paths = Object.fromEntries((whole ? rules : ["Adam"]).map((name) => [name, run(name, surface, state)]));
      draw();
      if (whole) {
        const t = Math.min(state.at, paths.Adam.theta.length - 1);
        const [x, y] = paths.Adam.theta[t].map((one) => short(one));
        plot.setAttribute("aria-label", `${surface.title}: level lines and paths. After ${t} steps from (${state.start.join(", ")}), Adam is at (${x}, ${y}).`);
      }
    }

    // Only the whole playground owns the page's address. (A fragment would be taken for a heading by the theme's scripts.)
    function remember() {
      if (!whole) return;
      try {
        window.history.replaceState(null, "", `?${toAddress(state)}`);
      } catch {
        say("This browser does not let a page from disk change its address.");
      }
    }

    function changeSurface(name) {
      const fresh = defaults({ ...view, surface: name });
      Object.assign(state, { surface: name, start: fresh.start, alphas: fresh.alphas });
      refresh();
      remember();
    }

    function refresh() {
      if (whole) {
        select.value = state.surface;
        corrected.checked = state.corrected;
        rivals.forEach(([name, box]) => (box.checked = state.shown.includes(name)));
        const [x0, x1, y0, y1] = surfaces[state.surface].box;
        startFields.forEach((field, i) => {
          [field.min, field.max] = i ? [y0, y1] : [x0, x1];
          field.value = String(state.start[i]);
        });
        drawSurface();
        clip.replaceChildren(lines.querySelector("rect").cloneNode());
        showTime();
      }
      sliders.forEach((show) => show());
      update();
    }

    const select = element("select", { id: `${id}-surface` });
    for (const [name, { title }] of Object.entries(surfaces)) select.append(element("option", { value: name }, title));
    const corrected = element("input", { type: "checkbox", id: `${id}-corrected` });
    const startFields = COORDINATES.map((c) => element("input", { type: "number", step: 0.1, id: `${id}-start-${c}` }));
    const rivals = view.rivals.map((name) => [name, element("input", { type: "checkbox", id: `${id}-shown-${name}` })]);
    const clip = shape("clipPath", { id: `${id}-clip` });

    if (whole) {
      select.addEventListener("change", () => changeSurface(select.value));
      corrected.addEventListener("change", () => {
        state.corrected = corrected.checked;
        update();
        remember();
      });
      startFields.forEach((field) => field.addEventListener("change", () => {
        const [x, y] = startFields.map((one, i) => (one.value === "" ? state.start[i] : Number(one.value)));
        moveTo(x, y);
        remember();
      }));
      rivals.forEach(([name, box]) => box.addEventListener("change", () => {
        state.shown = rivals.filter(([, other]) => other.checked).map(([other]) => other);
        update();
        remember();
      }));
      controls.append(element("div", { class: "playground-slider" }, element("label", { for: select.id }, "surface"), select));
    }
    for (const name of view.sliders) slider(name, controls);
    if (whole) {
      controls.append(element("div", { class: "playground-check" }, corrected, element("label", { for: corrected.id }, "bias correction")));
      const starts = startFields.map((field, i) => element("label", { for: field.id }, `start ${COORDINATES[i]} `, field));
      controls.append(element("div", { class: "playground-start" }, ...starts));
      const group = element("fieldset", {}, element("legend", {}, "Rivals"));
      for (const [name, box] of rivals) {
        const icon = shape("svg", { viewBox: "0 0 14 14", "aria-hidden": "true" });
        icon.append(marker(name, 7, 7, 5));
        group.append(element("div", { class: "playground-check" }, box, element("label", { for: box.id }, icon, NAMES[name])));
        slider(name, group);
      }
      controls.append(group);

      handle.append(shape("circle", { r: 16, class: "playground-grip" }), shape("circle", { r: 6, class: "playground-knob" }));
      plot.append(clip, lines, moving, handle);
      plot.addEventListener("pointerdown", (event) => {
        if (event.button) return;
        const box = handle.getBoundingClientRect();
        const near = 10 + box.width / 2;
        const far = Math.hypot(event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2);
        if (event.pointerType === "touch" && far > near) return; // a finger elsewhere scrolls the page
        plot.setPointerCapture(event.pointerId);
        stop();
        drag(event);
      });
      plot.addEventListener("pointermove", (event) => plot.hasPointerCapture(event.pointerId) && drag(event));
      plot.addEventListener("pointerup", remember);
      handle.addEventListener("touchmove", (event) => event.preventDefault(), { passive: false });

      const copy = element("button", { type: "button" }, "Copy link to this setting");
      copy.addEventListener("click", async () => {
        remember();
        try {
          await navigator.clipboard.writeText(window.location.href);
          say("Copied.");
        } catch {
          say(`Copy it from the address bar, or from here: ${window.location.href}`);
        }
      });
      const reset = element("button", { type: "button" }, "Reset");
      reset.addEventListener("click", () => {
        stop();
        Object.assign(state, defaults(view));
        refresh();
        remember();
        say("Everything is as it was.");
      });
      const timeRow = element("div", { class: "playground-slider playground-time" }, element("label", { for: time.id }, "step t"), time, timeOutput, play);
      const buttons = element("div", { class: "playground-buttons" }, copy, reset);
      const scroll = element("div", { class: "playground-scroll", tabindex: 0, role: "region", "aria-label": "Where the rules are" }, table);
      place.append(element("div", { class: "playground-columns" }, element("div", {}, plot, timeRow, scroll, buttons, said), controls), charts);
    } else {
      place.append(controls, charts, said);
    }
    refresh();
  }

  document.querySelectorAll(".adam-playground").forEach(build);
})();
