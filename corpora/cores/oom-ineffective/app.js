'use strict';

// A slow leak on a heap that is nearly full, and large short-lived arrays: the collections free little and take all
// the time. V8 gives up with "Ineffective mark-compacts near heap limit".
class AuditEntry {
  constructor(id) {
    this.id = id;
    this.message = `user ${id} logged in`;
    this.context = { ip: `10.0.${id % 256}.${id % 251}`, at: id };
  }
}

const auditLog = [];

function record(id) {
  auditLog.push(new AuditEntry(id));
}

function buildReport(size) {
  return new Array(size).fill(0).map((_, i) => i * 0.5);
}

function serve() {
  for (let id = 0; ; id++) {
    record(id);
    if (id > 400_000 && id % 40 === 0) buildReport(50_000);
  }
}

setImmediate(serve);
