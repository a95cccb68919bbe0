'use strict';
// An idle server, asked for a report by a signal.
const http = require('http');
const server = http.createServer((request, response) => response.end('ok'));
server.listen(0, '127.0.0.1', () => setTimeout(() => console.log('ready'), 100));
