// The update rules and surfaces of the playground: what adamcore computes, in the same order of operations, so that both
// agree (tests/site/test_playground.py). A classic script: browsers refuse modules from disk. In node it is a module.
(function (global) {
  "use strict";

  // Each surface: its name, f and its gradient at (x, y), the part of the plane to show, where to start, the minimum
  // if there is one, the heights of its level lines, and step sizes that suit it.
  const surfaces = {
    ravine: {
      title: "ravine",
      f: (x, y) => 0.5 * (x * x + 25 * y * y),
      gradient: (x, y) => [x, 25 * y],
      box: [-4.4, 1.2, -1.6, 1.6],
      start: [-4, 1],
      minimum: [0, 0],
      levels: [0.1, 0.5, 1.5, 4, 8, 14, 22],
      alphas: { Adam: 0.2, Momentum: 0.01, AdaGrad: 0.6, RMSProp: 0.02 },
    },
    tilted: {
      title: "ravine at 45 degrees",
      f: (x, y) => 0.25 * ((x + y) * (x + y) + 25 * (x - y) * (x - y)),
      gradient: (x, y) => [0.5 * (x + y + 25 * (x - y)), 0.5 * (x + y - 25 * (x - y))],
      box: [-3.6, 1.6, -3.2, 1.6],
      start: [-3.2, -1.8],
      minimum: [0, 0],
      levels: [0.1, 0.5, 1.5, 4, 8, 14, 22],
      alphas: { Adam: 0.2, Momentum: 0.01, AdaGrad: 0.6, RMSProp: 0.02 },
    },
    bend: {
      title: "bent valley (Rosenbrock's function, flatter)",
      f: (x, y) => (1 - x) * (1 - x) + 10 * (y - x * x) * (y - x * x),
      gradient: (x, y) => [-2 * (1 - x) - 40 * x * (y - x * x), 20 * (y - x * x)],
      box: [-1.8, 1.8, -0.8, 2.4],
      start: [-1.2, 1.8],
      minimum: [1, 1],
      levels: [0.1, 0.5, 2, 5, 12, 25, 50],
      alphas: { Adam: 0.05, Momentum: 0.002, AdaGrad: 0.3, RMSProp: 0.01 },
    },
    saddle: {
      title: "saddle",
      f: (x, y) => 0.5 * x * x - 0.5 * y * y + 0.25 * y * y * y * y,
      gradient: (x, y) => [x, -y + y * y * y],
      box: [-2.2, 1.2, -1.6, 1.6],
      start: [-2, 0.001],
      minimum: [0, 1],
      levels: [-0.2, -0.1, 0, 0.1, 0.3, 0.7, 1.4, 2],
      alphas: { Adam: 0.1, Momentum: 0.05, AdaGrad: 0.3, RMSProp: 0.02 },
    },
    plateau: {
      title: "plateau: the gradient is tiny far away",
      f: (x, y) => 1 - Math.exp(-0.5 * (x * x + y * y)),
      gradient: (x, y) => [x * Math.exp(-0.5 * (x * x + y * y)), y * Math.exp(-0.5 * (x * x + y * y))],
      box: [-4.4, 1.6, -1.8, 2.2],
      start: [-4, 1.5],
      minimum: [0, 0],
      levels: [0.05, 0.2, 0.5, 0.8, 0.95, 0.99],
      alphas: { Adam: 0.1, Momentum: 0.5, AdaGrad: 0.3, RMSProp: 0.02 },
    },
    slope: {
      title: "slope: the same gradient everywhere, 100 times steeper in y than in x",
      f: (x, y) => 0.01 * x + y,
      gradient: () => [0.01, 1],
      box: [-4.4, 4.4, -4.4, 4.4],
      start: [3.5, 3.5],
      minimum: null,
      levels: [-4, -3, -2, -1, 0, 1, 2, 3, 4],
      alphas: { Adam: 0.05, Momentum: 0.01, AdaGrad: 0.3, RMSProp: 0.02 },
    },
  };

  // 1 - beta^t. Where beta is so near 1 that the power would lose digits, through the logarithm, as adamcore does.
  function oneMinusPower(beta, t) {
    return 1 - beta < 1e-6 ? -Math.expm1(t * Math.log1p(-(1 - beta))) : 1 - Math.pow(beta, t);
  }

  // A quotient in which 0 / 0 is 0: a coordinate without a gradient does not move.
  function divide(a, b) {
    return a === 0 && b === 0 ? 0 : a / b;
  }

  // Each rule: its state for one coordinate, and its step. It returns what is subtracted from theta.
  const rules = {
    Adam: {
      init: () => ({ m: 0, v: 0, mHat: 0, vHat: 0 }),
      step: (s, g, t, p) => {
        s.m = p.beta1 * s.m + (1 - p.beta1) * g;
        s.v = p.beta2 * s.v + (1 - p.beta2) * (g * g);
        s.mHat = s.m / (p.corrected ? oneMinusPower(p.beta1, t) : 1);
        s.vHat = s.v / (p.corrected ? oneMinusPower(p.beta2, t) : 1);
        return p.alpha * divide(s.mHat, Math.sqrt(s.vHat) + p.eps);
      },
    },
    Momentum: {
      init: () => ({ b: 0 }),
      step: (s, g, t, p) => {
        s.b = p.beta1 * s.b + g;
        return p.alpha * s.b;
      },
    },
    AdaGrad: {
      init: () => ({ G: 0 }),
      step: (s, g, t, p) => {
        s.G = s.G + g * g;
        return p.alpha * divide(g, Math.sqrt(s.G) + p.eps);
      },
    },
    RMSProp: {
      init: () => ({ v: 0 }),
      step: (s, g, t, p) => {
        s.v = p.beta2 * s.v + (1 - p.beta2) * (g * g);
        return p.alpha * divide(g, Math.sqrt(s.v) + p.eps);
      },
    },
  };

  // Numbers from a normal distribution that are the same in every browser: mulberry32, then Box and Muller.
  function normals(seed, count) {
    let a = seed >>> 0;
    const uniform = () => {
      a = (a + 0x6d2b79f5) | 0;
      let z = Math.imul(a ^ (a >>> 15), 1 | a);
      z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
      return (((z ^ (z >>> 14)) >>> 0) + 0.5) / 4294967296;
    };
    return Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
  }

  // Run one rule. Where theta leaves what numbers can hold, the path ends there.
  function run(name, surface, settings) {
    const rule = rules[name];
    const p = { ...settings, alpha: settings.alphas[name] };
    const noise = normals(1, 2 * settings.steps);
    const states = [rule.init(), rule.init()];
    let theta = settings.start.slice();
    const path = { theta: [theta.slice()], g: [], step: [], mHat: [], rootV: [], loss: [surface.f(...theta)] };
    for (let t = 1; t <= settings.steps; t++) {
      const clean = surface.gradient(...theta);
      const g = clean.map((one, i) => one + settings.noise * noise[2 * (t - 1) + i]);
      const step = g.map((one, i) => rule.step(states[i], one, t, p));
      theta = theta.map((one, i) => one - step[i]);
      if (!theta.every(Number.isFinite) || Math.max(...theta.map(Math.abs)) > 1e12) {
        path.diverged = t;
        break;
      }
      path.theta.push(theta);
      path.g.push(g);
      path.step.push(step.map((one) => -one));
      path.loss.push(surface.f(...theta));
      if (name === "Adam") {
        path.mHat.push(states.map((s) => s.mHat));
        path.rootV.push(states.map((s) => Math.sqrt(s.vHat)));
      }
    }
    return path;
  }

  const api = { surfaces, rules: Object.keys(rules), normals, oneMinusPower, run };
  if (typeof module !== "undefined" && module.exports) module.exports = api;
  else global.AdamRules = api;
})(typeof window === "undefined" ? globalThis : window);
