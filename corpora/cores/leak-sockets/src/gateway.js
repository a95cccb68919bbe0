'use strict';

const net = require('net');
const { alarms, devices } = require('./plant');

// The sockets of all devices. The leak: a closed one is not taken out.
const connections = new Set();

class Gateway {
  #server = net.createServer((socket) => this.#accept(socket));
  received = 0;

  listen() {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => resolve(this.#server.address().port));
    });
  }

  #accept(socket) {
    connections.add(socket);
    socket.setEncoding('utf8');
    socket.text = '';
    socket.on('data', (part) => (socket.text += part));
    socket.on('end', () => {
      socket.message = JSON.parse(socket.text);
      this.#receive(socket.message);
      socket.end('ok');
    });
  }

  #receive({ device, values }) {
    this.received++;
    for (const value of values) devices.get(device).record(value);
    if (values[0] > 98) alarms.raise(devices.get(device), values[0], this.received);
  }
}

module.exports = { Gateway };
