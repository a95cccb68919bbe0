'use strict';

const { alarms, devices } = require('./plant');
const { Timeline } = require('./timeline');

const timeline = new Timeline();

class Collector {
  measurements = 0;

  measure(time) {
    const device = devices.get(this.measurements * 17);
    const value = 50 + 50 * Math.sin(this.measurements / 30);
    device.record(value);
    timeline.add(time, device, value);
    if (value > 99) alarms.raise(device, value, time);
    this.measurements++;
  }
}

module.exports = { Collector, timeline };
