"use strict";

/* The figure that can be dragged. `lesson` is what the tests, and a curious reader at the console, may use. */

const SCALE = 50, MIDDLE = 200; // pixels for a unit of the data; where the origin lies
const SUMMARY_AFTER = 700; // milliseconds of rest, so that a screen reader is not flooded while one drags

const find = (name) => document.getElementById(`lab-${name}`);
const pixels = ([x, y]) => [MIDDLE + SCALE * x, MIDDLE - SCALE * y];
const place = (point) => pixels(point).map((value) => value.toFixed(1)).join(" ");
const polyline = (points) => `M${points.map(place).join("L")}`;
const dots = (points) => points.map((point) => `M${place(point)}h0`).join("");
const shown = (value) => value.toFixed(3);
const shownLevel = (t) => t.toFixed(t < 0.1 ? 3 : 2); // the slider's lowest places lie closer than hundredths
const named = ([x, y]) => `(${x.toFixed(2)}, ${y.toFixed(2)})`.replaceAll("-", "−");

/** Return a line from a to b with two barbs at b. */
function arrow(a, b) {
  const [ax, ay] = pixels(a), [bx, by] = pixels(b);
  const length = Math.hypot(bx - ax, by - ay);
  if (length < 1) return "";
  const ux = (bx - ax) / length, uy = (by - ay) / length, size = Math.min(9, length / 2);
  const barb = (side) => `M${(bx - size * (ux + side * 0.5 * uy)).toFixed(1)} ${(by - size * (uy - side * 0.5 * ux)).toFixed(1)}L${place(b)}`;
  return `M${place(a)}L${place(b)}${barb(1)}${barb(-1)}`;
}

class Lab {
  constructor(models, settings) {
    this.models = models;
    this.settings = settings;
    this.noise = settings.start;
    this.name = settings.models[0].name;
    this.level = 0.6;
    this.visited = []; // of several jumps: in turn where a jump came to and where fresh noise led
    this.normal = normalPair; // a test gives its own
    this.frames = 0;
    this.waiting = false;
    this.used = false; // until then nothing is read out
    this.listen();
    this.draw();
  }

  get model() {
    return this.models[this.name];
  }

