'use strict';

const HISTORY = 480;

class SensorTwin {
  #at = 0;

  // What is wrong: room for a day of readings and three collections for each sensor; most sensors send one reading a
  // day, and no labels at all.
  constructor(id, device) {
    this.id = id;
    this.device = device;
    this.readings = new Array(HISTORY);
    this.labels = new Map();
    this.subscribers = new Set();
    this.thresholds = new Map();
  }

  add(value) {
    this.readings[this.#at++ % HISTORY] = value;
  }
}

module.exports = { SensorTwin };
