'use strict';

// Frames that wait for the line: the newest ones.
class Outbox {
  #frames = [];

  constructor(limit) {
    this.limit = limit;
    this.dropped = 0;
  }

  add(frame) {
    this.#frames.push(frame);
    if (this.#frames.length > this.limit) {
      this.#frames.shift();
      this.dropped++;
    }
  }

  drain(send) {
    for (const frame of this.#frames.splice(0)) send(frame);
  }
}

module.exports = { Outbox };
