'use strict';

const { devices } = require('./plant');
const { Subscription } = require('./subscription');

class Portal {
  sessions = 0;

  session(client) {
    const device = devices.get(this.sessions * 11);
    const subscription = new Subscription(client, device, { since: this.sessions });
    subscription.deliver(this.sessions % 100);
    device.record(this.sessions % 100);
    subscription.cancel();
    this.sessions++;
  }
}

module.exports = { Portal };
