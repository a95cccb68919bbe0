'use strict';

const { ArchiveStream } = require('./archive-stream');

const archive = new ArchiveStream();

class AccessRecord {
  constructor(number, request) {
    this.number = number;
    this.at = new Date(1_718_000_000_000 + number);
    this.line = `GET ${request.path} ${request.status}`;
    this.user = request.user;
    this.tags = ['access', request.status < 400 ? 'ok' : 'error'];
  }
}

class AccessLog {
  #number = 0;

  // The leak: write() says "wait for drain" by returning false, and nobody listens.
  access(request) {
    archive.write(new AccessRecord(++this.#number, request));
  }
}

module.exports = { AccessLog, AccessRecord, archive };
