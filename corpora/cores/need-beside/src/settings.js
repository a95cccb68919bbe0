'use strict';

const { EventEmitter } = require('events');

class Settings extends EventEmitter {
  constructor() {
    super();
    this.setMaxListeners(0);
    this.currency = 'EUR';
  }
}

exports.settings = new Settings();
