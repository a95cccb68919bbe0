'use strict';

class Recording {
  constructor(device, number) {
    this.device = device;
    this.path = `/var/recordings/${device.name}/${number}.bin`;
    this.values = new Array(100).fill(0);
    this.length = 0;
  }

  append(value) {
    this.values[this.length++ % this.values.length] = value;
  }

  close() {
    this.values.length = 0;
  }
}

module.exports = { Recording };
