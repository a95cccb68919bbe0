'use strict';

class Histogram {
  constructor(name) {
    this.name = name;
    this.count = 0;
    this.buckets = new Float64Array(64);
  }

  add(value) {
    this.count++;
    this.buckets[Math.min(63, Math.max(0, 32 + Math.floor(4 * Math.log2(value + 1e-9))))]++;
  }
}

class Metrics {
  #histograms = new Map();
  #flushed = null;

  constructor(flushMs) {
    this.timer = setInterval(() => this.flush(), flushMs).unref();
  }

  observe(name, value) {
    let histogram = this.#histograms.get(name);
    if (!histogram) this.#histograms.set(name, (histogram = new Histogram(name)));
    histogram.add(value);
  }

  flush() {
    this.#flushed = [...this.#histograms.values()].map(({ name, count }) => ({ name, count }));
    this.#histograms.clear();
    return this.#flushed;
  }
}

module.exports = { Histogram, Metrics };
