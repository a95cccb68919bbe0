'use strict';

const KINDS = ['pump', 'valve', 'boiler', 'meter', 'fan'];
const HISTORY = 8;

class Device {
  #history = [];

  constructor(id) {
    this.id = id;
    this.name = `${KINDS[id % KINDS.length]}-${id}`;
    this.position = { hall: id % 12, x: (id * 37) % 400, y: (id * 91) % 250 };
    this.calibration = [1 + id / 10_000, -id / 5_000, 0.25];
  }

  get kind() {
    return KINDS[this.id % KINDS.length];
  }

  // The last few readings; older ones are dropped.
  record(value) {
    this.#history.push(value);
    if (this.#history.length > HISTORY) this.#history.shift();
  }

  get last() {
    return this.#history[this.#history.length - 1];
  }
}

class DeviceRegistry {
  #devices = new Map();

  constructor(count) {
    for (let id = 0; id < count; id++) this.#devices.set(`device-${id}`, new Device(id));
  }

  get size() {
    return this.#devices.size;
  }

  get(id) {
    return this.#devices.get(`device-${id % this.size}`);
  }

  *ofKind(kind) {
    for (const device of this.#devices.values()) if (device.kind === kind) yield device;
  }
}

module.exports = { Device, DeviceRegistry };
