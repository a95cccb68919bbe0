'use strict';

class Inspection {
  constructor(device, week) {
    this.device = device;
    this.week = week;
    this.team = ['north', 'south', 'night'][week % 3];
  }
}

class Schedule {
  #weeks = Array.from({ length: 52 }, () => new Set());

  constructor(devices) {
    for (let id = 0; id < devices.size; id++) this.#weeks[id % 52].add(new Inspection(devices.get(id), id % 52));
    this.reminder = setInterval(() => this.due(0), 60_000).unref();
  }

  due(week) {
    return [...this.#weeks[week % 52]].map((inspection) => inspection.device.name);
  }
}

module.exports = { Inspection, Schedule };
