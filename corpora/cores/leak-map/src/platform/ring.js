'use strict';

// The last N of something.
class Ring {
  #slots;
  #next = 0;

  constructor(capacity) {
    this.capacity = capacity;
    this.#slots = new Array(capacity).fill(null);
  }

  push(item) {
    this.#slots[this.#next] = item;
    this.#next = (this.#next + 1) % this.capacity;
  }

  toArray() {
    return [...this.#slots.slice(this.#next), ...this.#slots.slice(0, this.#next)].filter(Boolean);
  }
}

module.exports = { Ring };
