'use strict';

const { bus } = require('./bus');
const { Dashboard } = require('./dashboard');
const { alarms, devices } = require('./plant');

class ControlRoom {
  constructor() {
    this.visits = 0;
  }

  visit(user) {
    const shown = [];
    for (let i = 0; i < 10; i++) shown.push(devices.get(this.visits * 13 + i * 7));
    const dashboard = new Dashboard(user, shown);
    dashboard.subscribe();
    if (this.visits % 500 === 0) this.measure();
    dashboard.close();
    this.visits++;
    return dashboard.layout;
  }

  measure() {
    for (let i = 0; i < 5; i++) {
      const device = devices.get(this.visits + i);
      const value = Math.sin(this.visits + i) * 100;
      device.record(value);
      bus.publish({ device: device.id, value });
      if (value > 95) alarms.raise(device, value, this.visits);
    }
  }
}

module.exports = { ControlRoom };
