'use strict';
// The port is taken: a system error with code, syscall, address.
const net = require('net');
const first = net.createServer().listen(0, '127.0.0.1', () => net.createServer().listen(first.address().port, '127.0.0.1'));
