'use strict';

class PanelConnection {
  constructor(panel, devices) {
    this.panel = panel;
    this.devices = devices;
    this.state = 'open';
    this.frame = { header: { version: 3, panel }, values: new Array(devices.length).fill(0), alarms: [] };
    this.history = devices.map((device) => ({ device: device.id, values: [0, 0, 0, 0] }));
    // Each panel is refreshed every half a minute. The leak: close() leaves the interval running.
    this.refresh = setInterval(this.send.bind(this), 30_000);
  }

  send() {
    this.devices.forEach((device, i) => (this.frame.values[i] = device.last ?? 0));
    return this.state === 'open' ? this.frame : null;
  }

  close() {
    this.state = 'closed';
    this.frame.alarms.length = 0;
  }
}

module.exports = { PanelConnection };
