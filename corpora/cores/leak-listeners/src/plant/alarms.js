'use strict';

class Alarm {
  constructor(device, value, at) {
    this.device = device;
    this.value = value;
    this.at = at;
    this.acknowledged = false;
  }
}

// The alarms that are shown in the control room: the newest ones.
class Alarms {
  constructor(limit) {
    this.limit = limit;
    this.list = [];
  }

  raise(device, value, at) {
    this.list.unshift(new Alarm(device, value, at));
    if (this.list.length > this.limit) this.list.length = this.limit;
  }
}

module.exports = { Alarm, Alarms };
