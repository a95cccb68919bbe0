'use strict';

// The head of the last frame of each device, at most one each.
class HeadIndex {
  #byDevice = new Map();

  add(device, head) {
    this.#byDevice.set(device, head);
  }

  sequenceOf(device) {
    return this.#byDevice.get(device)?.readUInt32LE(0);
  }
}

module.exports = { HeadIndex };
