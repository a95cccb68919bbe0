'use strict';

const Transport = require('winston-transport');

// Keeps what is logged during one request, to show it when the request fails.
class RequestLog extends Transport {
  constructor(request) {
    super({ level: 'warn' });
    this.setMaxListeners(0);
    this.request = request;
    this.lines = new Array(600).fill(null);
  }

  log(info, done) {
    this.lines[0] = info.message;
    done();
  }
}

module.exports = { RequestLog };
