'use strict';

const { EventEmitter } = require('events');
const { Outbox } = require('./outbox');

class Uplink extends EventEmitter {
  #online = false;
  #outbox = new Outbox(100);
  #flush = () => this.#outbox.drain((frame) => this.emit('sent', frame));

  // The leak: while the line is down, each frame adds the same listener once more.
  send(frame) {
    this.#outbox.add(frame);
    if (this.#online) {
      this.#flush();
    } else {
      this.once('online', this.#flush);
    }
  }

  connected() {
    this.#online = true;
    this.emit('online');
  }
}

const uplink = new Uplink();
uplink.setMaxListeners(0);

module.exports = { Uplink, uplink };
