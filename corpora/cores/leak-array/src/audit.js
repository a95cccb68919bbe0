'use strict';

class AuditEvent {
  constructor(who, what, before, after) {
    this.at = new Date(1_718_000_000_000);
    this.who = who;
    this.what = what;
    this.before = before;
    this.after = after;
  }
}

// Who did what. The leak: it was to be written out every hour, but nothing calls takeAll().
let auditTrail = [];

function audit(who, what, before, after) {
  auditTrail.push(new AuditEvent(who, what, before, after));
}

function takeAll() {
  const events = auditTrail;
  auditTrail = [];
  return events;
}

module.exports = { AuditEvent, audit, takeAll };
