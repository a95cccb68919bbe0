'use strict';

const { EventEmitter } = require('events');

class BaseFeed extends EventEmitter {
  constructor() {
    super();
    this.received = 0;
    this.unacknowledged = new Map();
  }

  track(message) {
    this.received++;
    this.unacknowledged.set(`${this.constructor.name}/${this.received}`, message);
  }
}

module.exports = { BaseFeed };
