'use strict';

// Nothing is wrong: an idle HTTP server with timers, an open connection, and promises that wait.
const http = require('http');
const net = require('net');

async function waitForJob(queue) {
  return await new Promise((resolve) => queue.push(resolve));
}

async function work(queue) {
  await waitForJob(queue);
}

const queue = [];
for (let i = 0; i < 5; i++) work(queue);

setInterval(function flushMetrics() {}, 60_000);
setTimeout(function expireSessions() {}, 3_600_000);

const server = http.createServer((request, response) => response.end('hello'));
server.listen(0, '127.0.0.1', () => {
  const client = net.connect(server.address().port, '127.0.0.1', () => {
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    client.once('data', () => console.log('ready'));
  });
});
