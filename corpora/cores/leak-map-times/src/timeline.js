'use strict';

class Sample {
  constructor(device, value, unit) {
    this.device = device;
    this.value = value;
    this.unit = unit;
    this.quality = value > 90 ? 'suspect' : 'good';
    this.limits = [0, 100];
  }
}

// Samples by their time in milliseconds. The leak: the chart shows one hour, the timeline keeps all.
class Timeline {
  samples = new Map();

  add(time, device, value) {
    this.samples.set(time, new Sample(device.name, value, 'kPa'));
  }

  *since(time) {
    for (const [at, sample] of this.samples) if (at >= time) yield sample;
  }
}

module.exports = { Sample, Timeline };
