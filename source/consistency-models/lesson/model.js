"use strict";

/* The lesson's networks, as the notebook's ToyModel and ConsistencyModel compute them, for one point at a time.
 * Weights are float32, sums are double. A test compares every network with PyTorch. */

/** out[i] = start[i] + sum over j of w[first + i * stride + j] * x[j]: a dense layer, `x.length` columns of it. */
function dense(w, first, stride, start, x, out) {
  const columns = x.length;
  for (let i = 0; i < out.length; i++) {
    const row = first + i * stride;
    let a = start[i], b = 0, c = 0, d = 0; // four sums at a time: the processor need not wait for each
    let j = 0;
    for (; j + 3 < columns; j += 4) {
      a += w[row + j] * x[j];
      b += w[row + j + 1] * x[j + 1];
      c += w[row + j + 2] * x[j + 2];
      d += w[row + j + 3] * x[j + 3];
    }
    for (; j < columns; j++) a += w[row + j] * x[j];
    out[i] = a + b + (c + d);
  }
}

function silu(values) {
  for (let i = 0; i < values.length; i++) values[i] /= 1 + Math.exp(-values[i]);
}

/** A small network of a point and a time, with two outputs. Weights lie in the order of PyTorch's parameters(). */
class ToyModel {
  constructor(hidden, weights) {
    const h = hidden;
    this.hidden = h;
    this.layers = {};
    let at = 0;
    const shapes = { time0: [h, 1], time2: [h, h], net0: [h, 2 + h], net2: [h, h], net4: [h, h], net6: [2, h] };
    for (const [name, [rows, columns]] of Object.entries(shapes)) {
      const weight = Float64Array.from(weights.subarray(at, at + rows * columns));
      at += rows * columns;
      this.layers[name] = { weight, columns, bias: Float64Array.from(weights.subarray(at, at + rows)) };
      at += rows;
    }
    if (at !== weights.length) throw new Error(`a network of ${at} weights was given ${weights.length}`);
    this.one = new Float64Array(h);
    this.two = new Float64Array(h);
    this.out = new Float64Array(2);
    this.starts = new Map();
  }

  /** What a time adds to the first layer: the same for all points, so it is computed once for each time. */
  start(t) {
    let known = this.starts.get(t);
    if (known === undefined) {
      if (this.starts.size > 4000) this.starts.clear();
      const { time0, time2, net0 } = this.layers;
      const h = this.hidden;
      dense(time0.weight, 0, 1, time0.bias, [t], this.one);
      silu(this.one);
      dense(time2.weight, 0, h, time2.bias, this.one, this.two);
      known = new Float64Array(h);
      dense(net0.weight, 2, 2 + h, net0.bias, this.two, known);
      this.starts.set(t, known);
    }
    return known;
  }

  /** Return the two outputs; the array is used again by the next call. */
  at(x, y, t) {
    const { net0, net2, net4, net6 } = this.layers;
    const h = this.hidden, start = this.start(t), { one, two, out } = this;
    for (let i = 0; i < h; i++) one[i] = start[i] + net0.weight[i * (2 + h)] * x + net0.weight[i * (2 + h) + 1] * y;
    silu(one);
    dense(net2.weight, 0, h, net2.bias, one, two);
    silu(two);
    dense(net4.weight, 0, h, net4.bias, two, one);
    silu(one);
    dense(net6.weight, 0, h, net6.bias, one, out);
    return out;
  }
}

/** f(x, t) = c_skip(t) x + c_out(t) backbone(x, t), so that f(x, sigma_min) = x. */
class ConsistencyModel {
  constructor(backbone, sigmaMin) {
    this.backbone = backbone;
    this.sigmaMin = sigmaMin;
  }

  jump([x, y], t) {
    const skip = this.sigmaMin / t, rest = (t - this.sigmaMin) / t;
    const [u, v] = this.backbone.at(x, y, t);
    return [skip * x + rest * u, skip * y + rest * v];
  }
}

/** Follow dx/dt = velocity from t = 1 to 0 in equal Euler steps; return the visited points, steps + 1 of them. */
function solveOde(teacher, start, steps) {
  const path = [start];
  for (let k = 0; k < steps; k++) {
    const [x, y] = path[k];
    const [u, v] = teacher.at(x, y, 1 - k / steps);
    path.push([x - u / steps, y - v / steps]);
  }
  return path;
}

/** Return the point at time t of a path with equal steps from t = 1 to 0. */
function pointAt(path, t) {
  const steps = path.length - 1;
  const place = Math.min(Math.max((1 - t) * steps, 0), steps);
  const k = Math.min(Math.floor(place + 1e-9), steps - 1);
  const part = place - k;
  return [0, 1].map((i) => path[k][i] + part * (path[k + 1][i] - path[k][i]));
}

/** The noise levels of multi-step sampling: from 1 in equal steps towards sigmaMin, which itself is left out. */
function jumpLevels(jumps, sigmaMin) {
  return Array.from({ length: jumps }, (_, k) => 1 + ((sigmaMin - 1) * k) / jumps);
}

function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

/** Return the largest distance between any two of the points. */
function widestGap(points) {
  let widest = 0;
  for (const a of points) for (const b of points) widest = Math.max(widest, distance(a, b));
  return widest;
}

/** Two independent standard normal numbers (Box and Muller). */
function normalPair() {
  const radius = Math.sqrt(-2 * Math.log(1 - Math.random())), angle = 2 * Math.PI * Math.random();
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** Read the networks that the page carries: `record` says where in the base64 text the weights of each begin. */
function readModels(record, text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const all = Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  const models = {};
  for (const { name, hidden, first, count } of record.models) {
    const network = new ToyModel(hidden, all.subarray(first, first + count));
    models[name] = name === "teacher" ? network : new ConsistencyModel(network, record.sigma_min);
  }
  return models;
}
