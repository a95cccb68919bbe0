'use strict';

const { bus } = require('./bus');
const { texts } = require('./plant');

class Tile {
  constructor(device) {
    this.device = device.id;
    this.title = texts[`en.${device.id % 600}`].title;
    this.values = [];
  }
}

class Dashboard {
  constructor(user, devices) {
    this.user = user;
    this.tiles = devices.map((device) => new Tile(device));
    this.layout = { columns: 4, theme: 'dark', order: this.tiles.map((_, i) => i) };
    this.open = true;
  }

  // The leak: close() does not take the listener off the bus.
  subscribe() {
    bus.on('reading', (reading) => this.update(reading));
  }

  update(reading) {
    const tile = this.tiles.find((one) => one.device === reading.device);
    if (!tile || !this.open) return;
    tile.values.push(reading.value);
    if (tile.values.length > 20) tile.values.shift();
  }

  close() {
    this.open = false;
  }
}

module.exports = { Dashboard };
