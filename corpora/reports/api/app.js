'use strict';
// Asked for by the program itself, with every kind of handle.
const dgram = require('dgram'), fs = require('fs'), net = require('net'), { spawn } = require('child_process');
const watcher = fs.watch(__dirname, () => {});
fs.watchFile(__filename, { interval: 60000 }, () => {});
const child = spawn('/bin/sleep', ['30'], { stdio: ['pipe', 'ignore', 'ignore'] });
process.on('SIGHUP', () => {});
const udp = dgram.createSocket('udp4').bind(0, '127.0.0.1');
const pipe = net.createServer().listen('/tmp/make-report.' + process.pid);
setInterval(() => {}, 5000);
const server = net.createServer((socket) => {
    const error = new Error('the price list is stale');
    error.code = 'E_STALE';
    error.extra = '42';
    process.report.writeReport('report.json', error);
    child.kill();
    process.exit(0);
}).listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1'));
