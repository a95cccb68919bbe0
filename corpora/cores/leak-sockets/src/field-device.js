'use strict';

const net = require('net');

// One device's report: connects, sends its values, waits until the other side has closed.
function report(port, device) {
  return new Promise((resolve, reject) => {
    const values = Array.from({ length: 160 }, (_, i) => (device * 7 + i * 3) % 100);
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', reject);
    socket.on('close', resolve);
    socket.resume();
    socket.end(JSON.stringify({ device, values, firmware: `3.${device % 10}.1`, network: { rssi: -40 - (device % 30) } }));
  });
}

module.exports = { report };