  /** Ask for a drawing at the next frame; many requests before it make one drawing. */
  change() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
      this.frames++;
    });
  }

  move([x, y]) {
    const { limit } = this.settings;
    const inside = (value) => Math.min(Math.max(value, -limit), limit);
    this.noise = [inside(x), inside(y)];
    this.visited = [];
    this.change();
  }

  draw() {
    const { steps, landings, euler } = this.settings;
    const path = solveOde(this.models.teacher, this.noise, steps), end = path[steps];
    find("ode").setAttribute("d", polyline(path));
    find("end").setAttribute("transform", `translate(${place(end)})`);
    find("noise").setAttribute("transform", `translate(${place(this.noise)})`);

    const point = pointAt(path, this.level), landing = this.model.jump(point, this.level);
    const [cx, cy] = pixels(point);
    find("point").setAttribute("cx", cx.toFixed(1));
    find("point").setAttribute("cy", cy.toFixed(1));
    find("arrow").setAttribute("d", arrow(point, landing));
    const levels = Array.from({ length: landings }, (_, k) => 1 - k / landings);
    const landed = levels.map((t) => this.model.jump(pointAt(path, t), t));
    find("landings").setAttribute("d", dots(landed));
    this.miss = distance(landing, end);
    this.gap = widestGap(landed);
    find("miss").textContent = shown(this.miss);
    find("gap").textContent = shown(this.gap);
    for (const n of euler) {
      const walk = solveOde(this.models.teacher, this.noise, n);
      find(`euler-${n}`).setAttribute("d", find(`show-${n}`).checked ? polyline(walk) + dots(walk) : "");
      find(`euler-miss-${n}`).textContent = shown(distance(walk[n], end));
    }
    this.drawJumps();
    this.tell(end);
  }

  drawJumps() {
    const points = [this.noise, ...this.visited];
    let jumps = "", mixed = "";
    for (let k = 1; k < points.length; k++) {
      if (k % 2) jumps += arrow(points[k - 1], points[k]);
      else mixed += arrow(points[k - 1], points[k]);
    }
    find("jumps").setAttribute("d", jumps);
    find("mixed").setAttribute("d", mixed);
    find("visited").setAttribute("d", dots(this.visited));
    const count = Number(find("count").value), levels = jumpLevels(count, this.models.distilled.sigmaMin);
    const made = Math.ceil(this.visited.length / 2), done = this.visited.length === 2 * count - 1;
    const jumpsNext = this.visited.length % 2 === 0;
    const next = find("next");
    next.disabled = done;
    if (done) next.textContent = "Done";
    else if (jumpsNext) next.textContent = `Jump from t = ${levels[made].toFixed(2)}`;
    else next.textContent = `Mix with fresh noise, up to t = ${levels[made].toFixed(2)}`;
    find("again").disabled = this.visited.length === 0;
  }

  /** Take the next half of a step: a jump, or fresh noise. */
  step() {
    const count = Number(find("count").value), levels = jumpLevels(count, this.models.distilled.sigmaMin);
    const made = Math.ceil(this.visited.length / 2);
    const here = this.visited.at(-1) ?? this.noise, level = levels[made];
    if (this.visited.length % 2 === 0) {
      const landing = this.model.jump(here, level);
      this.visited.push(landing);
      find("told").textContent = `Jump ${made + 1} of ${count} landed at ${named(landing)}.`;
    } else {
      const fresh = this.normal();
      const mixed = [0, 1].map((i) => (1 - level) * here[i] + level * fresh[i]);
      this.visited.push(mixed);
      find("told").textContent = `Fresh noise led to ${named(mixed)}, a point at t = ${level.toFixed(2)} on another trajectory.`;
    }
    this.change();
  }

  startAgain() {
    this.visited = [];
    find("told").textContent = "";
    this.change();
  }

  /** Say, after a rest, what a reader of the picture sees. */
  tell(end) {
    const { noise } = this;
    find("noise").setAttribute("aria-valuenow", noise[0].toFixed(2));
    find("noise").setAttribute("aria-valuetext", `x ${noise[0].toFixed(2)}, y ${noise[1].toFixed(2)}`);
    clearTimeout(this.timer);
    const said =
      `From noise ${named(noise)} the trajectory ends at ${named(end)}. The jump from t = ${shownLevel(this.level)} ` +
      `misses that by ${shown(this.miss)}; the landings are at most ${shown(this.gap)} apart.`;
    this.timer = setTimeout(() => {
      // The same words once more would be read out once more.
      if (this.used && find("summary").textContent !== said) find("summary").textContent = said;
    }, SUMMARY_AFTER);
  }

  listen() {
    const handle = find("noise"), stage = handle.ownerSVGElement;
    const at = (event) => {
      const box = stage.getBoundingClientRect(), unit = box.width / (2 * MIDDLE) * SCALE;
      return [(event.clientX - box.left - box.width / 2) / unit, (box.top + box.height / 2 - event.clientY) / unit];
    };
    for (const kind of ["pointerdown", "keydown", "input"]) {
      handle.closest(".lab").addEventListener(kind, () => { this.used = true; }, { capture: true });
    }
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      handle.focus({ preventScroll: true });
      event.preventDefault();
    });
    // A finger on the point must not scroll the page; CSS touch-action is ignored on a part of an SVG.
    handle.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    handle.addEventListener("pointermove", (event) => {
      if (handle.hasPointerCapture(event.pointerId)) this.move(at(event));
    });
    stage.addEventListener("click", (event) => this.move(at(event)));
    handle.addEventListener("keydown", (event) => {
      const size = event.shiftKey ? 0.25 : 0.05;
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!way) return;
      event.preventDefault();
      this.move([this.noise[0] + size * way[0], this.noise[1] + size * way[1]]);
    });
    find("level").addEventListener("input", () => this.slide());
    for (const n of this.settings.euler) find(`show-${n}`).addEventListener("change", () => this.change());
    find("models").addEventListener("change", (event) => {
      this.name = event.target.value;
      this.startAgain();
    });
    find("count").addEventListener("change", () => this.startAgain());
    find("next").addEventListener("click", () => this.step());
    find("again").addEventListener("click", () => this.startAgain());
    this.slide();
  }

  /** Read the slider. Its lowest place is sigma_min, where a jump goes nowhere. */
  slide() {
    const { steps } = this.settings, lowest = this.models.distilled.sigmaMin;
    this.level = Math.max(Number(find("level").value) / steps, lowest);
    const said = `t = ${shownLevel(this.level)}`;
    find("level-shown").textContent = said;
    find("said-level").textContent = said;
    find("level").setAttribute("aria-valuetext", said);
    this.change();
  }
}

const settings = JSON.parse(document.getElementById("lesson-settings").textContent);
const models = readModels(settings.record, document.getElementById("lesson-weights").textContent.trim());
const lesson = { models, lab: new Lab(models, settings), solveOde };
globalThis.lesson = lesson;
