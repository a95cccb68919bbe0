'use strict';

const { devices } = require('./plant');
const { SensorTwin } = require('./sensor-twin');

class SensorTwins {
  #twins;

  constructor(count) {
    this.#twins = Array.from({ length: count }, (_, id) => new SensorTwin(id, devices.get(id)));
  }

  reading(id, value) {
    this.#twins[id].add(value);
    this.#twins[id].device.record(value);
  }
}

module.exports = { SensorTwins };
