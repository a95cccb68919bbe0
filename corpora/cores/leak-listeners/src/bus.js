'use strict';

const { EventEmitter } = require('events');

// All readings of the plant pass here.
class PlantBus extends EventEmitter {
  constructor() {
    super();
    this.setMaxListeners(0); // one for each open dashboard
    this.published = 0;
  }

  publish(reading) {
    this.published++;
    this.emit('reading', reading);
  }
}

const bus = new PlantBus();

module.exports = { bus };
